"""What every change of an appointment leaves: one immutable row, one line of audit, a message to write."""

from uuid import uuid4

from portal import audit, db, jobs
from services.appointments.models import Appointment

_RECORD_CHANGE = (
    "insert into appointment_change"
    " (id, appointment_id, patient_id, establishment_id, from_state, to_state, start_at, by, by_name, at, reason)"
    " values (:id, :appointment_id, :patient_id, :establishment_id, :from_state, :to_state, :start_at, :by, :by_name,"
    " :at, :reason)"
)


def tell_of(appointment: Appointment, what: str, from_state: str, why: str = "", **details: str) -> None:
    """what: the audit's verb (`booked`, `moved`…); the state the appointment is in now is where it went."""
    actor = db.current_actor()
    db.write_later(
        _RECORD_CHANGE,
        {
            "id": uuid4(),
            "appointment_id": appointment.id,
            "patient_id": appointment.patient_id,
            "establishment_id": appointment.establishment_id,
            "from_state": from_state,
            "to_state": appointment.state,
            "start_at": appointment.start_at,
            "by": actor.label,
            "by_name": actor.name,
            "at": db.now(),
            "reason": why,
        },
    )
    audit.record(
        f"appointment.{what}",
        patient_id=appointment.patient_id,
        establishment_id=appointment.establishment_id,
        object_kind="appointment",
        object_id=appointment.id,
        **details,
    )
    if what in ("moved", "cancelled"):
        write_to_practitioner(appointment)


def write_to_practitioner(appointment: Appointment) -> None:
    """To the practitioner of the city who follows it, unless it is they who act."""
    follows = appointment.professional_id
    if follows is not None and follows != db.current_actor().professional_id:
        jobs.enqueue("appointments.tell_practitioner", appointment_id=str(appointment.id))


def write_to_patient(job: str, appointment: Appointment) -> None:
    """To the account that acts when it is a patient's; otherwise the job finds where to write."""
    actor = db.current_actor()
    account_id = str(actor.account_id or "") if actor.kind == "patient" else ""
    jobs.enqueue(job, appointment_id=str(appointment.id), account_id=account_id)
