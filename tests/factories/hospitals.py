"""Fictional hospitals."""

from dataclasses import dataclass
from datetime import date
from uuid import uuid4

from portal import catalog
from portal.db import session
from portal.establishments import Establishment, Practitioner, Site, Unit

SERVICES = ("appointments", "preadmission", "questionnaires", "billing", "documents")


@dataclass(frozen=True)
class Hospital:
    establishment: Establishment
    site: Site
    unit: Unit
    practitioner: Practitioner


def hospital(
    finess: str = "990000017", name: str = "Hôpital d’essai", *, open_services: tuple[str, ...] = SERVICES, **facts: str
) -> Hospital:
    """A hospital with one site, one unit and one practitioner, and its services open since 2026."""
    establishment = Establishment(id=uuid4(), finess=finess, name=name, **facts)
    session.add(establishment)
    session.flush()
    place = site(establishment)
    ward = unit(establishment, place)
    doctor = practitioner(ward)
    for code in open_services:
        catalog.publish(establishment.id, code, date(2026, 1, 1))
    session.flush()
    return Hospital(establishment, place, ward, doctor)


def site(establishment: Establishment, finess_et: str = "", name: str = "Site principal", **facts: str) -> Site:
    made = Site(
        id=uuid4(), establishment_id=establishment.id, finess_et=finess_et or establishment.finess, name=name, **facts
    )
    session.add(made)
    session.flush()
    return made


def unit(establishment: Establishment, place: Site, uf: str = "1001", name: str = "Cardiologie", **facts: str) -> Unit:
    made = Unit(id=uuid4(), establishment_id=establishment.id, site_id=place.id, uf=uf, name=name, **facts)
    session.add(made)
    session.flush()
    return made


def practitioner(
    ward: Unit,
    rpps: str = "10000000009",
    family_name: str = "MERCIER",
    given_name: str = "Hélène",
    speciality: str = "Cardiologie",
    title: str = "Dre",
) -> Practitioner:
    made = Practitioner(
        id=uuid4(),
        establishment_id=ward.establishment_id,
        unit_id=ward.id,
        rpps=rpps,
        title=title,
        family_name=family_name,
        given_name=given_name,
        speciality=speciality,
    )
    session.add(made)
    session.flush()
    return made
