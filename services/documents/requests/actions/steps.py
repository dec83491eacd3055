"""The steps that several gestures share: lock, move and its clock, say, tell, write down."""

from uuid import uuid4

from portal import audit, db, jobs, kpi
from portal.db import session
from services.documents.requests import settings, states
from services.documents.requests.actions.facts import ChangedMeanwhile, NotThere
from services.documents.requests.models import (
    RecordRequest,
    RecordRequestChange,
    RecordRequestFile,
    RecordRequestMessage,
)


def lock(request: RecordRequest | None, version: int | None = None) -> RecordRequest:
    """Wait for whoever acts on it, and see what they did. version: what the agent decided on.

    Raises NotThere, ChangedMeanwhile.
    """
    if request is None:
        raise NotThere
    session.refresh(request, with_for_update={"key_share": True, "of": RecordRequest})
    if version is not None and request.version != version:
        raise ChangedMeanwhile(request.id)
    return request


def move(request: RecordRequest, after: str, because: str = "") -> None:
    """Change the state, and the clock with it. Raises NotAllowed."""
    states.check(request.state, after)
    before, kind = request.state, request.definition
    term = settings.of(request.establishment_id).term(kind, is_old=request.is_old)
    clock = states.clock_after(
        request.clock,
        after,
        request.today,
        term,
        request.establishment.holiday_rules,
        restarts=kind.restarts,
    )
    if after in states.CLOSED:
        request.closed_at, request.was_late = db.now(), request.was_late or _is_late(request)
        _count_closing(request, after)
    elif request.is_closed:
        request.closed_at = None
    if after in states.RUNNING and (request.complete_at is None or (kind.restarts and before == states.MISSING)):
        request.complete_at = db.now()
    request.state, request.due_on, request.days_left = after, clock.due_on, clock.left
    note(request, before, because)


def _is_late(request: RecordRequest) -> bool:
    return request.is_late or (request.days_left is not None and request.days_left < 0)


def _count_closing(request: RecordRequest, after: str) -> None:
    if after == states.CANCELLED:
        return
    days = (request.today - request.sent_on).days
    event = "record_request_answered" if after == states.ANSWERED else "record_request_refused"
    place = request.establishment_id
    kpi.count(event, dimension=request.kind, establishment_id=place)
    kpi.count("record_request_delay", dimension=str(min(max(days, 0), 366)), quantity=days, establishment_id=place)
    if request.was_late:
        kpi.count("record_request_late", dimension=request.kind, establishment_id=place)


def note(request: RecordRequest, before: str, because: str = "") -> None:
    """One line of the history; whoever reads the page next knows that it changed."""
    actor = db.current_actor()
    request.version, request.changed_at = request.version + 1, db.now()
    session.add(request)
    session.flush()
    session.add(
        RecordRequestChange(
            id=uuid4(),
            request_id=request.id,
            establishment_id=request.establishment_id,
            before=before,
            after=request.state,
            because=because,
            due_on=request.due_on,
            actor=actor.label,
            by_name=actor.name if actor.kind == "staff" else "",
            at=db.now(),
        )
    )
    session.flush()


def say(request: RecordRequest, text: str, *, from_staff: bool) -> None:
    """One message of the thread; nothing when there are no words."""
    if not text.strip():
        return
    actor = db.current_actor()
    request.version, request.changed_at, request.unread = request.version + 1, db.now(), not from_staff
    session.add(
        RecordRequestMessage(
            id=uuid4(),
            request_id=request.id,
            establishment_id=request.establishment_id,
            actor=actor.label,
            by_name=actor.name,
            from_staff=from_staff,
            text=text.strip(),
            at=db.now(),
        )
    )
    session.flush()


def tell(request: RecordRequest, news: str) -> None:
    """To the applicant, without a word of what it is about: a job finds where they may still be written to."""
    jobs.enqueue("documents.tell_applicant", request_id=str(request.id), news=news)


def tell_desk(request: RecordRequest) -> None:
    """To the office's mailbox, when the hospital gave one."""
    jobs.enqueue("documents.tell_request_desk", request_id=str(request.id))


def record(action: str, request: RecordRequest, **details: str | int | None) -> None:
    """One line of the audit, which names the patient when there is one."""
    audit.record(
        action,
        patient_id=request.patient_id,
        establishment_id=request.establishment_id,
        object_kind="record_request",
        object_id=request.id,
        kind=request.kind,
        **details,
    )


def hand_over(request: RecordRequest, joined: RecordRequestFile | None, what: str = "file") -> None:
    """Somebody takes a file of a request away, or prints its sheet. what: file | sheet."""
    record("record_request.downloaded", request, what=what, file_id=str(joined.id) if joined else None)
