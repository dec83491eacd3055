"""Taking a slot, at once or after it was kept for a while, and moving to another one."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, ScalarSelect, exists, func, select, true

from auth import records
from auth.models import PatientRecord
from portal import db, kpi
from portal.db import session
from services.appointments import slots, states
from services.appointments.actions import capacity
from services.appointments.actions.capacity import Time
from services.appointments.actions.facts import (
    AlreadyOver,
    KnownPatientsOnly,
    NotBookable,
    ReferralOnly,
    SlotTaken,
    TooLateToCancel,
    TooManyAppointments,
)
from services.appointments.actions.traces import tell_of, write_to_patient
from services.appointments.models import (
    Appointment,
    ConsultationSession,
    Hold,
    Reason,
    SessionReason,
    new_reference,
    open_online,
)
from services.appointments.slots import Opening, Slot


@dataclass(frozen=True)
class Asked:
    """A reason in a session that takes it, from one of its cells.

    is_known: the hospital follows the patient already. to_come: their appointments to come for this reason.
    """

    reason: Reason
    opened: ConsultationSession
    first_cell: int
    is_known: bool
    to_come: int

    def is_bookable(self, channel: str, beside: Appointment | Hold | None = None) -> bool:
        """The one answer to "may this begin here?", as every list gives it; beside what the asker would give back."""
        opened: Opening = self.opened
        window = self.reason.window(channel, db.now())
        if beside is not None and beside.session_id == self.opened.id:
            session.refresh(self.opened)
            opened = self.opened.without(slots.mask(beside.first_cell, beside.n_cells))
        found = slots.bookable(opened, self.reason.cells(opened.step_min), window, self.reason.grid_min)
        return bool(found >> self.first_cell & 1)

    def time(self, owner_id: UUID) -> Time:
        """What an appointment or a hold with this id would take."""
        reason, opened = self.reason, self.opened
        count = reason.cells(opened.step_min)
        seen = slots.cells_for(reason.duration_min, opened.step_min)
        first = self.first_cell
        return Time(
            owner_id,
            opened.establishment_id,
            opened.id,
            opened.practitioner_id,
            first,
            count,
            opened.at(first),
            opened.at(first + seen),
            opened.at(first + count),
        )


def asked(reason_id: UUID, slot: Slot, allowed: ColumnElement[bool], patient_id: UUID | None = None) -> Asked:
    """Raises NotBookable when the session does not take the reason, or the condition on reasons is not met."""
    row = session.execute(
        select(Reason, ConsultationSession, _is_known(patient_id), _to_come(patient_id))
        .join(SessionReason, SessionReason.reason_id == Reason.id)
        .join(ConsultationSession, ConsultationSession.id == SessionReason.session_id)
        .where(Reason.id == reason_id, ConsultationSession.id == slot.session_id, allowed)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotBookable
    return Asked(row[0], row[1], slot.first_cell, row[2], row[3])


# -- booking -----------------------------------------------------------------------------------------------------


def book(patient_id: UUID, reason_id: UUID, slot: Slot) -> Appointment:
    """A patient takes a slot online.

    Raises SlotTaken, PatientBusy, NotBookable, KnownPatientsOnly, ReferralOnly or TooManyAppointments; the
    transaction must then be rolled back, as an answer of 400 or more does.
    """
    wanted = asked(reason_id, slot, open_online(), patient_id)
    check_patient(wanted)
    return _take(patient_id, wanted, "web")


def book_by_phone(patient_id: UUID, reason_id: UUID, slot: Slot, *, beyond: bool = False) -> Appointment:
    """An agent takes a slot for somebody on the phone, whatever the online rules say; beyond what is free when they
    say so. Raises as `book` does."""
    return _take(patient_id, asked(reason_id, slot, true()), "phone", beyond=beyond)


def book_for(patient_id: UUID, reason_id: UUID, slot: Slot) -> Appointment:
    """A practitioner of the city takes a slot for their patient. Raises as `book` does."""
    return _take(patient_id, asked(reason_id, slot, open_online()), "city")


def check_patient(wanted: Asked) -> None:
    """Raises KnownPatientsOnly, ReferralOnly or TooManyAppointments: who may not book this alone online."""
    reason = wanted.reason
    if reason.by_referral_only:
        raise ReferralOnly
    if not reason.open_to_new_patients and not wanted.is_known:
        raise KnownPatientsOnly
    if reason.max_to_come and wanted.to_come >= reason.max_to_come:
        raise TooManyAppointments


def _is_known(patient_id: UUID | None) -> ColumnElement[bool]:
    record = exists().where(
        PatientRecord.patient_id == patient_id,
        PatientRecord.establishment_id == Reason.establishment_id,
        PatientRecord.ipp.is_not(None),
    )
    return record.correlate(Reason)


def _to_come(patient_id: UUID | None) -> ScalarSelect[int]:
    query = select(func.count()).where(
        Appointment.patient_id == patient_id,
        Appointment.reason_id == Reason.id,
        Appointment.state == states.BOOKED,
        Appointment.start_at > db.now(),
    )
    return query.correlate(Reason).scalar_subquery()


def _take(patient_id: UUID, wanted: Asked, channel: str, *, beyond: bool = False) -> Appointment:
    time = wanted.time(uuid4())
    free = wanted.is_bookable(channel)
    if free:
        capacity.take(time, patient_id)
    elif beyond and wanted.first_cell + time.n_cells <= wanted.opened.n_cells and time.start_at > db.now():
        capacity.take_beyond(time, patient_id)
    else:
        raise SlotTaken
    return _write(patient_id, wanted, time, channel, beyond=not free)


def confirm(hold: Hold, patient_id: UUID, wanted: Asked) -> Appointment:
    """What was kept becomes the patient's appointment: nobody can have taken it meanwhile. Raises PatientBusy."""
    time = wanted.time(uuid4())
    appointment = _appointment(patient_id, wanted, time, "web", beyond=False)
    capacity.hand_over(hold, appointment)
    capacity.take_patient(time, patient_id)
    session.delete(hold)
    return _announce(appointment, wanted.reason, "web")


def _write(patient_id: UUID, wanted: Asked, time: Time, channel: str, *, beyond: bool) -> Appointment:
    appointment = _appointment(patient_id, wanted, time, channel, beyond=beyond)
    return _announce(appointment, wanted.reason, channel)


def _announce(appointment: Appointment, reason: Reason, channel: str) -> Appointment:
    session.add(appointment)
    session.flush()
    tell_of(appointment, "overbooked" if appointment.beyond else "booked", "")
    records.open_record(appointment.patient_id, appointment.establishment_id)
    kpi.count(
        "appointment_booked",
        establishment_id=appointment.establishment_id,
        channel=channel,
        dimension="open_online" if reason.bookable_online else "not_open_online",
    )
    write_to_patient("appointments.confirm_by_mail", appointment)
    return appointment


def _appointment(patient_id: UUID, wanted: Asked, time: Time, channel: str, *, beyond: bool) -> Appointment:
    return Appointment(
        id=time.owner_id,
        patient_id=patient_id,
        reason_id=wanted.reason.id,
        state=states.BOOKED,
        channel=channel,
        reference=new_reference(),
        beyond=beyond,
        **_where(wanted, time),
    )


def _where(wanted: Asked, time: Time) -> dict[str, object]:
    """What a move changes."""
    opened = wanted.opened
    return {
        "establishment_id": opened.establishment_id,
        "site_id": opened.site_id,
        "unit_id": opened.unit_id,
        "practitioner_id": opened.practitioner_id,
        "session_id": opened.id,
        "first_cell": time.first_cell,
        "n_cells": time.n_cells,
        "start_at": time.start_at,
        "end_at": time.end_at,
    }


# -- moving ------------------------------------------------------------------------------------------------------


def move(appointment: Appointment, slot: Slot) -> None:
    """A patient takes another slot for the same reason, and gives theirs back, both or neither.

    Raises TooLateToCancel within the cut-off, AlreadyOver, and as `book` does about the new slot.
    """
    check_cut_off(appointment)
    _move(appointment, asked(appointment.reason_id, slot, open_online()), "web", "")


def move_for_patient(appointment: Appointment, slot: Slot, why: str) -> None:
    """An agent moves it. why: one of states.MOVED_BY_HOSPITAL. Raises as `move` does, but for the cut-off."""
    _move(appointment, asked(appointment.reason_id, slot, true()), "phone", why)


def check_cut_off(appointment: Appointment) -> None:
    """Raises TooLateToCancel: patients who are late must call, somebody else could have come."""
    if appointment.cancel_before <= db.now() < appointment.start_at:
        raise TooLateToCancel


def _move(appointment: Appointment, wanted: Asked, channel: str, why: str) -> None:
    appointment = lock(appointment)
    if appointment.state != states.BOOKED or db.now() >= appointment.start_at:
        raise AlreadyOver
    capacity.hold_still([appointment.session_id, wanted.opened.id])
    if not wanted.is_bookable(channel, beside=appointment):
        raise SlotTaken
    time = wanted.time(appointment.id)
    capacity.retake(appointment, time, appointment.patient_id)
    for name, value in (_where(wanted, time) | {"beyond": False}).items():
        setattr(appointment, name, value)
    session.flush()
    tell_of(appointment, "moved", states.BOOKED, why)
    kpi.count("appointment_moved", establishment_id=appointment.establishment_id, channel=channel, dimension=why)
    write_to_patient("appointments.tell_moved_by_mail", appointment)


def lock(appointment: Appointment) -> Appointment:
    """Hold an appointment still, as it is now: somebody may have moved or cancelled it since it was read.

    Raises AlreadyOver when it is not the actor's to change.
    """
    query = select(Appointment).where(Appointment.id == appointment.id).with_for_update(key_share=True)
    found = session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise AlreadyOver
    return found


def go_to(appointment: Appointment, state: str, **facts: object) -> str:
    """Change the state of a locked appointment; returns the former one. Raises states.NotAllowed."""
    before = appointment.state
    states.check(before, state)
    appointment.state = state
    for name, value in facts.items():
        setattr(appointment, name, value)
    session.flush()
    return before
