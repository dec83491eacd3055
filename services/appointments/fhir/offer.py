"""Free times for other systems: what `availability.starts` says, for many reasons and practitioners at once.

Six statements, whatever is asked. Whoever asks is shown what they may take: everybody what patients book online, at
hospitals that open it to all; a machine that books for its hospital what an agent there would see.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, false, or_, select
from sqlalchemy.orm import contains_eager, joinedload

from portal import db
from portal.db import session
from portal.establishments import EstablishmentSetting, Practitioner, Site, Unit
from services.appointments import availability, slots
from services.appointments.models import ConsultationSession, Reason, SessionReason
from services.appointments.offered import open_online
from services.appointments.queries.free_slots import needed
from services.appointments.slots import Slot, Window
from services.offer import specialities

OPEN_TO_ALL = "fhir_open_slots"
"""The hospital's setting: `yes` lets anybody read its free times without a pass."""
MOST_SESSIONS = 4000
_LONGEST = timedelta(hours=15)
_DAY = timedelta(days=1)


class TooMuch(Exception):
    """More sessions lie in that stretch of time than one search reads."""


@dataclass(frozen=True)
class Reader:
    """Who asks: anybody, or a machine of one hospital; acts: it books there as an agent does."""

    establishment_id: UUID | None = None
    acts: bool = False

    def acts_at(self, establishment_id: UUID) -> bool:
        return self.acts and establishment_id == self.establishment_id


@dataclass(frozen=True)
class Wanted:
    """Free times that begin from `since` on and before `until`. An empty choice is any; None of them, nothing."""

    since: datetime
    until: datetime
    rpps: Collection[str] | None = None
    practitioners: Collection[UUID] | None = None
    specialities: Collection[str] | None = None
    reasons: Collection[UUID] | None = None
    schedules: Collection[tuple[UUID, UUID]] | None = None


@dataclass(frozen=True)
class Time:
    """A free time: with whom, for what, when. is_public: patients may take it online."""

    slot: Slot
    reason: Reason
    practitioner: Practitioner
    start_at: datetime
    end_at: datetime
    is_public: bool


def times(reader: Reader, wanted: Wanted) -> list[Time]:
    """Free times in order. Raises TooMuch."""
    who = {each.id: each for each in practitioners(reader, wanted)}
    if not who:
        return []
    rows = session.execute(_sessions(reader, wanted, who).limit(MOST_SESSIONS + 1)).all()
    if len(rows) > MOST_SESSIONS:
        raise TooMuch
    return sorted(
        _expanded(reader, wanted, rows, who),
        key=lambda each: (each.start_at, each.practitioner.family_name, str(each.slot)),
    )


def one(reader: Reader, slot: Slot, reason_id: UUID) -> tuple[Time, bool] | None:
    """A time by its slot, and whether it is free now; None when it is not for this reader to see."""
    at = session.scalar(select(ConsultationSession.start_at).where(ConsultationSession.id == slot.session_id))
    if at is None:
        return None
    wanted = Wanted(at, at + _DAY, reasons=[reason_id])
    who = {each.id: each for each in practitioners(reader, wanted)}
    query = _sessions(reader, wanted, who, only_free=False).where(ConsultationSession.id == slot.session_id)
    row = session.execute(query).one_or_none()
    if row is None or slot.first_cell >= row.n_cells:
        return None
    reason = reasons([reason_id])[reason_id]
    found = _starts(reader, wanted, row, reason, _taken([reason], [row]))
    return _time(row, reason, who[row.practitioner_id], slot.first_cell), bool(found >> slot.first_cell & 1)


def practitioners(reader: Reader, wanted: Wanted) -> Sequence[Practitioner]:
    """Those of the hospitals that this reader sees."""
    query = select(Practitioner).where(or_(*_places(reader, Practitioner.establishment_id)))
    if wanted.rpps is not None:
        query = query.where(Practitioner.rpps.in_(wanted.rpps))
    if wanted.practitioners is not None:
        query = query.where(Practitioner.id.in_(wanted.practitioners))
    if wanted.schedules is not None:
        query = query.where(Practitioner.id.in_([practitioner for practitioner, _unit in wanted.schedules]))
    found = session.scalars(query.order_by(Practitioner.family_name, Practitioner.id)).all()
    if wanted.specialities is None:
        return found
    return [each for each in found if specialities.code_of(each.speciality) in wanted.specialities]


def units(keys: Collection[UUID]) -> Mapping[UUID, Unit]:
    query = select(Unit).where(Unit.id.in_(keys)).options(joinedload(Unit.site), joinedload(Unit.establishment))
    return {each.id: each for each in session.scalars(query)}


def reasons(keys: Collection[UUID]) -> Mapping[UUID, Reason]:
    """With their unit, its site and their hospital."""
    query = (
        select(Reason)
        .join(Reason.unit)
        .join(Unit.establishment)
        .options(
            contains_eager(Reason.unit).options(contains_eager(Unit.establishment), joinedload(Unit.site)),
            joinedload(Reason.establishment),
        )
        .where(Reason.id.in_(keys))
    )
    return {each.id: each for each in session.scalars(query)}


def reason(reader: Reader, reason_id: UUID) -> Reason | None:
    """One that this reader sees."""
    seen = select(Reason.id).where(
        Reason.id == reason_id,
        or_(*_places(reader, Reason.establishment_id)),
        or_(_bookable_by_anybody(), _bookable_here(reader)),
    )
    return reasons([reason_id])[reason_id] if session.scalar(seen) else None


def site(reader: Reader, site_id: UUID) -> Site | None:
    query = select(Site).where(Site.id == site_id, or_(*_places(reader, Site.establishment_id)))
    return session.scalar(query)


def moment(slot: Slot) -> datetime | None:
    """When it begins."""
    opened = session.get(ConsultationSession, slot.session_id)
    return opened.at(slot.first_cell) if opened else None


def _places(reader: Reader, column: Any) -> list[ColumnElement[bool]]:
    open_to_all = select(EstablishmentSetting.establishment_id).where(
        EstablishmentSetting.key == OPEN_TO_ALL, EstablishmentSetting.value == "yes"
    )
    own = [column == reader.establishment_id] if reader.establishment_id else []
    return [column.in_(open_to_all), *own]


# -- sessions ----------------------------------------------------------------------------------------------------


def _sessions(
    reader: Reader, wanted: Wanted, who: Mapping[UUID, Practitioner], *, only_free: bool = True
) -> Select[Any]:
    table = ConsultationSession
    columns: tuple[Any, ...] = (
        table.id,
        table.start_at,
        table.step_min,
        table.n_cells,
        table.free,
        table.for_web,
        table.for_city,
        table.released_at,
        table.practitioner_id,
        SessionReason.reason_id,
        SessionReason.most,
        SessionReason.taken,
    )
    query = (
        select(*columns)
        .join(SessionReason, SessionReason.session_id == table.id)
        .join(Reason, and_(Reason.id == SessionReason.reason_id, Reason.unit_id == table.unit_id))
        .where(
            table.practitioner_id.in_(who),
            table.start_at > wanted.since - _LONGEST,
            table.start_at < wanted.until,
            or_(_bookable_by_anybody(), _bookable_here(reader)),
        )
    )
    if only_free:
        query = query.where(table.free != 0)
    if wanted.reasons is not None:
        query = query.where(Reason.id.in_(wanted.reasons))
    if wanted.schedules is not None:
        pairs = [and_(table.practitioner_id == one, table.unit_id == unit) for one, unit in wanted.schedules]
        query = query.where(or_(false(), *pairs))
    return query


def _bookable_by_anybody() -> ColumnElement[bool]:
    """Reasons that a patient whom nobody knows yet may book alone: a time that only others may take is not free."""
    return and_(open_online(), Reason.open_to_new_patients, ~Reason.by_referral_only)


def _bookable_here(reader: Reader) -> ColumnElement[bool]:
    return (
        and_(Reason.establishment_id == reader.establishment_id, Reason.closed_at.is_(None)) if reader.acts else false()
    )


def _expanded(reader: Reader, wanted: Wanted, rows: Sequence[Any], who: Mapping[UUID, Practitioner]) -> Iterator[Time]:
    if not rows:
        return
    known = reasons({row.reason_id for row in rows})
    taken = _taken(list(known.values()), rows)
    for row in rows:
        reason = known[row.reason_id]
        found = _starts(reader, wanted, row, reason, taken)
        for cell in slots.proposed(found, reason.cells(row.step_min)):
            yield _time(row, reason, who[row.practitioner_id], cell)


def _taken(asked: Sequence[Reason], rows: Sequence[Any]) -> Mapping[UUID, availability.Taken]:
    begins = min(row.start_at for row in rows)
    return needed(asked, begins, max(row.start_at for row in rows) + _LONGEST)


def _starts(reader: Reader, wanted: Wanted, row: Any, reason: Reason, taken: Mapping[UUID, availability.Taken]) -> int:
    is_full = row.most is not None and row.taken >= row.most
    return availability.starts(row, reason, _window(reader, wanted, reason), taken[reason.id], is_full=is_full)


def _window(reader: Reader, wanted: Wanted, reason: Reason) -> Window:
    window = reason.window("phone" if reader.acts_at(reason.establishment_id) else "web", db.now())
    last = wanted.until - timedelta(microseconds=1)
    return replace(window, earliest=max(window.earliest, wanted.since), latest=min(window.latest, last))


def _time(row: Any, reason: Reason, practitioner: Practitioner, cell: int) -> Time:
    step = timedelta(minutes=row.step_min)
    begins = row.start_at + cell * step
    is_public = reason.bookable_online and reason.open_to_new_patients and not reason.by_referral_only
    lasts = slots.cells_for(reason.duration_min, row.step_min) * step
    return Time(Slot(row.id, cell), reason, practitioner, begins, begins + lasts, is_public)
