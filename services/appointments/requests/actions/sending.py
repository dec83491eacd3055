"""The patient's side: ask, add what was missing, give up."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import exists, func, select

from auth import acts, records
from portal import db, files, kpi
from portal.db import session
from portal.establishments import Unit
from services.appointments.models import SERVICE, Reason, new_reference
from services.appointments.requests import states
from services.appointments.requests.actions import proposing, traces
from services.appointments.requests.actions.facts import AlreadyAsked, LetterNeeded, RequestOver
from services.appointments.requests.actions.traces import answer_due
from services.appointments.requests.models import AppointmentRequest
from services.appointments.wishes import Wishes, weekdays_mask

SILENT_AFTER = timedelta(days=30)
"""A question that the patient does not answer closes the request."""


@dataclass(frozen=True)
class Asked:
    """What a patient fills in. letter_id: a received file of theirs."""

    unit: Unit
    reason: Reason | None
    wishes: Wishes
    phone: str
    text: str = ""
    letter_id: UUID | None = None


def send(patient_id: UUID, asked: Asked) -> AppointmentRequest:
    """Ask a unit for an appointment. Raises AlreadyAsked, LetterNeeded, FileNotReadable."""
    if asked.reason is not None and asked.reason.by_referral_only and asked.letter_id is None:
        raise LetterNeeded
    _check_first(patient_id, asked)
    request = _request(patient_id, asked)
    session.add(request)
    session.flush()
    records.open_record(patient_id, request.establishment_id)
    traces.say(request, asked.text, _attached(request, asked.letter_id))
    traces.record(request, "sent", "")
    kpi.count("appointment_request_sent", establishment_id=request.establishment_id, unit_id=request.unit_id)
    acts.count("appointments", request.establishment_id, request.patient_id)
    traces.write_to_patient(request, "received")
    return request


def _check_first(patient_id: UUID, asked: Asked) -> None:
    """One request at a time for the same thing: a second one would only make both wait."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"request {patient_id}", 0))))  # two tabs
    same = exists().where(
        AppointmentRequest.patient_id == patient_id,
        AppointmentRequest.unit_id == asked.unit.id,
        AppointmentRequest.reason_id.is_not_distinct_from(asked.reason.id if asked.reason else None),
        AppointmentRequest.state.in_(states.OPEN),
    )
    if session.scalar(select(same)):
        raise AlreadyAsked


def _request(patient_id: UUID, asked: Asked) -> AppointmentRequest:
    unit, now, hospital = asked.unit, db.now(), asked.unit.establishment
    return AppointmentRequest(
        id=uuid4(),
        establishment_id=unit.establishment_id,
        patient_id=patient_id,
        unit_id=unit.id,
        reason_id=asked.reason.id if asked.reason else None,
        account_id=db.current_actor().account_id,
        reference=new_reference(),
        state=states.SENT,
        spans=[[first.isoformat(), last.isoformat()] for first, last in asked.wishes.spans],
        weekdays=weekdays_mask(asked.wishes.weekdays),
        half=asked.wishes.half,
        phone=asked.phone,
        sent_at=now,
        due_at=answer_due(hospital, now),
    )


def _attached(request: AppointmentRequest, file_id: UUID | None) -> UUID | None:
    if file_id is None:
        return None
    given = files.attach(
        file_id,
        patient_id=request.patient_id,
        establishment_id=request.establishment_id,
        staff_right=SERVICE,
    )
    return given.id


def answer(request: AppointmentRequest, text: str, letter_id: UUID | None = None) -> None:
    """The patient says what the hospital asked for. Raises RequestOver, FileNotReadable."""
    request = traces.lock(request)
    if request.state != states.MORE_ASKED:
        raise RequestOver
    traces.say(request, text, _attached(request, letter_id))
    traces.go_to(request, states.HANDLED, "completed", "answered")


def withdraw(request: AppointmentRequest) -> None:
    """The patient does not ask any more. Raises RequestOver."""
    request = traces.lock(request)
    proposing.let_go(request, "declined")
    traces.go_to(request, states.WITHDRAWN, "withdrawn")


def close_silent(request: AppointmentRequest) -> None:
    """Nobody answered the hospital's question. Raises RequestOver when somebody just did."""
    request = traces.lock(request)
    if request.state != states.MORE_ASKED or request.changed_at > db.now() - SILENT_AFTER:
        raise RequestOver
    traces.go_to(request, states.EXPIRED, "lapsed")
    traces.write_to_patient(request, "expired")
