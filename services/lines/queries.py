"""Lines and who answers them now, duties of a week, requests to be called back."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, case, select
from sqlalchemy.orm import contains_eager, joinedload

from portal.db import session
from portal.establishments import Establishment, Practitioner, Unit
from services.directory.folding import key
from services.lines import roster, states
from services.lines.models import Callback, CallbackChange, Duty, FavouriteLine, Line
from services.lines.roster import Moments

_MINE_SHOWN = 20
_CLOSED_SHOWN = 100


@dataclass(frozen=True)
class Shown:
    """A line as a practitioner reads it at a moment. closes_at: when it is open; opens_at: when it will be (None when
    an administrator closed it). duty: who is on duty for it now, first the one to call first."""

    line: Line
    is_open: bool
    closes_at: datetime | None
    opens_at: datetime | None
    duty: Sequence[Duty]
    is_kept: bool = False

    @property
    def is_always(self) -> bool:
        return self.line.hours.is_always


def shown(professional_id: UUID, now: datetime, words: str = "", finess: str = "") -> Sequence[Shown]:
    """Lines that have all these words in what they say, of the group or of one hospital; in the order of specialities,
    those that are open now first."""
    wanted = key(words).split()
    found = [each for each in lines() if (not finess or each.establishment.finess == finess) and _says(each, wanted)]
    kept, duties = favourites(professional_id), on_duty(now, {each.unit_id for each in found})
    listed = [_shown(each, now, duties, is_kept=each.id in kept) for each in found]
    return sorted(listed, key=lambda each: (not each.is_open, key(each.line.speciality), each.line.rank))


def _says(line: Line, wanted: Sequence[str]) -> bool:
    hospital = line.establishment
    said = key(
        " ".join((line.speciality, line.label, line.for_what, line.unit.name, hospital.name, hospital.short_name))
    )
    return all(word in said for word in wanted)


def one_shown(professional_id: UUID, line: Line, now: datetime) -> Shown:
    duties = on_duty(now, {line.unit_id})
    return _shown(line, now, duties, is_kept=line.id in favourites(professional_id))


def _shown(line: Line, now: datetime, duties: Sequence[Duty], *, is_kept: bool) -> Shown:
    start, end = next(line.hours.openings(now), (None, None))
    within = line.is_open and start is not None and start <= now
    opens_at = start if line.is_open and not within else None
    return Shown(line, within, end if within else None, opens_at, duties_of(line, duties), is_kept)


def duties_of(line: Line, duties: Iterable[Duty]) -> Sequence[Duty]:
    """Those of the line; those of its unit when it has none of its own."""
    listed = list(duties)
    own = [each for each in listed if each.line_id == line.id]
    return own or [each for each in listed if each.line_id is None and each.unit_id == line.unit_id]


def lines(establishment_ids: Collection[UUID] | None = None) -> Sequence[Line]:
    """Every line that was not removed, by speciality; of these hospitals."""
    query = (
        select(Line)
        .join(Line.unit)
        .join(Line.establishment)
        .options(contains_eager(Line.unit), contains_eager(Line.establishment), joinedload(Line.alternative))
        .where(Line.removed_at.is_(None))
        .order_by(Establishment.name, Line.speciality, Line.rank, Line.label, Line.id)
    )
    if establishment_ids is not None:
        query = query.where(Line.establishment_id.in_(establishment_ids))
    return session.scalars(query).all()


def line(line_id: UUID, establishment_ids: Collection[UUID] | None = None) -> Line | None:
    """One line that was not removed; of these hospitals."""
    query = (
        select(Line)
        .options(joinedload(Line.unit), joinedload(Line.establishment), joinedload(Line.alternative))
        .where(Line.id == line_id, Line.removed_at.is_(None))
    )
    if establishment_ids is not None:
        query = query.where(Line.establishment_id.in_(establishment_ids))
    return session.scalar(query)


def favourites(professional_id: UUID) -> frozenset[UUID]:
    query = select(FavouriteLine.line_id).where(FavouriteLine.professional_id == professional_id)
    return frozenset(session.scalars(query))


def units_at(establishment_ids: Collection[UUID]) -> Sequence[Unit]:
    """The units of these hospitals, by hospital and name."""
    return session.scalars(
        select(Unit)
        .join(Unit.establishment)
        .options(contains_eager(Unit.establishment))
        .where(Unit.establishment_id.in_(establishment_ids))
        .order_by(Establishment.name, Unit.name, Unit.id)
    ).all()


def lines_of(unit_id: UUID) -> Sequence[Line]:
    query = select(Line).options(joinedload(Line.establishment)).where(Line.unit_id == unit_id)
    return session.scalars(query.where(Line.removed_at.is_(None)).order_by(Line.rank, Line.label, Line.id)).all()


def taking_over(line: Line, unit: Unit | None, *, calls_back: bool = False) -> Line | None:
    """The line of that unit which takes the place of this one: of its speciality first. calls_back: only one that takes
    requests to be called back."""
    if unit is None:
        return None
    query = select(Line).where(Line.unit_id == unit.id, Line.is_open, Line.removed_at.is_(None))
    if calls_back:
        query = query.where(Line.takes_callbacks)
    return session.scalar(query.order_by(Line.speciality != line.speciality, Line.rank, Line.label, Line.id).limit(1))


# -- who is on duty ------------------------------------------------------------------------------------------------


def on_duty(now: datetime, unit_ids: Collection[UUID]) -> Sequence[Duty]:
    """Who is on duty at this moment in these units, those to call first first."""
    return session.scalars(
        select(Duty)
        .where(Duty.unit_id.in_(unit_ids), Duty.from_at <= now, Duty.until_at > now)
        .order_by(case((Duty.role == "first", 0), else_=1), Duty.from_at, Duty.name)
    ).all()


def duties(unit_id: UUID, within: Moments) -> Sequence[Duty]:
    """Those of a unit and of its lines that have a moment within."""
    return session.scalars(
        select(Duty)
        .where(Duty.unit_id == unit_id, Duty.from_at < within[1], Duty.until_at > within[0])
        .order_by(Duty.from_at, case((Duty.role == "first", 0), else_=1), Duty.name, Duty.id)
    ).all()


def duty(duty_id: UUID, establishment_ids: Collection[UUID]) -> Duty | None:
    query = select(Duty).options(joinedload(Duty.unit).joinedload(Unit.establishment), joinedload(Duty.line))
    return session.scalar(query.where(Duty.id == duty_id, Duty.establishment_id.in_(establishment_ids)))


def holes(line: Line, duties: Sequence[Duty], within: Moments) -> Sequence[Moments]:
    """When the line is open and nobody is on duty to answer it first: its own people, or those of its unit."""
    present = [
        (each.from_at, each.until_at) for each in duties if each.role == "first" and each.line_id in (None, line.id)
    ]
    return roster.holes(_until(line, within), present, within)


def _until(line: Line, within: Moments) -> list[Moments]:
    expected = []
    for start, end in line.hours.openings(within[0]):
        if start >= within[1]:
            break
        expected.append((start, end))
    return expected


def practitioner(establishment_id: UUID, rpps: str) -> Practitioner | None:
    """The hospital's practitioner who has this number."""
    if not rpps:
        return None
    return session.scalar(
        select(Practitioner).where(Practitioner.establishment_id == establishment_id, Practitioner.rpps == rpps)
    )


# -- calls back ----------------------------------------------------------------------------------------------------

_WHOLE = (joinedload(Callback.line), joinedload(Callback.unit), joinedload(Callback.establishment))


def mine(professional_id: UUID) -> Sequence[Callback]:
    """What this practitioner asked lately, what is open first."""
    return session.scalars(
        select(Callback)
        .options(*_WHOLE)
        .where(Callback.professional_id == professional_id)
        .order_by(case((Callback.state.in_(states.OPEN), 0), else_=1), Callback.asked_at.desc(), Callback.id)
        .limit(_MINE_SHOWN)
    ).all()


def one_of_mine(professional_id: UUID, callback_id: UUID) -> Callback | None:
    own = (Callback.id == callback_id, Callback.professional_id == professional_id)
    return session.scalar(select(Callback).options(*_WHOLE).where(*own))


def tray(establishment_ids: Collection[UUID], *, closed: bool = False) -> Sequence[Callback]:
    """What waits, what is owed soonest first; or what was closed lately."""
    query = select(Callback).options(*_WHOLE).where(Callback.establishment_id.in_(establishment_ids))
    if closed:
        over = query.where(Callback.state.not_in(states.OPEN)).order_by(Callback.closed_at.desc(), Callback.id)
        return session.scalars(over.limit(_CLOSED_SHOWN)).all()
    taken_last = case((Callback.state == states.ASKED, 0), else_=1)
    return session.scalars(
        query.where(Callback.state.in_(states.OPEN)).order_by(taken_last, Callback.due_at, Callback.id)
    ).all()


def one_at(callback_id: UUID, establishment_ids: Collection[UUID]) -> Callback | None:
    here = (Callback.id == callback_id, Callback.establishment_id.in_(establishment_ids))
    return session.scalar(select(Callback).options(*_WHOLE).where(*here))


def changes(callback: Callback) -> Sequence[CallbackChange]:
    query = select(CallbackChange).where(CallbackChange.callback_id == callback.id)
    return session.scalars(query.order_by(CallbackChange.at, CallbackChange.id)).all()


def waiting_rows(now: datetime) -> Select[UUID, UUID, datetime, bool]:
    """For `auth.digests`: one row for each request that waits for somebody to call."""
    return select(
        Callback.establishment_id,
        Callback.unit_id,
        Callback.asked_at.label("since"),
        (Callback.due_at < now).label("is_late"),
    ).where(Callback.state == states.ASKED)


def for_file(establishment_id: UUID) -> tuple[Mapping[str, Unit], Mapping[tuple[UUID, str], Line]]:
    """What an import needs to know of a hospital: its units by UF, its lines by unit and name."""
    units = session.scalars(select(Unit).where(Unit.establishment_id == establishment_id)).all()
    here = (Line.establishment_id == establishment_id, Line.removed_at.is_(None))
    found = session.scalars(select(Line).where(*here)).all()
    return {each.uf: each for each in units}, {(each.unit_id, key(each.label)): each for each in found}


def imported_within(establishment_id: UUID, unit_ids: Collection[UUID], within: Moments) -> Sequence[Duty]:
    """Duties that files brought to these units and that begin within."""
    return session.scalars(
        select(Duty).where(
            Duty.establishment_id == establishment_id,
            Duty.unit_id.in_(unit_ids),
            Duty.source == "imported",
            Duty.from_at >= within[0],
            Duty.from_at < within[1],
        )
    ).all()
