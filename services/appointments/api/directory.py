"""What slots and appointments refer to: practitioners, their roles and schedules, places, reasons."""

from uuid import UUID

from flask import Response

from auth.machines.fhir import addresses, without_pass
from portal import db
from portal.establishments import Practitioner, Unit
from portal.web import fhir
from services.appointments.api.times import reader
from services.appointments.fhir import naming, offer, resources
from services.appointments.fhir.offer import Wanted
from services.appointments.models import Reason

pages = addresses("fhir_directory", __name__)


@pages.get("/Practitioner/<uuid:practitioner_id>")
@without_pass
def read_practitioner(practitioner_id: UUID) -> Response:
    return fhir.respond(resources.practitioner(_practitioner(practitioner_id)))


@pages.get("/PractitionerRole/<string(maxlength=64):role_id>")
@without_pass
def read_role(role_id: str) -> Response:
    return fhir.respond(resources.role(*_pair(role_id), fhir.base_url()))


@pages.get("/Schedule/<string(maxlength=64):schedule_id>")
@without_pass
def read_schedule(schedule_id: str) -> Response:
    return fhir.respond(resources.schedule(*_pair(schedule_id)))


@pages.get("/Location/<uuid:site_id>")
@without_pass
def read_location(site_id: UUID) -> Response:
    found = offer.site(reader(), site_id)
    if found is None:
        raise fhir.Refused.because(404, "no such place")
    return fhir.respond(resources.location(found, fhir.base_url()))


@pages.get("/HealthcareService/<uuid:reason_id>")
@without_pass
def read_reason(reason_id: UUID) -> Response:
    found: Reason | None = offer.reason(reader(), reason_id)
    if found is None:
        raise fhir.Refused.because(404, "no such reason")
    return fhir.respond(resources.reason(found, fhir.base_url()))


def _practitioner(practitioner_id: UUID) -> Practitioner:
    now = db.now()
    found = offer.practitioners(reader(), Wanted(now, now, practitioners=[practitioner_id]))
    if not found:
        raise fhir.Refused.because(404, "no such practitioner")
    return found[0]


def _pair(key: str) -> tuple[Practitioner, Unit]:
    try:
        practitioner_id, unit_id = naming.pair_of(key)
    except naming.NotAnId as error:
        raise fhir.Refused.because(404, "no such schedule") from error
    practitioner = _practitioner(practitioner_id)
    unit = offer.units([unit_id]).get(unit_id)
    if unit is None or unit.establishment_id != practitioner.establishment_id:
        raise fhir.Refused.because(404, "no such schedule")
    return practitioner, unit
