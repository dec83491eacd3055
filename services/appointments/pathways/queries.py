"""Pathways on offer, the days or series that are free for one, and the visits that were booked together."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, select
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from portal import calendar, db
from portal.db import session
from portal.establishments import Establishment, Unit
from services.appointments.availability import Taken
from services.appointments.models import Appointment, ConsultationSession, Reason, SessionReason
from services.appointments.offered import published
from services.appointments.pathways import fitting
from services.appointments.pathways.models import DAY, Pathway, PathwayStep
from services.appointments.queries import free_slots
from services.appointments.queries.choices import busy
from services.appointments.queries.free_slots import Asking, Offer
from services.appointments.slots import Slot, Window

DAYS_PROPOSED = 6
WAYS_A_DAY = 2
_PAGES = 12


@dataclass(frozen=True)
class Visit:
    """A free time of one step."""

    offer: Offer

    @property
    def at(self) -> datetime:
        return self.offer.at

    @property
    def until(self) -> datetime:
        return self.offer.at + timedelta(minutes=self.offer.reason.duration_min)


Way = tuple[Visit, ...]


@dataclass(frozen=True)
class Ways:
    """Ways to come, by day. next_day: where to look for later ones, None when there is nothing more."""

    days: Mapping[date, Sequence[Way]]
    next_day: date | None


def on_offer(finess: str = "") -> Sequence[Pathway]:
    """Pathways that patients may book online, by hospital, unit and name; of one hospital when its number is given."""
    query = _pathways().where(_is_on_offer())
    query = query.order_by(Establishment.name, Unit.name, Pathway.name)
    return session.scalars(query.where(Establishment.finess == finess) if finess else query).unique().all()


def one_on_offer(pathway_id: UUID) -> Pathway | None:
    query = _pathways().where(Pathway.id == pathway_id, _is_on_offer())
    return session.scalars(query).unique().one_or_none()


def _is_on_offer() -> ColumnElement[bool]:
    return and_(Pathway.bookable_online, Pathway.closed_at.is_(None), published(Pathway.establishment_id))


def at(establishments: Collection[UUID]) -> Sequence[Pathway]:
    """Every pathway of these hospitals, for their agents: open ones first."""
    query = _pathways().where(Pathway.establishment_id.in_(establishments))
    rows = session.scalars(query.order_by(Establishment.name, Unit.name, Pathway.name)).unique().all()
    return sorted(rows, key=lambda each: each.closed_at is not None)


def one_at(pathway_id: UUID, establishments: Collection[UUID]) -> Pathway | None:
    query = _pathways().where(Pathway.id == pathway_id, Pathway.establishment_id.in_(establishments))
    return session.scalars(query).unique().one_or_none()


def _pathways() -> Select[Pathway]:
    reason = selectinload(Pathway.steps).joinedload(PathwayStep.reason)
    return (
        select(Pathway)
        .join(Pathway.unit)
        .join(Unit.establishment)
        .options(
            contains_eager(Pathway.unit).options(contains_eager(Unit.establishment), joinedload(Unit.site)),
            contains_eager(Pathway.unit).contains_eager(Unit.establishment),
            reason.joinedload(Reason.unit).options(joinedload(Unit.establishment), joinedload(Unit.site)),
        )
    )


# -- what is free ------------------------------------------------------------------------------------------------


def ways(pathway: Pathway, channel: str, first_day: date, patient_id: UUID | None = None) -> Ways:
    """The next days when every visit can take place, from a day of the hospital's calendar, and when this patient is
    not elsewhere; a series is named by its first visit."""
    windows = _windows(pathway, channel)
    taken = _elsewhere(windows, patient_id)
    if pathway.kind != DAY:
        asking = Asking(windows, [pathway.reasons[0]], busy=taken, whoever=True)
        page = free_slots.next_times(asking, first_day)
        return Ways(
            {day: [(Visit(each),) for each in offers] for day, offers in page.days.items()},
            page.next_day,
        )
    return _days(pathway, Asking(windows, _different(pathway.reasons), busy=taken), first_day)


def _windows(pathway: Pathway, channel: str) -> Mapping[UUID, Window]:
    now = db.now()
    return {each.id: each.window(channel, now) for each in pathway.reasons}


def _elsewhere(windows: Mapping[UUID, Window], patient_id: UUID | None) -> Taken:
    if patient_id is None:
        return {}
    since = min(each.earliest for each in windows.values())
    return busy(patient_id, since, max(each.latest for each in windows.values()))


def _days(pathway: Pathway, asking: Asking, first_day: date) -> Ways:
    gaps = timedelta(minutes=pathway.min_gap_min), timedelta(minutes=pathway.max_gap_min)
    found: dict[date, Sequence[Way]] = {}
    begin: date | None = first_day
    for _page in range(_PAGES):
        if begin is None or len(found) >= DAYS_PROPOSED:
            break
        page = free_slots.next_times(asking, begin)
        for day, offers in page.days.items():
            steps = [[Visit(each) for each in offers if each.reason.id == reason.id] for reason in pathway.reasons]
            if fits := fitting.apart(fitting.chains(steps, *gaps), WAYS_A_DAY):
                found[day] = fits
        begin = page.next_day
    listed = sorted(found)[:DAYS_PROPOSED]
    later = next((day for day in sorted(found) if day > listed[-1]), begin) if listed else None
    return Ways({day: found[day] for day in listed}, later)


def _different(reasons: Sequence[Reason]) -> list[Reason]:
    return list({each.id: each for each in reasons}.values())


def series(pathway: Pathway, first: Slot, channel: str, patient_id: UUID | None = None) -> list[Visit | datetime]:
    """The visits of a series that begins with this time: each as near as can be to the same hour of its day; where
    nothing is free, the moment that was looked for. Empty when the first one is not free."""
    reason, windows = pathway.reasons[0], _windows(pathway, channel)
    start = _moment(first)
    if start is None:
        return []
    asking = Asking(windows, [reason], busy=_elsewhere(windows, patient_id))
    tz = pathway.establishment.tz
    wanted = [start, *(_later(start, tz, pathway.every_days * n) for n in range(1, pathway.times))]
    within = timedelta(days=pathway.tolerance_days, hours=12)
    span = asking.between(start, wanted[-1] + within)
    free = [Visit(each) for each in free_slots.all_times(span)]
    begun = next((each for each in free if each.offer.slot == first), None)
    return [] if begun is None else [begun, *_following(free, begun, wanted[1:], within)]


def _following(
    free: Sequence[Visit], begun: Visit, wanted: Sequence[datetime], within: timedelta
) -> Iterator[Visit | datetime]:
    before = begun
    for moment in wanted:
        later = [each for each in free if each.at >= before.until]
        found = fitting.closest(later, moment, within)
        if found is not None:
            before = found
        yield found or moment


def _later(start: datetime, tz: ZoneInfo, days: int) -> datetime:
    """The same hour on the hospital's clock so many days later."""
    local = start.astimezone(tz)
    day = local.date() + timedelta(days=days)
    return calendar.to_utc(day, local.time(), tz) or calendar.to_utc(day, time(12), tz) or start


def _moment(slot: Slot) -> datetime | None:
    opened = session.get(ConsultationSession, slot.session_id)
    return opened.at(slot.first_cell) if opened else None


def chosen(pathway: Pathway, slots: Sequence[Slot]) -> list[Visit] | None:
    """These times as visits of the pathway, one a step in order (of a series: as many as there are); None when they
    do not make one."""
    reasons = pathway.reasons if pathway.kind == DAY else pathway.reasons * len(slots)
    if not 1 <= len(slots) == len(reasons) or len(slots) > pathway.visits:
        return None
    rows = session.execute(
        select(ConsultationSession, SessionReason.reason_id)
        .join(SessionReason, SessionReason.session_id == ConsultationSession.id)
        .options(joinedload(ConsultationSession.practitioner))
        .where(ConsultationSession.id.in_([each.session_id for each in slots]))
    )
    opened = {(one.id, reason_id): one for one, reason_id in rows}
    pairs = zip(slots, reasons, strict=True)
    found = [_visit(opened.get((slot.session_id, reason.id)), slot, reason) for slot, reason in pairs]
    visits = [each for each in found if each is not None]
    return visits if len(visits) == len(slots) and _hold_together(pathway, visits) else None


def _visit(opened: ConsultationSession | None, slot: Slot, reason: Reason) -> Visit | None:
    if opened is None or slot.first_cell >= opened.n_cells:
        return None
    who = opened.practitioner
    name = f"{who.title} {who.family_name}"
    return Visit(Offer(slot, opened.at(slot.first_cell), name, reason, reason.unit.establishment.tz))


def _hold_together(pathway: Pathway, visits: Sequence[Visit]) -> bool:
    """Whether the times follow one another as the hospital asks: what a page sent back may have been altered."""
    pairs = list(pairwise(visits))
    if pathway.kind != DAY:
        return all(after.at >= before.until for before, after in pairs)
    least, most = timedelta(minutes=pathway.min_gap_min), timedelta(minutes=pathway.max_gap_min)
    return all(before.until + least <= after.at <= before.until + most for before, after in pairs)


# -- what was booked together ------------------------------------------------------------------------------------


def of_chain(chain_id: UUID, patients: Collection[UUID]) -> Sequence[Appointment]:
    """Visits of these people that were booked together, in order of time."""
    query = _booked(chain_id).where(Appointment.patient_id.in_(patients))
    return session.scalars(query).all()


def of_chain_at(chain_id: UUID, establishments: Collection[UUID]) -> Sequence[Appointment]:
    query = _booked(chain_id).where(Appointment.establishment_id.in_(establishments))
    return session.scalars(query).all()


def _booked(chain_id: UUID) -> Select[Appointment]:
    return (
        select(Appointment)
        .where(Appointment.chain_id == chain_id)
        .options(
            joinedload(Appointment.establishment),
            joinedload(Appointment.patient),
            joinedload(Appointment.site),
            joinedload(Appointment.unit),
            joinedload(Appointment.practitioner),
            joinedload(Appointment.reason),
        )
        .order_by(Appointment.start_at)
    )
