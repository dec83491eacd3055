"""The confirmation of an appointment, as a PDF."""

from uuid import UUID

from flask import Blueprint, abort
from werkzeug.wrappers import Response

from auth import guards
from portal import db
from portal.web.downloads import made_response
from services.appointments import queries as appointments
from services.appointments.kiosk import queries, sheet

pages = guards.patients(
    Blueprint("my_arrival", __name__, url_prefix="/rendez-vous", template_folder="templates"), "appointments"
)


@pages.get("/<uuid:appointment_id>/confirmation.pdf")
def confirmation(appointment_id: UUID) -> Response:
    """For the patient, and for whoever may see to their appointments."""
    people = db.current_actor().people("administrative")
    found = appointments.one_of_patients(appointment_id, people) or abort(404)
    with_code = found.is_to_come and not found.reason.is_remote and queries.served(found.unit)
    content = sheet.confirmation(found, db.now(), with_code=with_code)
    return made_response(content, f"rendez-vous-{found.reference}.pdf")
