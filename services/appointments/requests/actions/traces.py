"""What every change of a request leaves: one immutable row, one line of audit, a message to write."""

from datetime import datetime
from typing import cast
from uuid import UUID, uuid4

from sqlalchemy import Table, insert, select

from portal import audit, db, jobs, kpi
from portal.db import session
from portal.establishments import Establishment
from portal.kpi import delays
from services.appointments.requests import states
from services.appointments.requests.actions.facts import ChangedMeanwhile, RequestOver
from services.appointments.requests.models import AppointmentRequest, RequestChange, RequestMessage

ANSWER_WITHIN_DAYS = 2
"""Of work: within which the hospital answers."""
_RECORD_CHANGE = insert(cast(Table, RequestChange.__table__)).inline()


def lock(request: AppointmentRequest, version: str = "") -> AppointmentRequest:
    """Hold a request still, as it is now. version: of the page that asks for the change, if it must be the last.

    Raises RequestOver when it is closed or not the actor's, ChangedMeanwhile.
    """
    query = select(AppointmentRequest).where(AppointmentRequest.id == request.id).with_for_update(key_share=True)
    found = session.scalar(query.execution_options(populate_existing=True))
    if found is None or not found.is_open:
        raise RequestOver
    if version and found.version != version:
        raise ChangedMeanwhile
    return found


def go_to(request: AppointmentRequest, to_state: str, what: str, why: str = "", **details: str) -> None:
    """Change the state of a locked request. what: the audit's verb; why: a code of `states`."""
    before = request.state
    states.check(before, to_state)
    request.state, request.changed_at = to_state, db.now()
    _mind_the_clock(request)
    session.flush()
    record(request, what, before, why, **details)
    if to_state in states.CLOSED:
        kpi.count(
            "appointment_request_closed",
            establishment_id=request.establishment_id,
            channel="web",
            dimension=to_state,
            unit_id=request.unit_id,
        )


def _mind_the_clock(request: AppointmentRequest) -> None:
    if request.state in states.CLOSED:
        request.closed_at = request.changed_at
    if request.state not in states.TO_ANSWER:
        request.due_at = None
    elif request.due_at is None:
        request.due_at = answer_due(request.establishment, db.now())


def answer_due(hospital: Establishment, since: datetime) -> datetime:
    """When the hospital should have answered what was sent or said at this moment."""
    return hospital.office.due(since, ANSWER_WITHIN_DAYS * hospital.office.day)


def record(request: AppointmentRequest, what: str, from_state: str, why: str = "", **details: str) -> None:
    """One row of history, one line of audit."""
    actor = db.current_actor()
    session.execute(
        _RECORD_CHANGE,
        {
            "id": uuid4(),
            "request_id": request.id,
            "establishment_id": request.establishment_id,
            "from_state": from_state,
            "to_state": request.state,
            "by": actor.label,
            "by_name": actor.name,
            "at": db.now(),
            "reason": why,
        },
    )
    audit.record(
        f"appointment_request.{what}",
        patient_id=request.patient_id,
        establishment_id=request.establishment_id,
        object_kind="appointment_request",
        object_id=request.id,
        **details,
    )


def say(request: AppointmentRequest, text: str, file_id: UUID | None = None) -> None:
    """Words about a request, or a letter that comes with them; nothing when there is neither."""
    if not text and file_id is None:
        return
    actor = db.current_actor()
    session.add(
        RequestMessage(
            id=uuid4(),
            request_id=request.id,
            establishment_id=request.establishment_id,
            by=actor.label,
            by_name="" if actor.kind == "system" else actor.name,
            from_staff=actor.kind in ("staff", "system"),
            text=text,
            file_id=file_id,
        )
    )
    session.flush()


def count_answer(request: AppointmentRequest) -> None:
    """The first time somebody answers: how much time of work it took, in minutes."""
    if request.answered_at is not None:
        return
    request.answered_at = db.now()
    office = request.establishment.office
    spent = office.worked(request.sent_at, request.answered_at)
    kpi.count(
        "appointment_request_answered",
        establishment_id=request.establishment_id,
        dimension="in_time" if spent <= ANSWER_WITHIN_DAYS * office.day else "late",
        quantity=int(spent.total_seconds() // 60),
        unit_id=request.unit_id,
    )
    delays.count_delay(
        "appointment_request_delay", spent, establishment_id=request.establishment_id, unit_id=request.unit_id
    )


def write_to_patient(request: AppointmentRequest, news: str) -> None:
    """news: which message of `mails`."""
    jobs.enqueue("appointments.tell_of_request", request_id=str(request.id), news=news)
