"""Two hospitals; the first has a unit with hours, contacts for each audience, and activities."""

from dataclasses import dataclass

import pytest
from flask import Flask

from portal.establishments import Unit
from services.offer.models import Activity
from tests.factories import hospitals, offer
from tests.factories.hospitals import Hospital
from tests.ground import prepared

PRIVATE_NUMBER = "01 99 00 99 99"


@dataclass(frozen=True)
class Ground:
    north: Hospital
    south: Hospital
    eyes: Unit
    consultation: Activity
    advice: Activity
    """For professionals alone."""


@pytest.fixture
def ground(app: Flask) -> Ground:
    with prepared():
        north = hospitals.hospital("990000017", "Hôpital du Nord", phone="01 99 00 10 00")
        south = hospitals.hospital("990000025", "Hôpital du Sud", phone="01 99 00 20 00")
        north.site.town, north.site.for_wheelchairs, north.site.address = "Arceau", True, "12 avenue des Tilleuls"
        north.site.latitude, north.site.longitude = 48.5962, 2.2471
        south.site.town = "Deux-Rives"
        eyes = hospitals.unit(north.establishment, north.site, "1204", "Ophtalmologie")
        doctor = hospitals.practitioner(eyes, "10000000033", "BELKACEM", "Nora", "Ophtalmologie")
        doctor.languages = ["ar"]
        consultation = offer.activity(
            north.unit, "Consultation de cardiologie", code="coeur001", speciality="SM04", age_from=16,
            equipment=["Électrocardiogramme"],
        )  # fmt: skip
        advice = offer.activity(north.unit, "Avis rapide", code="avis0001", speciality="SM04", is_public=False)
        offer.hours(north.unit, "08:30", "12:30")
        offer.hours(north.unit, "13:30", "17:30")
        offer.contact(north.unit, "01 99 00 12 10", label="Secrétariat")
        offer.contact(north.unit, PRIVATE_NUMBER, audience="professional", label="Médecin senior")
    return Ground(north, south, eyes, consultation, advice)
