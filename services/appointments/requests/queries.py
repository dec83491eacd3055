"""What the pages read: whom one may ask, a patient's requests, the tray of a hospital's agents, times to propose."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, case, func, or_, select
from sqlalchemy.orm import contains_eager, joinedload

from portal import db
from portal.db import session
from portal.establishments import Establishment, Unit
from services.appointments import availability, slots
from services.appointments.models import ConsultationSession, Reason, SessionReason
from services.appointments.offered import published
from services.appointments.requests import states
from services.appointments.requests.models import AppointmentRequest, Proposal, RequestChange, RequestMessage
from services.appointments.slots import FreeSlot, Slot, Window
from services.appointments.wishes import Wishes

PAGE_SIZE = 50
KEPT_CLOSED = timedelta(days=90)
"""How long a closed request stays in the tray."""
GROUPS: Mapping[str, tuple[str, ...]] = {
    "to-answer": states.TO_ANSWER,
    "with-patient": states.WITH_PATIENT,
    "closed": states.CLOSED,
}
_LONGEST_SESSION = timedelta(hours=15)
_SESSIONS_READ = 120
TIMES_SHOWN = 60


# -- whom one may ask --------------------------------------------------------------------------------------------


def reasons() -> Sequence[Reason]:
    """Every reason of the units that take requests, by hospital, unit and rank."""
    query = (
        select(Reason)
        .join(Reason.unit)
        .join(Unit.establishment)
        .options(contains_eager(Reason.unit).contains_eager(Unit.establishment))
        .where(Reason.closed_at.is_(None), published(Reason.establishment_id))
        .order_by(Establishment.name, Unit.name, Reason.position, Reason.name)
    )
    return session.scalars(query).all()


# -- a patient's -------------------------------------------------------------------------------------------------


def _requests() -> Select[AppointmentRequest]:
    return select(AppointmentRequest).options(
        joinedload(AppointmentRequest.establishment),
        joinedload(AppointmentRequest.patient),
        joinedload(AppointmentRequest.unit),
        joinedload(AppointmentRequest.reason),
    )


def of_patients(patients: Collection[UUID]) -> Sequence[AppointmentRequest]:
    """Open ones first, then those closed within a year; the latest first."""
    is_open = AppointmentRequest.state.in_(states.OPEN)
    since = db.now() - timedelta(days=365)
    return session.scalars(
        _requests()
        .where(AppointmentRequest.patient_id.in_(patients), or_(is_open, AppointmentRequest.closed_at > since))
        .order_by(is_open.desc(), AppointmentRequest.sent_at.desc())
    ).all()


def one_of_patients(request_id: UUID, patients: Collection[UUID]) -> AppointmentRequest | None:
    return session.scalar(
        _requests().where(AppointmentRequest.id == request_id, AppointmentRequest.patient_id.in_(patients))
    )


def open_one(patients: Collection[UUID], unit_id: UUID, reason_id: UUID | None) -> AppointmentRequest | None:
    """The request under way for the same thing."""
    return session.scalar(
        _requests()
        .where(
            AppointmentRequest.patient_id.in_(patients),
            AppointmentRequest.unit_id == unit_id,
            AppointmentRequest.reason_id.is_not_distinct_from(reason_id),
            AppointmentRequest.state.in_(states.OPEN),
        )
        .limit(1)
    )


def changes(request: AppointmentRequest) -> Sequence[RequestChange]:
    """What happened to it, latest first."""
    query = select(RequestChange).where(RequestChange.request_id == request.id)
    return session.scalars(query.order_by(RequestChange.at.desc())).all()


def messages(request: AppointmentRequest) -> Sequence[RequestMessage]:
    """What was written, in order, with the letters."""
    query = select(RequestMessage).options(joinedload(RequestMessage.file))
    return session.scalars(query.where(RequestMessage.request_id == request.id).order_by(RequestMessage.at)).all()


def message_of(request: AppointmentRequest, message_id: UUID) -> RequestMessage | None:
    return session.scalar(
        select(RequestMessage)
        .options(joinedload(RequestMessage.file))
        .where(RequestMessage.id == message_id, RequestMessage.request_id == request.id)
    )


def proposals(request: AppointmentRequest) -> Sequence[Proposal]:
    """Every time proposed, in order of time; the page shows those without an outcome as still to take."""
    return session.scalars(
        select(Proposal)
        .options(joinedload(Proposal.practitioner), joinedload(Proposal.reason))
        .where(Proposal.request_id == request.id)
        .order_by(Proposal.start_at)
    ).all()


# -- the tray ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sieve:
    """What an agent wants to see. group: of GROUPS; older: sent more than so many days ago."""

    group: str = "to-answer"
    unit_id: UUID | None = None
    mine: UUID | None = None
    older: int = 0


def tray(establishments: Collection[UUID], sieve: Sieve, page: int = 1) -> Sequence[AppointmentRequest]:
    """The oldest first; of closed ones, the last first. One more than a page tells that there is another."""
    is_closed = sieve.group == "closed"
    order = AppointmentRequest.closed_at.desc() if is_closed else AppointmentRequest.sent_at
    query = _requests().where(*_sieved(establishments, sieve), AppointmentRequest.state.in_(GROUPS[sieve.group]))
    if is_closed:
        query = query.where(AppointmentRequest.closed_at > db.now() - KEPT_CLOSED)
    rows = query.order_by(order, AppointmentRequest.id).limit(PAGE_SIZE + 1).offset((page - 1) * PAGE_SIZE)
    return session.scalars(rows).all()


@dataclass(frozen=True)
class Counts:
    """Requests under way, for the units an agent looks at. mine: those the agent took."""

    to_answer: int
    late: int
    with_patient: int
    mine: int


def counts(establishments: Collection[UUID], sieve: Sieve, account_id: UUID | None) -> Counts:
    """Whatever the group looked at."""
    table = AppointmentRequest
    to_answer = table.state.in_(states.TO_ANSWER)
    row = session.execute(
        select(
            _number(to_answer),
            _number(to_answer & (table.due_at < db.now())),
            _number(table.state.in_(states.WITH_PATIENT)),
            _number(table.assigned_to == account_id),
        ).where(*_sieved(establishments, Sieve(unit_id=sieve.unit_id)), table.state.in_(states.OPEN))
    ).one()
    return Counts(*row)


def _number(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count(case((condition, 1)))


def _sieved(establishments: Collection[UUID], sieve: Sieve) -> Iterator[ColumnElement[bool]]:
    table = AppointmentRequest
    yield table.establishment_id.in_(establishments)
    if sieve.unit_id:
        yield table.unit_id == sieve.unit_id
    if sieve.mine:
        yield table.assigned_to == sieve.mine
    if sieve.older:
        yield table.sent_at < db.now() - timedelta(days=sieve.older)


def one_at(request_id: UUID, establishments: Collection[UUID]) -> AppointmentRequest | None:
    return session.scalar(
        _requests().where(AppointmentRequest.id == request_id, AppointmentRequest.establishment_id.in_(establishments))
    )


def reasons_of(unit: Unit) -> Sequence[Reason]:
    """What a unit receives for, open online or not."""
    query = select(Reason).where(Reason.unit_id == unit.id, Reason.closed_at.is_(None))
    return session.scalars(query.order_by(Reason.position, Reason.name)).all()


# -- times to propose --------------------------------------------------------------------------------------------


def times(reason: Reason, window: Window, wishes: Wishes) -> Sequence[FreeSlot]:
    """The next free times that suit, as agents see them, in order."""
    rows = session.execute(_sessions(reason, window)).all()
    if not rows:
        return []
    ends = max(opened.at(opened.n_cells) for opened, _takes in rows)
    needed = availability.taken(availability.pools_of([reason.id])[reason.id], rows[0][0].start_at, ends)
    tz = reason.establishment.tz
    found = [
        FreeSlot(
            Slot(opened.id, cell), opened.at(cell), f"{opened.practitioner.title} {opened.practitioner.family_name}"
        )
        for opened, takes in rows
        for cell in _cells(opened, takes, reason, window, needed)
        if wishes.suit(opened.at(cell), tz)
    ]
    return sorted(found, key=lambda each: (each.at, each.practitioner))[:TIMES_SHOWN]


def _cells(
    opened: ConsultationSession, takes: SessionReason, reason: Reason, window: Window, needed: availability.Taken
) -> Iterator[int]:
    found = availability.starts(opened, reason, window, needed, is_full=takes.is_full)
    return slots.proposed(found, reason.cells(opened.step_min))


def _sessions(reason: Reason, window: Window) -> Select[ConsultationSession, SessionReason]:
    table = ConsultationSession
    return (
        select(table, SessionReason)
        .join(SessionReason, SessionReason.session_id == table.id)
        .options(joinedload(table.practitioner))
        .where(
            SessionReason.reason_id == reason.id,
            table.free != 0,
            table.start_at > window.earliest - _LONGEST_SESSION,
            table.start_at <= window.latest,
        )
        .order_by(table.start_at)
        .limit(_SESSIONS_READ)
    )
