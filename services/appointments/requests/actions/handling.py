"""The hospital's side: open, take in hand, ask for more, refuse, give to another unit, book on the phone."""

from portal import audit, db
from portal.db import session
from portal.establishments import Unit
from portal.files import FileNotReadable, StoredFile
from services.appointments import actions as engine
from services.appointments.actions import capacity
from services.appointments.models import Appointment, Reason
from services.appointments.requests import states
from services.appointments.requests.actions import proposing, traces
from services.appointments.requests.actions.facts import NotThere
from services.appointments.requests.models import AppointmentRequest, RequestMessage
from services.appointments.slots import Slot


def open_request(request: AppointmentRequest) -> None:
    """An agent opens a patient's request."""
    _audit("opened", request)


def open_letter(request: AppointmentRequest, message: RequestMessage) -> StoredFile:
    """Give the letter to whoever opens it, and write down that they did. Raises FileNotReadable."""
    if message.file is None or message.file.state != "clean":
        raise FileNotReadable(message.file_id)
    _audit("letter_opened", request)
    return message.file


def open_tray(establishment_id_of: Unit | None) -> None:
    """An agent opens the list of requests: names are shown, so the audit knows."""
    audit.record(
        "appointment_requests.listed",
        establishment_id=establishment_id_of.establishment_id if establishment_id_of else None,
        object_kind="unit" if establishment_id_of else "",
        object_id=establishment_id_of.id if establishment_id_of else None,
    )


def _audit(what: str, request: AppointmentRequest) -> None:
    audit.record(
        f"appointment_request.{what}",
        patient_id=request.patient_id,
        establishment_id=request.establishment_id,
        object_kind="appointment_request",
        object_id=request.id,
    )


def take(request: AppointmentRequest) -> None:
    """An agent sees to it from now on, whoever did before. Raises RequestOver."""
    request, actor = traces.lock(request), db.current_actor()
    request.assigned_to, request.assigned_name = actor.account_id, actor.name
    to_state = states.HANDLED if request.state == states.SENT else request.state
    if to_state in states.TO_ANSWER:
        traces.go_to(request, to_state, "taken")
    else:
        session.flush()
        traces.record(request, "taken", request.state)


def leave(request: AppointmentRequest) -> None:
    """The agent leaves it to the others. Raises RequestOver."""
    request = traces.lock(request)
    request.assigned_to, request.assigned_name = None, ""
    session.flush()
    traces.record(request, "left", request.state, "left")


def ask_more(request: AppointmentRequest, text: str, version: str = "") -> None:
    """Ask the patient for what is missing. Raises RequestOver, ChangedMeanwhile."""
    request = traces.lock(request, version)
    proposing.let_go(request, "taken_back")
    traces.say(request, text)
    traces.count_answer(request)
    traces.go_to(request, states.MORE_ASKED, "more_asked")
    traces.write_to_patient(request, "more_asked")


def refuse(request: AppointmentRequest, why: str, advice: str, version: str = "") -> None:
    """Say no, why, and what to do instead. why: one of states.REFUSED_BECAUSE. Raises RequestOver, ChangedMeanwhile."""
    request = traces.lock(request, version)
    proposing.let_go(request, "taken_back")
    request.refusal_reason = why
    traces.say(request, advice)
    traces.count_answer(request)
    traces.go_to(request, states.REFUSED, "refused", why)
    traces.write_to_patient(request, "refused")


def transfer(request: AppointmentRequest, unit: Unit, version: str = "") -> None:
    """Give it to another unit of the hospital. Raises RequestOver, ChangedMeanwhile, NotThere."""
    request = traces.lock(request, version)
    if unit.establishment_id != request.establishment_id or unit.id == request.unit_id:
        raise NotThere
    proposing.let_go(request, "taken_back")
    request.unit_id, request.unit, request.reason_id, request.reason = unit.id, unit, None, None
    request.assigned_to, request.assigned_name = None, ""
    traces.go_to(request, states.SENT, "transferred", "transferred", unit=str(unit.id))


def book(request: AppointmentRequest, reason: Reason, slot: Slot, version: str = "") -> Appointment:
    """The patient is on the phone and takes this time. Raises RequestOver, ChangedMeanwhile, and as bookings do."""
    request = traces.lock(request, version)
    kept = [each.session_id for each in proposing.kept_for(request)]
    capacity.hold_still([slot.session_id, *kept])
    appointment = engine.book_by_phone(request.patient_id, reason.id, slot)
    appointment.masked = request.masked
    proposing.let_go(request, "given_back")
    request.reason_id = request.reason_id or reason.id
    traces.count_answer(request)
    proposing.became(request, appointment)
    return appointment
