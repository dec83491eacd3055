"""The agents' gestures before the answer: open, take, write, ask for what is missing, refuse."""

from collections.abc import Collection
from uuid import UUID

from portal import calendar, db
from portal.db import session
from services.documents.requests import clock, settings, states
from services.documents.requests.actions.facts import NotThere
from services.documents.requests.actions.steps import lock, move, note, record, say, tell
from services.documents.requests.models import RecordRequest
from services.documents.requests.queries import Desk, one_at


def open_request(desk: Desk, request_id: UUID) -> RecordRequest:
    """Show a request to an agent; the reading is written down. Raises NotThere."""
    request = one_at(desk, request_id)
    if request is None:
        raise NotThere(request_id)
    request.unread = False
    record("record_request.opened", request)
    return request


def take(desk: Desk, request_id: UUID, *, version: int) -> RecordRequest:
    """The agent treats it themselves. Raises NotThere, ChangedMeanwhile, NotAllowed."""
    request = lock(one_at(desk, request_id), version)
    actor = db.current_actor()
    if not request.is_open:
        raise states.NotAllowed(request.state)
    request.agent_id, request.agent_name = actor.account_id, actor.name
    if request.state == states.RECEIVED:
        move(request, states.HANDLED, "taken")
    else:
        note(request, request.state, "taken")
    record("record_request.taken", request)
    return request


def assign(desk: Desk, request_id: UUID, *, version: int) -> RecordRequest:
    """Back to the tray, for any colleague. Raises NotThere, ChangedMeanwhile, NotAllowed."""
    request = lock(one_at(desk, request_id), version)
    if not request.is_open:
        raise states.NotAllowed(request.state)
    request.agent_id, request.agent_name = None, ""
    if request.state == states.HANDLED:
        move(request, states.RECEIVED, "released")
    else:
        note(request, request.state, "released")
    record("record_request.released", request)
    return request


def write(desk: Desk, request_id: UUID, text: str, *, version: int) -> RecordRequest:
    """A question or a precision; nothing else changes, the clock goes on. Raises NotThere, ChangedMeanwhile,
    NotAllowed."""
    request = lock(one_at(desk, request_id), version)
    if not request.is_open:
        raise states.NotAllowed(request.state)
    say(request, text, from_staff=True)
    tell(request, "written")
    record("record_request.written", request)
    return request


def ask_for(desk: Desk, request_id: UUID, missing: Collection[str], text: str, *, version: int) -> RecordRequest:
    """Something is missing: the time stops until it comes. missing: of `identity`, `quality`, `other`.

    Raises NotThere, ChangedMeanwhile, NotAllowed.
    """
    request = lock(one_at(desk, request_id), version)
    request.missing = sorted(missing)
    move(request, states.MISSING, "asked")
    say(request, text, from_staff=True)
    tell(request, "missing")
    record("record_request.asked", request, missing=",".join(request.missing))
    return request


def complete(desk: Desk, request_id: UUID, *, version: int) -> RecordRequest:
    """What was missing came by another way: the time goes on, or begins. Raises NotThere, ChangedMeanwhile,
    NotAllowed."""
    request = lock(one_at(desk, request_id), version)
    if request.state != states.MISSING:
        raise states.NotAllowed(request.state)
    request.missing = []
    move(request, states.HANDLED if request.agent_id else states.RECEIVED, "completed")
    tell(request, "resumed")
    record("record_request.completed", request)
    return request


def change_age(desk: Desk, request_id: UUID, *, is_old: bool, version: int) -> RecordRequest:
    """All of the information is older than five years, or not: another term, from the same day (CSP L1111-7).

    Raises NotThere, ChangedMeanwhile, NotAllowed.
    """
    request = lock(one_at(desk, request_id), version)
    kind = request.definition
    if kind.old_term is None or not request.clock.runs or request.complete_at is None:
        raise states.NotAllowed(request.state)
    request.is_old = is_old
    place = request.establishment
    began_on = calendar.civil_day(request.complete_at, place.tz)
    term = settings.of(place.id).term(kind, is_old=is_old)
    request.due_on = clock.with_term(request.clock, began_on, term, place.holiday_rules).due_on
    note(request, request.state, "older" if is_old else "recent")
    tell(request, "written")
    record("record_request.dated", request, is_old=int(is_old))
    return request


def note_number(desk: Desk, request_id: UUID, number: str, *, version: int) -> RecordRequest:
    """Under which number the hospital knows the person: an agent's own finding, nothing looks it up. Raises NotThere,
    ChangedMeanwhile."""
    request = lock(one_at(desk, request_id), version)
    request.hospital_number = number.strip()
    note(request, request.state, "matched")
    record("record_request.matched", request)
    return request


def refuse(desk: Desk, request_id: UUID, reason: str, text: str, *, version: int) -> RecordRequest:
    """Say no, why, and where to appeal. reason: of `kinds.REFUSALS`. Raises NotThere, ChangedMeanwhile, NotAllowed."""
    request = lock(one_at(desk, request_id), version)
    request.refusal, request.missing = reason, []
    move(request, states.REFUSED, reason)
    say(request, text, from_staff=True)
    request.unread = False
    session.flush()
    tell(request, "answered")
    record("record_request.refused", request, reason=reason)
    return request
