"""Everything that changes an appointment or a consultation session.

Locks are always taken in this order: the appointment, its session, then claims by (resource, cell); so bookings and
cancellations never wait for each other in a circle.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import cast
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Table, bindparam, delete, exists, insert, select, text, true, update

from auth import records
from auth.models import PatientRecord
from portal import audit, calendar, db, jobs, kpi
from portal.db import session
from portal.establishments import Practitioner, Unit
from services.appointments import slots, states
from services.appointments.models import (
    Appointment,
    AppointmentChange,
    Claim,
    ConsultationSession,
    Reason,
    SessionReason,
    new_reference,
    open_online,
)
from services.appointments.slots import Slot


class SlotTaken(Exception):
    """This slot is not free, or not any more."""


class PatientBusy(Exception):
    """The patient has another appointment at that time."""


class NotBookable(Exception):
    """This reason is not taken in that session, or not online."""


class KnownPatientsOnly(Exception):
    """This reason is for patients whom the hospital already follows."""


class TooLateToCancel(Exception):
    """The cut-off has passed: the patient must call."""


class AlreadyOver(Exception):
    """The appointment is cancelled already, or its time has come."""


class NoSuchTime(Exception):
    """A clock change skips this time on that day."""


class DoesNotFit(Exception):
    """A session ends after it starts and holds between 1 and 60 cells."""


# -- booking -----------------------------------------------------------------------------------------------------


def book(patient_id: UUID, reason_id: UUID, slot: Slot) -> Appointment:
    """A patient takes a slot online.

    Raises SlotTaken, PatientBusy, NotBookable or KnownPatientsOnly; the transaction must then be rolled back, as an
    answer of 400 or more does.
    """
    reason, opened = _asked(reason_id, slot, open_online())
    if not reason.open_to_new_patients and not _is_known(patient_id, reason.establishment_id):
        raise KnownPatientsOnly
    return _take(patient_id, reason, opened, slot, "web")


def book_by_phone(patient_id: UUID, reason_id: UUID, slot: Slot) -> Appointment:
    """An agent takes a slot for somebody on the phone, whatever the online rules say. Raises as `book` does."""
    reason, opened = _asked(reason_id, slot, true())
    return _take(patient_id, reason, opened, slot, "phone")


def _asked(reason_id: UUID, slot: Slot, allowed: ColumnElement[bool]) -> tuple[Reason, ConsultationSession]:
    row = session.execute(
        select(Reason, ConsultationSession)
        .join(SessionReason, SessionReason.reason_id == Reason.id)
        .join(ConsultationSession, ConsultationSession.id == SessionReason.session_id)
        .where(Reason.id == reason_id, ConsultationSession.id == slot.session_id, allowed)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotBookable
    return row[0], row[1]


def _is_known(patient_id: UUID, establishment_id: UUID) -> bool:
    record = exists().where(
        PatientRecord.patient_id == patient_id,
        PatientRecord.establishment_id == establishment_id,
        PatientRecord.ipp.is_not(None),
    )
    return bool(session.scalar(select(record)))


def _take(patient_id: UUID, reason: Reason, opened: ConsultationSession, slot: Slot, channel: str) -> Appointment:
    count = slots.cells_for(reason.duration_min, opened.step_min)
    window = reason.window(channel, db.now())
    if not slots.bookable(opened.free, opened.start_at, opened.step_min, count, window) >> slot.first_cell & 1:
        raise SlotTaken
    appointment = _appointment(patient_id, reason, opened, slot.first_cell, count, channel)
    _reserve(appointment)
    _claim(appointment)
    session.add(appointment)
    session.flush()
    _tell_of(appointment, "", states.BOOKED)
    records.open_record(patient_id, reason.establishment_id)
    kpi.count(
        "appointment_booked",
        establishment_id=reason.establishment_id,
        channel=channel,
        dimension="open_online" if reason.bookable_online else "not_open_online",
    )
    _write_to_patient("appointments.confirm_by_mail", appointment)
    return appointment


def _appointment(
    patient_id: UUID, reason: Reason, opened: ConsultationSession, first_cell: int, count: int, channel: str
) -> Appointment:
    return Appointment(
        id=uuid4(),
        establishment_id=opened.establishment_id,
        patient_id=patient_id,
        site_id=opened.site_id,
        unit_id=opened.unit_id,
        practitioner_id=opened.practitioner_id,
        reason_id=reason.id,
        session_id=opened.id,
        first_cell=first_cell,
        n_cells=count,
        start_at=opened.at(first_cell),
        end_at=opened.at(first_cell + count),
        state=states.BOOKED,
        channel=channel,
        reference=new_reference(),
    )


# Made once: building them anew for each booking costs more than sending them.
_SESSION = cast(Table, ConsultationSession.__table__)
_RESERVE = (
    update(_SESSION)
    .where(
        _SESSION.c.id == bindparam("of_session"),
        _SESSION.c.free.bitwise_and(bindparam("cells")) == bindparam("cells"),
    )
    .values(free=_SESSION.c.free - bindparam("cells"))
)
_RECORD_CHANGE = insert(cast(Table, AppointmentChange.__table__)).inline()


def _reserve(appointment: Appointment) -> None:
    """Take the cells from the session in one statement: a slot already taken is refused without waiting."""
    values = {"of_session": appointment.session_id, "cells": appointment.cells}
    if session.execute(_RESERVE, values).rowcount != 1:  # type: ignore[attr-defined]
        raise SlotTaken


# In the order of the key, so that two bookings never wait for each other in a circle. `on conflict do nothing` waits
# for a booking under way, then tells by its absence which resource was taken, without spoiling the transaction.
_CLAIM = text("""
insert into claim (resource_id, cell, seat, appointment_id, patient_id, establishment_id)
select resource_id, cell, 0, :appointment_id, :patient_id, :establishment_id
from unnest(array[cast(:patient_id as uuid), cast(:practitioner_id as uuid)]) as resource_id,
     generate_series(cast(:first as integer), cast(:last as integer)) as cell
order by 1, 2
on conflict do nothing
returning resource_id
""")


def _claim(appointment: Appointment) -> None:
    """Take the practitioner's and the patient's time."""
    cells = slots.claim_cells(appointment.start_at, appointment.end_at)
    claimed = Counter(
        session.scalars(
            _CLAIM,
            {
                "appointment_id": appointment.id,
                "patient_id": appointment.patient_id,
                "practitioner_id": appointment.practitioner_id,
                "establishment_id": appointment.establishment_id,
                "first": cells.start,
                "last": cells.stop - 1,
            },
        )
    )
    if claimed[appointment.practitioner_id] != len(cells):
        raise SlotTaken
    if claimed[appointment.patient_id] != len(cells):
        raise PatientBusy


# -- cancelling --------------------------------------------------------------------------------------------------


def cancel(appointment: Appointment, why: str) -> None:
    """A patient gives their slot back. why: one of states.CANCELLED_BY_PATIENT.

    Raises TooLateToCancel within the reason's cut-off, AlreadyOver when it is cancelled or past.
    """
    if db.now() < appointment.start_at and db.now() >= appointment.cancel_before:
        raise TooLateToCancel
    _release(appointment, why, "web")


def cancel_for_patient(appointment: Appointment, why: str) -> None:
    """An agent cancels, at any time before it starts. why: one of states.CANCELLED_BY_HOSPITAL. Raises AlreadyOver."""
    _release(appointment, why, "phone")


def _release(appointment: Appointment, why: str, channel: str) -> None:
    if db.now() >= appointment.start_at:
        raise AlreadyOver
    _mark_cancelled(appointment, why)
    session.execute(
        update(ConsultationSession)
        .where(ConsultationSession.id == appointment.session_id)
        .values(free=ConsultationSession.free.op("|")(ConsultationSession.open.op("&")(appointment.cells)))
        .execution_options(synchronize_session=False)
    )
    session.execute(delete(Claim).where(Claim.appointment_id == appointment.id))
    _tell_of(appointment, states.BOOKED, states.CANCELLED, why)
    kpi.count("appointment_cancelled", establishment_id=appointment.establishment_id, channel=channel, dimension=why)
    _write_to_patient("appointments.tell_cancelled_by_mail", appointment)


def _mark_cancelled(appointment: Appointment, why: str) -> None:
    """Only one of two cancellations at the same time succeeds."""
    states.check(states.BOOKED, states.CANCELLED)
    changed = session.execute(
        update(Appointment)
        .where(Appointment.id == appointment.id, Appointment.state == states.BOOKED)
        .values(state=states.CANCELLED, cancel_reason=why)
    )
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        raise AlreadyOver


def _tell_of(appointment: Appointment, from_state: str, to_state: str, why: str = "") -> None:
    """One immutable row and one audit line for a change of state."""
    states.check(from_state, to_state)
    actor = db.current_actor()
    session.execute(
        _RECORD_CHANGE,
        {
            "id": uuid4(),
            "appointment_id": appointment.id,
            "patient_id": appointment.patient_id,
            "establishment_id": appointment.establishment_id,
            "from_state": from_state,
            "to_state": to_state,
            "by": actor.label,
            "by_name": actor.name,
            "at": db.now(),
            "reason": why,
        },
    )
    audit.record(
        f"appointment.{to_state}",
        patient_id=appointment.patient_id,
        establishment_id=appointment.establishment_id,
        object_kind="appointment",
        object_id=appointment.id,
    )


def _write_to_patient(job: str, appointment: Appointment) -> None:
    """To the account that acts when it is a patient's; otherwise the job finds where to write."""
    actor = db.current_actor()
    account_id = str(actor.account_id or "") if actor.kind == "patient" else ""
    jobs.enqueue(job, appointment_id=str(appointment.id), account_id=account_id)


# -- the staff looks ---------------------------------------------------------------------------------------------


def open_day(unit: Unit, day: date) -> None:
    """An agent opens a unit's list of the day: names are shown, so the audit knows."""
    audit.record(
        "appointment_list.opened",
        establishment_id=unit.establishment_id,
        object_kind="unit",
        object_id=unit.id,
        day=day.isoformat(),
    )


def open_appointment(appointment: Appointment) -> None:
    """An agent opens a patient's appointment."""
    audit.record(
        "appointment.opened",
        patient_id=appointment.patient_id,
        establishment_id=appointment.establishment_id,
        object_kind="appointment",
        object_id=appointment.id,
    )


# -- opening consultation time -----------------------------------------------------------------------------------


def open_session(
    practitioner: Practitioner,
    unit: Unit,
    day: date,
    opens: time,
    closes: time,
    reasons: Sequence[Reason],
    step_min: int = 15,
) -> ConsultationSession:
    """Open a practitioner's time in a unit, between two wall-clock times of the hospital (`closes` may be the next
    day's). Raises NoSuchTime when a clock change skips one of them, DoesNotFit beyond 60 cells.
    """
    start_at, count = _cells_between(unit, day, opens, closes, step_min)
    opened = ConsultationSession(
        id=uuid4(),
        establishment_id=unit.establishment_id,
        site_id=unit.site_id,
        unit_id=unit.id,
        practitioner_id=practitioner.id,
        start_at=start_at,
        local_date=day,
        step_min=step_min,
        n_cells=count,
        open=slots.mask(0, count),
        free=slots.mask(0, count),
    )
    session.add(opened)
    session.flush()
    for reason in reasons:
        session.add(SessionReason(reason_id=reason.id, session_id=opened.id, establishment_id=unit.establishment_id))
    _audit_session("opened", opened)
    return opened


def _audit_session(what: str, opened: ConsultationSession) -> None:
    audit.record(
        f"consultation_session.{what}",
        establishment_id=opened.establishment_id,
        object_kind="consultation_session",
        object_id=opened.id,
    )


def _cells_between(unit: Unit, day: date, opens: time, closes: time, step_min: int) -> tuple[datetime, int]:
    """When it really starts, and how many cells it really lasts: a night of clock change is shorter or longer."""
    tz = unit.establishment.tz
    last_day = day if closes > opens else day + timedelta(days=1)
    start_at, end_at = calendar.to_utc(day, opens, tz), calendar.to_utc(last_day, closes, tz)
    if start_at is None or end_at is None:
        raise NoSuchTime(f"{day} {opens}–{closes} {tz}")
    count, rest = divmod(end_at - start_at, timedelta(minutes=step_min))
    if rest or not 1 <= count <= slots.MAX_CELLS:
        raise DoesNotFit(f"{opens}–{closes} by {step_min} minutes")
    return start_at, count
