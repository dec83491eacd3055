"""One resource by its id: organizations, places, activities, practitioners and their roles."""

from uuid import UUID

from flask import Response

from auth.machines.fhir import addresses, without_pass
from portal.db import session
from portal.establishments import Establishment, Practitioner, Unit
from portal.web import fhir
from portal.web.fhir import Json
from services.offer import queries
from services.offer.api import also
from services.offer.fhir import naming, resources
from services.offer.models import Activity

pages = addresses("fhir_directory", __name__)


@pages.get("/Organization/<uuid:organization_id>")
@without_pass
def read_organization(organization_id: UUID) -> Response:
    """A hospital, or one of its sites."""
    house = session.get(Establishment, organization_id)
    if house is not None:
        return fhir.respond(resources.establishment(house))
    site = queries.site(organization_id)
    if site is None:
        raise _absent("organization")
    return fhir.respond(resources.site_organization(site, is_open=not queries.is_over(site)))


@pages.get("/Location/<uuid:location_id>")
@without_pass
def read_location(location_id: UUID) -> Response:
    """A site, or a unit."""
    site = queries.site(location_id)
    place = site or queries.unit(location_id)
    if place is None:
        raise _absent("place")
    return fhir.respond(locations([place])[0])


@pages.get("/HealthcareService/<uuid:service_id>")
@without_pass
def read_service(service_id: UUID) -> Response:
    """An activity, or what a room above knows by this id."""
    activity = queries.activity_by_id(service_id)
    if activity is not None:
        return fhir.respond(services([activity])[0])
    for reader in also.readers():
        if (found := reader(service_id)) is not None:
            return fhir.respond(found)
    raise _absent("service")


@pages.get("/Practitioner/<uuid:practitioner_id>")
@without_pass
def read_practitioner(practitioner_id: UUID) -> Response:
    return fhir.respond(resources.practitioner(_practitioner(practitioner_id)))


@pages.get("/PractitionerRole/<string(maxlength=64):role_id>")
@without_pass
def read_role(role_id: str) -> Response:
    """A practitioner in a unit of their hospital."""
    try:
        practitioner_id, unit_id = naming.pair_of(role_id)
    except naming.NotAnId as error:
        raise _absent("role") from error
    practitioner, unit = _practitioner(practitioner_id), queries.unit(unit_id)
    if unit is None or unit.establishment_id != practitioner.establishment_id:
        raise _absent("role")
    return fhir.respond(resources.role(practitioner, unit, fhir.base_url()))


def locations(places: list[queries.Place]) -> list[Json]:
    """Sites and units with their hours and contacts for patients."""
    known, base = queries.sheets(places), fhir.base_url()
    return [
        (resources.unit if isinstance(each, Unit) else resources.site)(
            each, known[each.id], base, is_open=not queries.is_over(each)  # type: ignore[arg-type]  # by its own writer
        )
        for each in places
    ]  # fmt: skip


def services(activities: list[Activity]) -> list[Json]:
    known, base = queries.sheets(activities), fhir.base_url()
    return [
        resources.activity(each, known[each.id], base, is_open=not queries.is_over(each)) for each in activities
    ]  # fmt: skip


def _practitioner(practitioner_id: UUID) -> Practitioner:
    found = queries.practitioner(practitioner_id)
    if found is None:
        raise _absent("practitioner")
    return found


def _absent(what: str) -> fhir.Refused:
    return fhir.Refused.because(404, f"no such {what}")
