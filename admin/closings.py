"""Units that have closed: what is still open there passes to another unit, or goes back to whoever sent it.

Looked for every hour, after the last day in the hospital's civil time: what came meanwhile is found the next hour, and
what passed already is not there any more, so that a job that runs twice does nothing the second time.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import InstrumentedAttribute, joinedload

from portal import calendar, db, jobs
from portal.db import session
from portal.establishments import Unit, UnitClosing
from services.appointments.models import Reason
from services.appointments.requests import actions as requests
from services.appointments.requests import states as request_states
from services.appointments.requests.actions import RequestOver
from services.appointments.requests.models import AppointmentRequest
from services.appointments.waiting import actions as waiting
from services.appointments.waiting import states as waiting_states
from services.appointments.waiting.actions import AlreadyWaiting, EntryClosed
from services.appointments.waiting.models import WaitingEntry
from services.documents.exchanges import actions as exchanges
from services.documents.exchanges.models import Exchange
from services.documents.states import NotPossibleNow as ExchangeOver
from services.lines import actions as lines
from services.lines import queries as line_queries
from services.lines import states as line_states
from services.lines.actions import CallbackOver
from services.lines.models import Callback, Line
from services.preadmission import actions as files
from services.preadmission.models import OPEN_STATES, THE_HOSPITALS, Preadmission
from services.preadmission.states import TransitionRefused as FileOver
from services.questionnaires import actions as questionnaires
from services.questionnaires import states as questionnaire_states
from services.questionnaires.actions import WindowClosed
from services.questionnaires.models import SentQuestionnaire
from services.referrals import states as referral_states
from services.referrals.actions import answering
from services.referrals.actions.answering import NoSuchOffer
from services.referrals.models import ReferralTarget
from services.referrals.states import NotPossibleNow as ReferralOver

log = structlog.get_logger(__name__)

_OVER: Final = (RequestOver, EntryClosed, ExchangeOver, ReferralOver, FileOver, CallbackOver, WindowClosed)
"""Whoever was quicker has seen to it."""
_AT_ONCE: Final = 1000
"""Of each kind, an hour: what is left comes with the next."""


@dataclass(frozen=True)
class Closed:
    """A unit that has closed. heir: the unit that takes over, None for nobody. message: see `UnitClosing`."""

    unit_id: UUID
    heir: Unit | None
    message: str


@jobs.periodic("17 * * * *", "hospitals.hand_over")
def hand_over() -> None:
    """Hand over, or give back, what is open in units whose last day is over: a transaction each."""
    with db.transaction(db.system("hospitals.hand_over")):
        work = [(*each, each[2].heir.id if each[2].heir else None) for each in _work()]
    for model, item_id, closed, heir_id in work:
        _hand_over(model, item_id, closed, heir_id)


def _hand_over(model: type[Any], item_id: UUID, closed: Closed, heir_id: UUID | None) -> None:
    """One that breaks does not keep the others: it is told in the log, and tried again the next hour. heir_id: a
    transaction that was undone would leave the next one a unit that is of no session."""
    try:
        with suppress(*_OVER), db.transaction(db.system("hospitals.hand_over")) as current:
            heir = current.get_one(Unit, heir_id) if heir_id else None
            _ACTS[model](current.get_one(model, item_id), replace(closed, heir=heir))
    except Exception as error:  # whatever its room raised
        if isinstance(error, PoolTimeout) or (isinstance(error, DBAPIError) and _is_away(error)):
            raise
        log.error("hospitals.not_handed_over", kind=model.__tablename__, id=str(item_id), exc_info=error)


def _is_away(error: DBAPIError) -> bool:
    """Whether no server answered: each of the others would wait for it in its turn."""
    return getattr(error.orig, "sqlstate", None) is None


def _work() -> Iterator[tuple[type[Any], UUID, Closed]]:
    gone = closed_units()
    if not gone:
        return
    for model, still_open in _OPEN.items():
        unit_id: InstrumentedAttribute[UUID] = model.unit_id
        query = select(model.id, unit_id).where(unit_id.in_(gone), still_open).order_by(model.id).limit(_AT_ONCE)
        yield from ((model, item_id, gone[of_unit]) for item_id, of_unit in session.execute(query))


def closed_units() -> Mapping[UUID, Closed]:
    """Units whose last day is over, with what was chosen for it. One statement."""
    with_place = joinedload(UnitClosing.unit).joinedload(Unit.establishment)
    chosen = session.scalars(select(UnitClosing).options(with_place, joinedload(UnitClosing.heir))).all()
    over = {each.unit_id: each for each in chosen if _is_over(each.unit)}
    return {key: Closed(key, _heir(each, over), each.message) for key, each in over.items()}


def _is_over(unit: Unit) -> bool:
    return unit.closes_on is not None and unit.closes_on < calendar.civil_day(db.now(), unit.establishment.tz)


def _heir(chosen: UnitClosing, over: Mapping[UUID, UnitClosing]) -> Unit | None:
    """Who takes over; when that unit has closed too, whoever takes over from it."""
    seen = {chosen.unit_id}
    while chosen.heir_id is not None and (next_one := over.get(chosen.heir_id)) is not None:
        if next_one.unit_id in seen:
            return None
        seen.add(next_one.unit_id)
        chosen = next_one
    return chosen.heir


# -- one thing at a time -----------------------------------------------------------------------------------------


def _referral(target: ReferralTarget, closed: Closed) -> None:
    if closed.heir is not None:
        with suppress(NoSuchOffer):
            return answering.hand_over(target, closed.heir)
    return answering.refuse(target, "closed", closed.message)


def _request(request: AppointmentRequest, closed: Closed) -> None:
    if closed.heir is not None:
        return requests.transfer(request, closed.heir)
    return requests.refuse(request, "unit_closed", closed.message)


def _waiting(entry: WaitingEntry, closed: Closed) -> None:
    """Whoever waits for an earlier time than a visit there has that visit placed again instead."""
    same = _same_reason(entry, closed.heir) if closed.heir and entry.appointment_id is None else None
    if same is not None:
        with suppress(AlreadyWaiting):
            return waiting.hand_over(entry, same)
    return waiting.close(entry, "unit_closed")


def _same_reason(entry: WaitingEntry, heir: Unit) -> Reason | None:
    """What the heir gives under the same name."""
    named = func.lower(Reason.name) == entry.reason.name.lower()
    query = select(Reason).where(Reason.unit_id == heir.id, Reason.closed_at.is_(None), named)
    return session.scalar(query.order_by(Reason.position, Reason.id).limit(1))


def _exchange(exchange: Exchange, closed: Closed) -> None:
    if closed.heir is not None:
        return exchanges.hand_to_unit(exchange, closed.heir)
    return exchanges.give_back(exchange, closed.message)


def _stay(file: Preadmission, closed: Closed) -> None:
    """Told of the unit that expects them, or given their file back: the stay itself is not cancelled here."""
    if closed.heir is not None:
        return files.hand_over(file, closed.heir)
    if file.origin in THE_HOSPITALS:  # whoever took over has closed too: it waits for what the hospital says
        return None
    return files.give_back(file, closed.message)


def _later_stays() -> ColumnElement[bool]:
    """Files of stays after the last day. Those of stays that the hospital planned itself go where somebody takes over;
    otherwise they wait for what the hospital says."""
    last_on = select(Unit.closes_on).where(Unit.id == Preadmission.unit_id).scalar_subquery()
    ours = or_(Preadmission.origin.not_in(THE_HOSPITALS), _is_taken_over(Preadmission.unit_id))
    return Preadmission.state.in_(OPEN_STATES) & (Preadmission.planned_on > last_on) & ours


def _is_taken_over(unit_id: InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
    return exists().where(UnitClosing.unit_id == unit_id, UnitClosing.heir_id.is_not(None))


def _questionnaire(sent: SentQuestionnaire, closed: Closed) -> None:
    """An alert that nobody has seen to stays where it is, before whoever may read it, when no unit takes over."""
    if closed.heir is not None:
        return questionnaires.hand_over(sent, closed.heir)
    return questionnaires.give_back(sent)


def _unanswered() -> ColumnElement[bool]:
    sent = SentQuestionnaire
    is_alert = (sent.alert == questionnaire_states.ALERT_OPEN) & _is_taken_over(sent.unit_id)
    return sent.state.in_(questionnaire_states.OPEN) | is_alert


def _line(line: Line, closed: Closed) -> None:
    """Nobody answers it any more: it says why, and which line to call instead."""
    lines.close_line(line, closed.message, instead=line_queries.taking_over(line, closed.heir))


def _callback(callback: Callback, closed: Closed) -> None:
    line = line_queries.taking_over(callback.line, closed.heir, calls_back=True)
    if line is not None:
        return lines.hand_over(callback.id, line)
    return lines.turn_away(callback.id)


_OPEN: Final[Mapping[type[Any], ColumnElement[bool]]] = {
    ReferralTarget: ReferralTarget.state.in_(referral_states.OPEN),
    AppointmentRequest: AppointmentRequest.state.in_(request_states.OPEN),
    WaitingEntry: WaitingEntry.state == waiting_states.WAITING,
    Exchange: Exchange.state != "closed",
    Preadmission: _later_stays(),
    SentQuestionnaire: _unanswered(),
    Line: Line.is_open & Line.removed_at.is_(None),
    Callback: Callback.state.in_(line_states.OPEN),
}
_ACTS: Final[Mapping[type[Any], Callable[[Any, Closed], None]]] = {
    ReferralTarget: _referral,
    AppointmentRequest: _request,
    WaitingEntry: _waiting,
    Exchange: _exchange,
    Preadmission: _stay,
    SentQuestionnaire: _questionnaire,
    Line: _line,
    Callback: _callback,
}
