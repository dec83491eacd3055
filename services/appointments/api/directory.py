"""What slots refer to besides the directory: schedules; and reasons, which the directory reads by their ids."""

from uuid import UUID

from flask import Response

from auth.machines.fhir import addresses, without_pass
from portal import db
from portal.establishments import Practitioner, Unit
from portal.web import fhir
from portal.web.fhir import Json
from services.appointments.api.times import reader
from services.appointments.fhir import naming, offer, resources
from services.appointments.fhir.offer import Wanted

pages = addresses("fhir_schedules", __name__)


@pages.get("/Schedule/<string(maxlength=64):schedule_id>")
@without_pass
def read_schedule(schedule_id: str) -> Response:
    return fhir.respond(resources.schedule(*_pair(schedule_id)))


def read_reason(reason_id: UUID) -> Json | None:
    """A reason as a HealthcareService, when whoever asks sees it."""
    found = offer.reason(reader(), reason_id)
    return resources.reason(found, fhir.base_url()) if found else None


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
