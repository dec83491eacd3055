"""Who waits: enter the list, leave it, be put first by an agent."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import Exists, exists, func, select

from auth import records
from portal import calendar, db, jobs, kpi
from portal.db import session
from services.appointments.actions import NotBookable
from services.appointments.models import Appointment, Reason
from services.appointments.offered import open_online
from services.appointments.states import BOOKED
from services.appointments.waiting import states
from services.appointments.waiting.actions import allowing, offering, traces
from services.appointments.waiting.actions.facts import AlreadyWaiting, NothingEarlier
from services.appointments.waiting.models import WaitingEntry
from services.appointments.wishes import Wishes, weekdays_mask

FURTHEST = timedelta(days=180)


@dataclass(frozen=True)
class Asked:
    """What suits the patient. wishes: its last day is the last one that is worth a change."""

    wishes: Wishes
    notice_hours: int
    practitioner_ids: tuple[UUID, ...] = ()


def enter_for_visit(appointment: Appointment, asked: Asked) -> WaitingEntry:
    """Be told when an earlier time than this visit's comes free. Raises NothingEarlier, AlreadyWaiting, NotBookable."""
    if appointment.state != BOOKED or appointment.start_at <= db.now() + timedelta(hours=asked.notice_hours):
        raise NothingEarlier
    return _enter(appointment.patient_id, appointment.reason, appointment, asked)


def enter(patient_id: UUID, reason: Reason, asked: Asked) -> WaitingEntry:
    """Be told when a time for this reason comes free.

    Raises AlreadyWaiting, and for patients NotBookable and as `allowing.check` does.
    """
    if db.current_actor().kind != "staff":
        allowing.check(patient_id, reason)
    return _enter(patient_id, reason, None, asked)


def _enter(patient_id: UUID, reason: Reason, appointment: Appointment | None, asked: Asked) -> WaitingEntry:
    actor = db.current_actor()
    if actor.kind != "staff" and not session.scalar(select(exists().where(Reason.id == reason.id, open_online()))):
        raise NotBookable
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"waiting {patient_id}", 0))))  # two tabs
    if session.scalar(select(_same(patient_id, reason, appointment))):
        raise AlreadyWaiting
    entry = _entry(patient_id, reason, appointment, asked)
    session.add(entry)
    session.flush()
    records.open_record(patient_id, entry.establishment_id)
    traces.record(entry, "entered", "")
    kpi.count(
        "waiting_list_entered",
        establishment_id=entry.establishment_id,
        channel="phone" if actor.kind == "staff" else "web",
    )
    return entry


def _same(patient_id: UUID, reason: Reason, appointment: Appointment | None) -> Exists:
    return exists().where(
        WaitingEntry.patient_id == patient_id,
        WaitingEntry.reason_id == reason.id,
        WaitingEntry.appointment_id.is_not_distinct_from(appointment.id if appointment else None),
        WaitingEntry.state == states.WAITING,
    )


def _entry(patient_id: UUID, reason: Reason, appointment: Appointment | None, asked: Asked) -> WaitingEntry:
    tz = reason.establishment.tz
    last = calendar.civil_day(appointment.start_at if appointment else db.now() + FURTHEST, tz)
    return WaitingEntry(
        id=uuid4(),
        establishment_id=reason.establishment_id,
        patient_id=patient_id,
        unit_id=appointment.unit_id if appointment else reason.unit_id,
        reason_id=reason.id,
        appointment_id=appointment.id if appointment else None,
        account_id=None if db.current_actor().kind == "staff" else db.current_actor().account_id,
        state=states.WAITING,
        until_on=min(asked.wishes.last_day or last, last),
        weekdays=weekdays_mask(asked.wishes.weekdays),
        half=asked.wishes.half,
        practitioner_ids=list(asked.practitioner_ids),
        notice_hours=asked.notice_hours,
        rank=0,
    )


def leave(entry: WaitingEntry) -> None:
    """The patient does not wait any more; a time kept for them is given back. Raises EntryClosed."""
    entry = traces.lock(entry)
    offering.withdraw(entry)
    traces.go_to(entry, states.LEFT, "left")


def put_first(entry: WaitingEntry, why: str) -> None:
    """An agent puts somebody before those who came earlier. why: one of states.FIRST_BECAUSE. Raises EntryClosed."""
    entry = traces.lock(entry)
    entry.rank = 1
    traces.go_to(entry, states.WAITING, "put_first", why)


def put_back(entry: WaitingEntry) -> None:
    """Back to the place of the day they entered. Raises EntryClosed."""
    entry = traces.lock(entry)
    entry.rank = 0
    traces.go_to(entry, states.WAITING, "put_back")


def hand_over(entry: WaitingEntry, reason: Reason) -> None:
    """The unit closes: they wait for the same at another unit of its hospital, at the place of the day they entered.
    Raises EntryClosed, AlreadyWaiting."""
    entry = traces.lock(entry)
    if session.scalar(select(_same(entry.patient_id, reason, None))):
        raise AlreadyWaiting
    offering.withdraw(entry)
    entry.unit_id, entry.reason_id, entry.practitioner_ids = reason.unit_id, reason.id, []
    traces.go_to(entry, states.WAITING, "handed_over", "unit_closed")


def close(entry: WaitingEntry, why: str) -> None:
    """Nothing earlier can be wanted any more. why: one of states.ENDED_BECAUSE. Raises EntryClosed."""
    entry = traces.lock(entry)
    offering.withdraw(entry)
    traces.go_to(entry, states.ENDED, "ended", why)
    if why == "unit_closed":
        jobs.enqueue("appointments.tell_of_list", entry_id=str(entry.id))
