"""A practitioner asks a line to call back; an agent takes the request, calls, and says what came of it."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, cast
from uuid import UUID, uuid4

from sqlalchemy import Table, func, insert, select

from auth.models import Professional
from portal import audit, db, jobs, kpi
from portal.db import session
from services.lines import states
from services.lines.models import Callback, CallbackChange, Line

MOST_OPEN: Final = 10
"""Requests that one practitioner may have open at a time."""
TAKEN_FOR: Final = timedelta(days=1)
"""How long after the end of its use a request that somebody took is left to them."""
_CHANGE = insert(cast(Table, CallbackChange.__table__)).inline()


class AlreadyAsked(Exception):
    """This practitioner waits for a call of this line already."""


class TooMany(Exception):
    """This practitioner waits for too many calls."""


class NotTaken(Exception):
    """The line is closed, or calls nobody back."""


class NotBefore(Exception):
    """The line opens after the moment until which the call is useful; opens_at: None when nobody knows."""

    def __init__(self, opens_at: datetime | None) -> None:
        super().__init__()
        self.opens_at = opens_at


class CallbackOver(Exception):
    """It was answered, withdrawn, or is over."""


@dataclass(frozen=True, repr=False)  # a log line must not name a person
class Asked:
    """What a practitioner asks. number: where to call. useful_until: a moment to come."""

    about: str
    number: str
    useful_until: datetime
    patient_name: str = ""
    patient_born_on: date | None = None


def ask(line: Line, asker: Professional, told: Asked, now: datetime) -> Callback:
    """Ask to be called back. Raises NotTaken, NotBefore, AlreadyAsked, TooMany."""
    if not (line.takes_callbacks and line.is_open and line.removed_at is None):
        raise NotTaken
    hours = line.hours
    if not hours.is_open(now) and ((opens_at := hours.opens_at(now)) is None or opens_at >= told.useful_until):
        raise NotBefore(opens_at)
    _check_few(line, asker)
    made = _asked(line, asker, told, hours.after(now, line.answer_minutes), now)
    session.add(made)
    session.flush()
    _record(made, "", "asked")
    kpi.count("callback_asked", establishment_id=line.establishment_id, unit_id=line.unit_id)
    jobs.enqueue("lines.tell_unit", callback_id=str(made.id))
    return made


def _asked(line: Line, asker: Professional, told: Asked, due_at: datetime, now: datetime) -> Callback:
    return Callback(
        id=uuid4(),
        establishment_id=line.establishment_id,
        unit_id=line.unit_id,
        line_id=line.id,
        professional_id=asker.id,
        professional_name=asker.titled_name,
        professional_rpps=asker.rpps,
        number=told.number,
        about=told.about,
        patient_name=told.patient_name,
        patient_born_on=told.patient_born_on,
        asked_at=now,
        due_at=min(due_at, told.useful_until),
        useful_until=told.useful_until,
    )


def _check_few(line: Line, asker: Professional) -> None:
    rows = session.execute(
        select(Callback.line_id, func.count())
        .where(Callback.professional_id == asker.id, Callback.state.in_(states.OPEN))
        .group_by(Callback.line_id)
    ).all()
    waiting: dict[UUID, int] = dict(rows)  # type: ignore[arg-type]  # a row is a pair
    if line.id in waiting:
        raise AlreadyAsked
    if sum(waiting.values()) >= MOST_OPEN:
        raise TooMany


def withdraw(callback_id: UUID) -> None:
    """The practitioner needs no call any more. Raises CallbackOver."""
    _close(_held(callback_id), states.WITHDRAWN, "withdrawn")


def take(callback_id: UUID) -> Callback:
    """An agent says that they will call; from a colleague too, who sees it. Raises CallbackOver."""
    found = _held(callback_id)
    actor = db.current_actor()
    if found.state == states.TAKEN and found.taken_by == actor.account_id:
        return found
    before = _go_to(found, states.TAKEN)
    found.taken_by, found.taken_by_name, found.taken_at = actor.account_id, actor.name, db.now()
    session.flush()
    _record(found, before, "taken")
    return found


def give_back(callback_id: UUID) -> None:
    """Whoever took it cannot call: somebody else may. Raises CallbackOver."""
    found = _held(callback_id)
    before = _go_to(found, states.ASKED)
    found.taken_by, found.taken_by_name, found.taken_at = None, "", None
    session.flush()
    _record(found, before, "given_back")


def hand_over(callback_id: UUID, line: Line) -> None:
    """The unit closes: a line of another one calls, within the same time. Raises CallbackOver."""
    found = _held(callback_id)
    before, found.state = found.state, states.ASKED
    found.line_id, found.unit_id = line.id, line.unit_id
    found.taken_by, found.taken_by_name, found.taken_at, found.told_at = None, "", None, None
    session.flush()
    _record(found, before, "handed_over")
    jobs.enqueue("lines.tell_unit", callback_id=str(found.id))


def turn_away(callback_id: UUID) -> None:
    """The unit closes and no line takes over: whoever asked is told, and the line says why. Raises CallbackOver."""
    found = _held(callback_id)
    _close(found, states.LAPSED, "turned_away")
    kpi.count("callback_lapsed", establishment_id=found.establishment_id)
    jobs.enqueue("lines.tell_asker", callback_id=str(found.id))


def answer(callback_id: UUID, *, reached: bool) -> None:
    """They were called; reached: whether they picked up. Raises CallbackOver."""
    found = _held(callback_id)
    if found.state == states.ASKED:
        found = take(callback_id)
    if not reached:
        _close(found, states.UNREACHABLE, "unreachable")
        kpi.count("callback_unreachable", establishment_id=found.establishment_id)
        jobs.enqueue("lines.tell_asker", callback_id=str(found.id))
        return
    _close(found, states.DONE, "done")
    minutes = int((db.now() - found.asked_at).total_seconds() // 60)
    on_time = "on_time" if db.now() <= found.due_at else "late"
    kpi.count(
        "callback_answered",
        establishment_id=found.establishment_id,
        quantity=max(minutes, 0),
        dimension=on_time,
        unit_id=found.unit_id,
    )


def open_callback(callback: Callback) -> None:
    """An agent reads what it is about."""
    _look(callback, "opened")


def lapse(callback_id: UUID, now: datetime) -> bool:
    """Nobody calls any more: it is too late to be of use. False when it is not so. Raises nothing."""
    found = _held_or_none(callback_id)
    if found is None or not found.is_open:
        return False
    limit = found.useful_until + (TAKEN_FOR if found.state == states.TAKEN else timedelta(0))
    if limit > now:
        return False
    _close(found, states.LAPSED, "lapsed")
    kpi.count("callback_lapsed", establishment_id=found.establishment_id)
    jobs.enqueue("lines.tell_asker", callback_id=str(found.id))
    return True


def tell_delay(callback_id: UUID, now: datetime) -> bool:
    """Tell, once, whoever is over the line that nobody has called. False when there is nothing to tell."""
    found = _held_or_none(callback_id)
    if found is None or found.state != states.ASKED or found.told_at is not None or found.due_at > now:
        return False
    found.told_at = now
    session.flush()
    _look(found, "delayed")
    jobs.enqueue("lines.tell_head", callback_id=str(found.id))
    return True


def _held_or_none(callback_id: UUID) -> Callback | None:
    query = select(Callback).where(Callback.id == callback_id).with_for_update(key_share=True)
    return session.scalar(query.execution_options(populate_existing=True))


def _held(callback_id: UUID) -> Callback:
    found = _held_or_none(callback_id)
    if found is None or not found.is_open:
        raise CallbackOver
    return found


def _go_to(callback: Callback, state: str) -> str:
    """The state before."""
    try:
        states.check(callback.state, state)
    except states.NotAllowed as refusal:
        raise CallbackOver from refusal
    before, callback.state = callback.state, state
    return before


def _close(callback: Callback, state: str, what: str) -> None:
    before = _go_to(callback, state)
    callback.closed_at = db.now()
    session.flush()
    _record(callback, before, what)


def _record(callback: Callback, before: str, what: str) -> None:
    """One row of history, one line of audit; neither says what it is about."""
    actor = db.current_actor()
    session.execute(
        _CHANGE,
        {
            "id": uuid4(),
            "callback_id": callback.id,
            "establishment_id": callback.establishment_id,
            "professional_id": callback.professional_id,
            "from_state": before,
            "to_state": callback.state,
            "by": actor.label,
            "by_name": actor.name,
            "at": db.now(),
        },
    )
    _look(callback, what)


def _look(callback: Callback, what: str) -> None:
    audit.record(
        f"callback.{what}",
        establishment_id=callback.establishment_id,
        object_kind="callback",
        object_id=callback.id,
    )
