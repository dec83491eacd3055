"""What the desk reads: the agendas of a unit, its weeks, and what is left to say of past visits."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import reduce
from operator import or_
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.orm import InstrumentedAttribute

from auth.models import Patient, PatientRecord
from portal import calendar, db
from portal.db import session
from portal.establishments import Practitioner, Unit
from services.appointments import availability, states
from services.appointments.desk.agenda import Agenda, Kept, Load, Opened, Visit, free_lines, load_of
from services.appointments.models import Appointment, ConsultationSession, Hold, Reason, SessionReason

LOOKED_BACK = timedelta(days=30)
"""How far back the desk is reminded of visits of which nothing was said."""
_DAY = timedelta(days=1)
_NAMES = (Practitioner.title, Practitioner.given_name, Practitioner.family_name)


@dataclass(frozen=True)
class Span:
    """Days of a unit's calendar, both included, of everybody or of one practitioner."""

    unit: Unit
    first: date
    last: date
    practitioner_id: UUID | None = None

    @property
    def begins(self) -> datetime:
        return datetime.combine(self.first, time(), self.unit.establishment.tz)

    @property
    def ends(self) -> datetime:
        return datetime.combine(self.last + _DAY, time(), self.unit.establishment.tz)

    @property
    def days(self) -> Sequence[date]:
        return [self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1)]

    def day_of(self, at: datetime) -> date:
        """The civil day of a moment, within the span."""
        return min(max(calendar.civil_day(at, self.unit.establishment.tz), self.first), self.last)

    def of_one(self, column: InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
        return column == self.practitioner_id if self.practitioner_id else true()


# -- agendas -----------------------------------------------------------------------------------------------------


def agendas(span: Span) -> list[Agenda]:
    """Who receives, by day and name, with everything in their time."""
    found: dict[tuple[date, UUID], Agenda] = {}
    opened = _sessions(span, found)
    for visit, name, speciality in _visits(span):
        _agenda(found, span.day_of(visit.at), visit.practitioner_id, name, speciality).lines.append(visit)
    for kept in _kept(opened):
        for agenda in (each for key, each in found.items() if key == (span.day_of(kept.at), kept.practitioner_id)):
            agenda.lines.append(kept)
    _add_free_time(span, opened, found)
    for agenda in found.values():
        agenda.sort()
        agenda.mark(db.now())
    return sorted(found.values(), key=lambda each: (each.day, each.name))


def _agenda(
    found: dict[tuple[date, UUID], Agenda], day: date, practitioner_id: UUID, name: str, speciality: str
) -> Agenda:
    key = (day, practitioner_id)
    if key not in found:
        found[key] = Agenda(practitioner_id, name, speciality, day)
    return found[key]


def _sessions(span: Span, found: dict[tuple[date, UUID], Agenda]) -> list[Opened]:
    """The sessions that overlap the span, each in the agenda of every day it has some time of."""
    table = ConsultationSession
    rows = session.execute(
        select(*_SESSION, *_NAMES, Practitioner.speciality)
        .join(Practitioner, Practitioner.id == table.practitioner_id)
        .where(
            table.unit_id == span.unit.id,
            # A session of the evening may last beyond midnight.
            table.local_date.between(span.first - _DAY, span.last),
            span.of_one(table.practitioner_id),
        )
    )
    opened = []
    for *facts, title, given_name, family_name, speciality in rows:
        each = Opened(*facts)
        if each.end_at > span.begins and each.open:
            opened.append(each)
            name = f"{title} {given_name} {family_name}"
            for day in {span.day_of(each.start_at), span.day_of(each.at(each.n_cells - 1))}:
                _agenda(found, day, each.practitioner_id, name, speciality).opened.append((each.start_at, each.end_at))
    return opened


_SESSION = (
    ConsultationSession.id,
    ConsultationSession.practitioner_id,
    ConsultationSession.start_at,
    ConsultationSession.step_min,
    ConsultationSession.n_cells,
    ConsultationSession.open,
    ConsultationSession.free,
    ConsultationSession.capacity,
    ConsultationSession.seats_left,
)
_VISIT = (
    Appointment.id,
    Appointment.session_id,
    Appointment.practitioner_id,
    Appointment.patient_id,
    Appointment.start_at,
    Appointment.end_at,
    Appointment.state,
    Appointment.channel,
    Appointment.beyond,
    Appointment.masked,
    Appointment.arrived_at,
    Appointment.called_at,
    Appointment.missed_because,
    Appointment.first_cell,
    Appointment.reference,
    Reason.name,
    Patient.first_names[1],
    Patient.birth_name,
    Patient.used_name,
    Patient.birth_on,
    Patient.mobile,
    func.coalesce(PatientRecord.ipp, ""),
    Appointment.at_kiosk,
)


def _visits(span: Span) -> Iterator[tuple[Visit, str, str]]:
    """Each appointment of the span, with the name and the speciality of whom it is with."""
    known_here = (PatientRecord.patient_id == Appointment.patient_id) & (
        PatientRecord.establishment_id == Appointment.establishment_id
    )
    rows = session.execute(
        select(*_VISIT, *_NAMES, Practitioner.speciality)
        .join(Reason, Reason.id == Appointment.reason_id)
        .join(Patient, Patient.id == Appointment.patient_id)
        .join(Practitioner, Practitioner.id == Appointment.practitioner_id)
        .outerjoin(PatientRecord, known_here)
        .where(
            Appointment.unit_id == span.unit.id,
            Appointment.start_at >= span.begins,
            Appointment.start_at < span.ends,
            span.of_one(Appointment.practitioner_id),
        )
        .order_by(Appointment.start_at, Appointment.booked_at)
    )
    for *facts, title, given_name, family_name, speciality in rows:
        yield Visit(*facts), f"{title} {given_name} {family_name}", speciality


def _kept(opened: Iterable[Opened]) -> Iterator[Kept]:
    """What is kept for somebody in these sessions now."""
    rows = session.execute(
        select(
            Hold.id,
            Hold.practitioner_id,
            Hold.start_at,
            Hold.end_at,
            Hold.expires_at,
            Hold.purpose,
            Reason.name,
            Patient.first_names[1],
            Patient.birth_name,
        )
        .join(Reason, Reason.id == Hold.reason_id)
        .outerjoin(Patient, Patient.id == Hold.patient_id)
        .where(Hold.session_id.in_([each.id for each in opened]), Hold.expires_at > db.now())
    )
    for hold_id, practitioner_id, at, until, expires_at, purpose, reason, first_name, birth_name in rows:
        name = " ".join(filter(None, (first_name, birth_name)))
        yield Kept(hold_id, practitioner_id, at, until, expires_at, purpose, reason, name)


def _add_free_time(span: Span, opened: Sequence[Opened], found: Mapping[tuple[date, UUID], Agenda]) -> None:
    """Where an appointment for one reason at least may begin, as `availability.starts` says."""
    to_come = [each for each in opened if each.free and each.end_at > db.now()]
    for each, bookable, shortest in _bookable(to_come):
        for line in free_lines(each, bookable, shortest, span.begins, span.ends):
            found[span.day_of(line.at), each.practitioner_id].lines.append(line)


def _bookable(opened: Sequence[Opened]) -> Iterator[tuple[Opened, int, int]]:
    """Each session with some time to book, the bits where it begins, and how many cells the shortest visit fills."""
    if not opened:
        return
    taken_for = _reasons(opened)
    reasons = {reason.id: reason for each in taken_for.values() for reason in each}
    pools = availability.pools_of(list(reasons)) if reasons else {}
    since, until = min(each.start_at for each in opened), max(each.end_at for each in opened)
    taken = availability.taken({pool for each in pools.values() for pool in each}, since, until)
    needed = {reason_id: {pool: taken[pool] for pool in wanted} for reason_id, wanted in pools.items()}
    now = db.now()
    windows = {reason.id: reason.window("phone", now) for reason in reasons.values()}
    for each in opened:
        bits = {
            reason: availability.starts(each, reason, windows[reason.id], needed[reason.id])
            for reason in taken_for.get(each.id, ())
        }
        if bookable := reduce(or_, bits.values(), 0):
            yield each, bookable, min(reason.cells(each.step_min) for reason, found in bits.items() if found)


def _reasons(opened: Iterable[Opened]) -> Mapping[UUID, Sequence[Reason]]:
    """Session → the reasons it takes."""
    rows = session.execute(
        select(Reason, func.array_agg(SessionReason.session_id))
        .join(SessionReason, SessionReason.reason_id == Reason.id)
        .where(SessionReason.session_id.in_([each.id for each in opened]))
        .group_by(Reason.id)
    )
    found: dict[UUID, list[Reason]] = {}
    for reason, sessions in rows:
        for session_id in sessions:
            found.setdefault(session_id, []).append(reason)
    return found


# -- weeks -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Week:
    """How full each practitioner's days are. loads: practitioner → day → load."""

    days: Sequence[date]
    names: Mapping[UUID, str]
    loads: Mapping[UUID, Mapping[date, Load]]

    def of_day(self, day: date) -> Load:
        return sum((each.get(day, Load()) for each in self.loads.values()), Load())

    def of(self, practitioner_id: UUID) -> Load:
        return sum(self.loads[practitioner_id].values(), Load())

    @property
    def whole(self) -> Load:
        return sum((self.of(each) for each in self.loads), Load())


def week(span: Span) -> Week:
    """How full the days of a unit are: counts, not names."""
    found: dict[tuple[date, UUID], Agenda] = {}
    loads: dict[UUID, dict[date, Load]] = {}
    for each in _sessions(span, found):
        days = loads.setdefault(each.practitioner_id, {})
        day = span.day_of(each.start_at)
        days[day] = days.get(day, Load()) + load_of(each)
    names = {agenda.practitioner_id: agenda.name for agenda in found.values()}
    for practitioner_id, day, count, name in _counts(span):
        names.setdefault(practitioner_id, name)
        days = loads.setdefault(practitioner_id, {})
        days[day] = days.get(day, Load()) + Load(visits=count)
    listed = sorted(loads, key=lambda each: names[each])
    return Week(span.days, names, {each: loads[each] for each in listed})


def _counts(span: Span) -> Iterator[tuple[UUID, date, int, str]]:
    """Practitioner, day, how many patients are or were expected, and the practitioner's name."""
    day = _civil_day(span.unit)
    rows = session.execute(
        select(Appointment.practitioner_id, day, func.count(), *_NAMES)
        .join(Practitioner, Practitioner.id == Appointment.practitioner_id)
        .where(
            Appointment.unit_id == span.unit.id,
            Appointment.start_at >= span.begins,
            Appointment.start_at < span.ends,
            Appointment.state != states.CANCELLED,
            span.of_one(Appointment.practitioner_id),
        )
        .group_by(Appointment.practitioner_id, day, *_NAMES)
    )
    for practitioner_id, on, count, *names in rows:
        yield practitioner_id, on, count, " ".join(names)


def _civil_day(unit: Unit) -> ColumnElement[date]:
    """The day of an appointment on the hospital's calendar."""
    return func.date(func.timezone(unit.establishment.time_zone, Appointment.start_at))


# -- what is left to say -----------------------------------------------------------------------------------------


def unanswered(unit: Unit) -> Sequence[tuple[date, int]]:
    """Days of the last month with visits of which nobody said what became, and how many; the oldest first."""
    now, day = db.now(), _civil_day(unit)
    rows = session.execute(
        select(day, func.count())
        .where(
            Appointment.unit_id == unit.id,
            Appointment.start_at > now - LOOKED_BACK,
            Appointment.start_at < now,
            Appointment.end_at <= now,
            Appointment.state.in_((states.BOOKED, states.ARRIVED)),
        )
        .group_by(day)
        .order_by(day)
    )
    return [(on, count) for on, count in rows]
