"""What the pages read: reasons and free slots for everybody, appointments for a patient or for a hospital's agents."""

import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, exists, func, literal_column, or_, select
from sqlalchemy.orm import contains_eager, joinedload

from auth.models import Patient, PatientRecord
from portal import calendar, db
from portal.db import session
from portal.establishments import Establishment, Practitioner, Unit
from services.appointments import availability, slots, states
from services.appointments.availability import Taken
from services.appointments.models import (
    Appointment,
    AppointmentChange,
    ConsultationSession,
    Reason,
    SessionReason,
    open_online,
)
from services.appointments.slots import FreeSlot, Slot, Window

DAYS_A_PAGE = 5
ALTERNATIVES = 6


@dataclass(frozen=True)
class SlotPage:
    """Days that have free times, in the hospital's calendar. next_day: where the following page begins, if any."""

    days: dict[date, list[FreeSlot]]
    next_day: date | None


# -- reasons -----------------------------------------------------------------------------------------------------


def online_reasons(finess: str = "", wanted: str = "") -> Sequence[Reason]:
    """Reasons that may be booked online, by hospital, unit and rank: of one hospital when its number is given, and
    whose unit or name holds every word wanted."""
    query = _online().order_by(Establishment.name, Unit.name, Reason.position, Reason.name)
    rows = session.scalars(query.where(Establishment.finess == finess) if finess else query).all()
    words = [_letters(word) for word in wanted.split()]
    return [each for each in rows if all(word in _letters(f"{each.unit.name} {each.name}") for word in words)]


def online_reason(reason_id: UUID) -> Reason | None:
    return session.scalar(_online().where(Reason.id == reason_id))


def _online() -> Select[Reason]:
    return _reasons().where(open_online())


def _reasons() -> Select[Reason]:
    return (
        select(Reason)
        .join(Reason.unit)
        .join(Unit.establishment)
        .options(
            contains_eager(Reason.unit).options(contains_eager(Unit.establishment), joinedload(Unit.site)),
        )
    )


def reasons_at(establishments: Collection[UUID]) -> Sequence[Reason]:
    """Every reason of these hospitals, for their agents."""
    query = _reasons().where(Reason.establishment_id.in_(establishments))
    return session.scalars(query.order_by(Establishment.name, Unit.name, Reason.position, Reason.name)).all()


def practitioners_for(reason: Reason) -> Sequence[Practitioner]:
    """Who receives for this reason from now on, by name."""
    query = (
        select(Practitioner)
        .join(ConsultationSession, ConsultationSession.practitioner_id == Practitioner.id)
        .join(SessionReason, SessionReason.session_id == ConsultationSession.id)
        .where(SessionReason.reason_id == reason.id, ConsultationSession.start_at > db.now())
        .distinct()
    )
    return sorted(session.scalars(query), key=lambda each: (each.family_name, each.given_name))


# -- free slots --------------------------------------------------------------------------------------------------


def open_slots(reason: Reason, window: Window, first_day: date, practitioner_id: UUID | None = None) -> SlotPage:
    """The next days with free times for a reason, from a day of the hospital's calendar."""
    tz = reason.unit.establishment.tz
    since = calendar.to_utc(first_day, time(), tz) or window.earliest
    within = replace(window, earliest=max(window.earliest, since))
    dates = session.scalars(
        _fitting(reason, within, practitioner_id)
        .with_only_columns(ConsultationSession.local_date)
        .distinct()
        .order_by(ConsultationSession.local_date)
        # A day whose last hours have passed may give no time at all: one spare, and one to know what follows.
        .limit(DAYS_A_PAGE + 2)
    ).all()
    if not dates:
        return SlotPage({}, None)
    return _page(_times(reason, within, practitioner_id, dates), dates, tz)


def _page(found: Iterable[FreeSlot], dates: Sequence[date], tz: ZoneInfo) -> SlotPage:
    days: dict[date, list[FreeSlot]] = {}
    for each in found:
        days.setdefault(calendar.civil_day(each.at, tz), []).append(each)
    shown = sorted(days)[:DAYS_A_PAGE]
    following = sorted(day for day in {*dates, *days} if shown and day > shown[-1])
    return SlotPage({day: days[day] for day in shown}, following[0] if following else None)


def _times(reason: Reason, within: Window, practitioner_id: UUID | None, dates: Sequence[date]) -> Sequence[FreeSlot]:
    query = _fitting(reason, within, practitioner_id).where(ConsultationSession.local_date.in_(dates))
    return _expanded(session.execute(query), reason, within)


def nearest(reason: Reason, window: Window, wanted: datetime) -> Sequence[FreeSlot]:
    """The free times closest to the one that was wanted, in order of time."""
    around = timedelta(days=14)
    close = replace(window, earliest=max(window.earliest, wanted - around), latest=min(window.latest, wanted + around))
    found = _expanded(session.execute(_fitting(reason, close, None)), reason, close)
    if not found:
        soonest = _fitting(reason, window, None).order_by(ConsultationSession.start_at).limit(ALTERNATIVES)
        found = _expanded(session.execute(soonest), reason, window)
    closest = sorted(found, key=lambda each: abs(each.at - wanted))[:ALTERNATIVES]
    return sorted(closest, key=lambda each: each.at)


@dataclass(frozen=True)
class Choice:
    """A time somebody chose for a reason, free or not."""

    reason: Reason
    opened: ConsultationSession
    slot: Slot
    takes: SessionReason

    @property
    def at(self) -> datetime:
        return self.opened.at(self.slot.first_cell)

    @property
    def end_at(self) -> datetime:
        return self.opened.at(self.slot.first_cell + self._count)

    @property
    def is_free(self) -> bool:
        """Whether a patient may book it now: the same answer as the list's and the booking's."""
        opened, window = self.opened, self.reason.window("web", db.now())
        needed = _needed(self.reason, opened.start_at, opened.at(opened.n_cells))
        found = availability.starts(opened, self.reason, window, needed, is_full=self.takes.is_full)
        return bool(found >> self.slot.first_cell & 1)

    @property
    def _count(self) -> int:
        return slots.cells_for(self.reason.duration_min, self.opened.step_min)


def choice(reason_id: UUID, slot: Slot) -> Choice | None:
    """None when the reason is not open online, or the session does not take it or is shorter."""
    row = session.execute(
        _online()
        .add_columns(ConsultationSession, SessionReason)
        .join(SessionReason, SessionReason.reason_id == Reason.id)
        .join(ConsultationSession, ConsultationSession.id == SessionReason.session_id)
        .where(
            Reason.id == reason_id,
            ConsultationSession.id == slot.session_id,
            ConsultationSession.n_cells > slot.first_cell,
        )
        .options(joinedload(ConsultationSession.practitioner))
        .execution_options(populate_existing=True)
    ).one_or_none()
    return Choice(row[0], row[1], slot, row[2]) if row else None


def _fitting(reason: Reason, within: Window, practitioner_id: UUID | None) -> Select[Any]:
    """Sessions that begin within reach and have enough free cells in a row; the day's bits are expanded in Python."""
    table = ConsultationSession
    day = timedelta(days=1)
    query = (
        select(
            table.id,
            table.start_at,
            table.step_min,
            table.n_cells,
            table.free,
            table.for_web,
            table.for_city,
            table.released_at,
            func.concat_ws(" ", Practitioner.title, Practitioner.family_name).label("name"),
        )
        .join(SessionReason, SessionReason.session_id == table.id)
        .join(Practitioner, Practitioner.id == table.practitioner_id)
        .where(
            SessionReason.reason_id == reason.id,
            table.unit_id == reason.unit_id,
            table.free != 0,
            _has_room(reason),
            table.local_date.between(within.earliest.date() - day, within.latest.date() + day),
            # A session lasts fifteen hours at most.
            table.start_at > within.earliest - timedelta(hours=15),
            table.start_at <= within.latest,
        )
    )
    if within.channel != "phone":
        query = query.where(SessionReason.most.is_(None) | (SessionReason.taken < SessionReason.most))
    return query.where(table.practitioner_id == practitioner_id) if practitioner_id else query


def _has_room(reason: Reason) -> ColumnElement[bool]:
    """Enough free cells in a row, for the step of each session."""
    counts = {step: reason.cells(step) for step in slots.STEPS_MIN}
    return or_(
        *(
            and_(ConsultationSession.step_min == step, _starts(count) != 0)
            for step, count in counts.items()
            if count <= slots.MAX_CELLS
        )
    )


def _starts(count: int) -> ColumnElement[int]:
    """What slots.starts computes, in the database. (A literal: PostgreSQL shifts a bigint by an integer only.)"""
    found: ColumnElement[int] = ConsultationSession.free.expression
    for shift in range(1, count):
        found = found.op("&")(ConsultationSession.free.op(">>")(literal_column(str(shift))))
    return found


def _expanded(rows: Iterable[Any], reason: Reason, within: Window) -> list[FreeSlot]:
    opened = list(rows)
    if not opened:
        return []
    ends = max(row.start_at + timedelta(minutes=row.n_cells * row.step_min) for row in opened)
    needed = _needed(reason, min(row.start_at for row in opened), ends)
    found = [each for row in opened for each in _free_in(row, reason, within, needed)]
    return sorted(found, key=lambda each: (each.at, each.practitioner))


def _needed(reason: Reason, since: datetime, until: datetime) -> Taken:
    """When the rooms, devices and interpreters that this reason needs are taken."""
    pools = availability.pools_of([reason.id])[reason.id]
    return availability.taken(pools, since, until)


def _free_in(row: Any, reason: Reason, within: Window, needed: Taken) -> Iterator[FreeSlot]:
    count = reason.cells(row.step_min)
    found = availability.starts(row, reason, within, needed)
    for cell in slots.proposed(found, count):
        at = row.start_at + timedelta(minutes=cell * row.step_min)
        yield FreeSlot(Slot(row.id, cell), at, row.name)


# -- appointments ------------------------------------------------------------------------------------------------


def _appointments() -> Select[Appointment]:
    return select(Appointment).options(
        joinedload(Appointment.establishment),
        joinedload(Appointment.patient),
        joinedload(Appointment.site),
        joinedload(Appointment.unit),
        joinedload(Appointment.practitioner),
        joinedload(Appointment.reason),
    )


def of_patients(patients: Collection[UUID]) -> tuple[Sequence[Appointment], Sequence[Appointment]]:
    """Appointments to come (soonest first), then those that are over or cancelled (latest first, one year)."""
    since = db.now() - timedelta(days=365)
    rows = session.scalars(
        _appointments()
        .where(Appointment.patient_id.in_(patients), Appointment.start_at > since)
        .order_by(Appointment.start_at)
    ).all()
    to_come = [each for each in rows if each.is_to_come]
    over = [each for each in reversed(rows) if not each.is_to_come]
    return to_come, over


def one_of_patients(appointment_id: UUID, patients: Collection[UUID]) -> Appointment | None:
    return session.scalar(_appointments().where(Appointment.id == appointment_id, Appointment.patient_id.in_(patients)))


def at_same_time(patients: Collection[UUID], start_at: datetime, end_at: datetime) -> Appointment | None:
    """What already fills these people's time."""
    return session.scalar(
        _appointments()
        .where(
            Appointment.patient_id.in_(patients),
            Appointment.state == states.BOOKED,
            Appointment.start_at < end_at,
            Appointment.end_at > start_at,
        )
        .order_by(Appointment.start_at)
        .limit(1)
    )


def one_at(appointment_id: UUID, establishments: Collection[UUID]) -> Appointment | None:
    return session.scalar(
        _appointments().where(Appointment.id == appointment_id, Appointment.establishment_id.in_(establishments))
    )


def changes(appointment: Appointment) -> Sequence[AppointmentChange]:
    """What happened to it, latest first."""
    return session.scalars(
        select(AppointmentChange)
        .where(AppointmentChange.appointment_id == appointment.id)
        .order_by(AppointmentChange.at.desc())
    ).all()


# -- for the hospital's agents -----------------------------------------------------------------------------------


def units_at(establishments: Collection[UUID]) -> Sequence[Unit]:
    """Units that take appointments, by hospital and name."""
    return session.scalars(
        select(Unit)
        .join(Unit.establishment)
        .options(contains_eager(Unit.establishment))
        .where(Unit.establishment_id.in_(establishments), exists().where(Reason.unit_id == Unit.id))
        .order_by(Establishment.name, Unit.name)
    ).all()


def of_day(unit: Unit, day: date) -> Sequence[Appointment]:
    """A unit's appointments of one day of the hospital's calendar, in order of time."""
    tz = unit.establishment.tz
    begins, ends = (datetime.combine(each, time(), tz) for each in (day, day + timedelta(days=1)))
    return session.scalars(
        _appointments()
        .where(Appointment.unit_id == unit.id, Appointment.start_at >= begins, Appointment.start_at < ends)
        .order_by(Appointment.start_at, Appointment.booked_at)
    ).all()


def numbers(appointments: Iterable[Appointment]) -> dict[UUID, str]:
    """Patient → the number (IPP) given by the hospital of these appointments."""
    rows = list(appointments)
    if not rows:
        return {}
    records = session.scalars(
        select(PatientRecord).where(
            PatientRecord.establishment_id == rows[0].establishment_id,
            PatientRecord.patient_id.in_({each.patient_id for each in rows}),
        )
    )
    return {record.patient_id: record.ipp for record in records if record.ipp}


def find_patients(
    establishment_id: UUID, *, ipp: str = "", birth_name: str = "", birth_on: date | None = None
) -> Sequence[Patient]:
    """Patients a hospital knows by this number, or by this name (birth or used, accents aside) and birth date."""
    query = (
        select(Patient)
        .join(PatientRecord, PatientRecord.patient_id == Patient.id)
        .where(PatientRecord.establishment_id == establishment_id)
    )
    if ipp:
        return session.scalars(query.where(PatientRecord.ipp == ipp)).all()
    born = session.scalars(query.where(Patient.birth_on == birth_on)).all()
    wanted = _letters(birth_name)
    return [each for each in born if wanted and wanted in (_letters(each.birth_name), _letters(each.used_name))]


def _letters(name: str) -> str:
    """A name without accents, case, spaces or hyphens: LE GOFF and Le-Goff are the same person on the phone."""
    return "".join(letter for letter in unicodedata.normalize("NFKD", name).casefold() if letter.isalnum())


def known_patient(patient_id: UUID, establishments: Collection[UUID]) -> Patient | None:
    """A patient with a record at one of these hospitals."""
    record = exists().where(PatientRecord.patient_id == Patient.id, PatientRecord.establishment_id.in_(establishments))
    return session.scalar(select(Patient).where(Patient.id == patient_id, record))
