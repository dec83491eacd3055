"""Taking a slot, at once or after it was kept for a while, and moving to another one."""

from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, DateTime, ScalarSelect, Select, Uuid, bindparam, exists, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from auth import acts, records
from auth.models import Patient, PatientRecord
from portal import db, kpi
from portal.db import session
from services.appointments import availability, slots, states
from services.appointments.actions import capacity
from services.appointments.actions.capacity import Time
from services.appointments.actions.facts import (
    AlreadyOver,
    KnownPatientsOnly,
    NotBookable,
    NotTheAge,
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
    ReasonPool,
    SessionReason,
    new_reference,
)
from services.appointments.offered import open_online, open_to_city
from services.appointments.slots import Opening, Slot

Asking = Select[Reason, ConsultationSession, SessionReason, bool, int, list[UUID], date | None]


@dataclass(frozen=True)
class Asked:
    """A reason in a session that takes it, from one of its cells.

    is_known: the hospital follows the patient already. to_come: their appointments to come for this reason. pools:
    of which it needs one resource each.
    """

    reason: Reason
    opened: ConsultationSession
    takes: SessionReason
    first_cell: int
    is_known: bool
    to_come: int
    pools: tuple[UUID, ...]
    birth_on: date | None = None

    def place(self, owner_id: UUID, channel: str, beside: Appointment | Hold | None = None) -> Time:
        """What it would take, and which room, device and interpreter. Raises SlotTaken."""
        if not self.is_bookable(channel, beside):
            raise SlotTaken
        time = self.time(owner_id)
        if not self.pools:
            return time
        wanted = slots.claim_cells(time.start_at, time.end_at)
        return replace(time, resources=availability.choose(self._needed(beside), wanted))

    def is_bookable(self, channel: str, beside: Appointment | Hold | None = None) -> bool:
        """Whether it may begin here, as every list says; beside what the asker would give back."""
        opened: Opening = self.opened
        if beside is not None and beside.session_id == self.opened.id:
            session.refresh(self.opened)
            opened = self.opened.without(slots.mask(beside.first_cell, beside.n_cells))
        is_full = self.takes.is_full and not self._is_counted_in(beside)
        window = self.reason.window(channel, db.now())
        found = availability.starts(opened, self.reason, window, self._needed(beside), is_full=is_full)
        return bool(found >> self.first_cell & 1)

    def _needed(self, beside: Appointment | Hold | None) -> availability.Taken:
        opened = self.opened
        owners = [beside.id] if beside else []
        return availability.taken(self.pools, opened.start_at, opened.at(opened.n_cells), but=owners)

    def _is_counted_in(self, beside: Appointment | Hold | None) -> bool:
        return beside is not None and (beside.session_id, beside.reason_id) == (self.opened.id, self.reason.id)

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
            reason.id,
            self.takes.most is not None,
            opened.capacity > 1,
        )


def asked(asking: Asking, reason_id: UUID, slot: Slot, patient_id: UUID | None = None) -> Asked:
    """asking: what is open ONLINE, or to the CITY, or ANY reason. Raises NotBookable when the session does not take
    the reason, or it is not one of those."""
    whose = {"reason_id": reason_id, "session_id": slot.session_id, "patient_id": patient_id, "now": db.now()}
    row = session.execute(asking, whose, execution_options={"populate_existing": True}).one_or_none()
    if row is None:
        raise NotBookable
    reason, opened, takes, is_known, to_come, pools, birth_on = row
    return Asked(reason, opened, takes, slot.first_cell, is_known, to_come, tuple(pools or ()), birth_on)


def _pools() -> ScalarSelect[list[UUID]]:
    query = select(func.array_agg(aggregate_order_by(ReasonPool.pool_id, ReasonPool.pool_id)))
    return query.where(ReasonPool.reason_id == Reason.id).correlate(Reason).scalar_subquery()


def _birth_on() -> ScalarSelect[date]:
    return select(Patient.birth_on).where(Patient.id == bindparam("patient_id", type_=Uuid)).scalar_subquery()


def _is_known() -> ColumnElement[bool]:
    record = exists().where(
        PatientRecord.patient_id == bindparam("patient_id", type_=Uuid),
        PatientRecord.establishment_id == Reason.establishment_id,
        PatientRecord.ipp.is_not(None),
    )
    return record.correlate(Reason)


def _to_come() -> ScalarSelect[int]:
    query = select(func.count()).where(
        Appointment.patient_id == bindparam("patient_id", type_=Uuid),
        Appointment.reason_id == Reason.id,
        Appointment.state == states.BOOKED,
        Appointment.start_at > bindparam("now", type_=DateTime(timezone=True)),
    )
    return query.correlate(Reason).scalar_subquery()


# Built once: making this statement anew for each booking took longer than asking it.
ANY = (
    select(Reason, ConsultationSession, SessionReason, _is_known(), _to_come(), _pools(), _birth_on())
    .join(SessionReason, SessionReason.reason_id == Reason.id)
    .join(ConsultationSession, ConsultationSession.id == SessionReason.session_id)
    .where(
        Reason.id == bindparam("reason_id", type_=Uuid), ConsultationSession.id == bindparam("session_id", type_=Uuid)
    )
)
ONLINE = ANY.where(open_online())
CITY = ANY.where(open_to_city())


# -- booking -----------------------------------------------------------------------------------------------------


def book(patient_id: UUID, reason_id: UUID, slot: Slot) -> Appointment:
    """A patient takes a slot online.

    Raises SlotTaken, PatientBusy, NotBookable, KnownPatientsOnly, ReferralOnly or TooManyAppointments; the
    transaction must then be rolled back, as an answer of 400 or more does.
    """
    wanted = asked(ONLINE, reason_id, slot, patient_id)
    check_patient(wanted)
    return _take(patient_id, wanted, "web")


def book_by_phone(patient_id: UUID, reason_id: UUID, slot: Slot, *, beyond: bool = False) -> Appointment:
    """An agent takes a slot for somebody on the phone, whatever the online rules say; beyond what is free when they
    say so. Raises as `book` does."""
    return _take(patient_id, asked(ANY, reason_id, slot), "phone", beyond=beyond)


def book_for(patient_id: UUID, reason_id: UUID, slot: Slot) -> Appointment:
    """A practitioner of the city, who is signed in, takes a slot for their patient. Raises as `book` does."""
    return _take(patient_id, asked(CITY, reason_id, slot), "city")


def check_patient(wanted: Asked) -> None:
    """Raises KnownPatientsOnly, ReferralOnly, TooManyAppointments or NotTheAge: who may not book this alone online."""
    reason = wanted.reason
    if reason.by_referral_only:
        raise ReferralOnly
    if not reason.open_to_new_patients and not wanted.is_known:
        raise KnownPatientsOnly
    if reason.max_to_come and wanted.to_come >= reason.max_to_come:
        raise TooManyAppointments
    if not reason.suits_age(wanted.birth_on, wanted.opened.local_date):
        raise NotTheAge


def take(patient_id: UUID, wanted: Asked, channel: str, chain_id: UUID) -> Appointment:
    """One of several visits that are booked together, of which the patient is told at once. Raises SlotTaken,
    PatientBusy."""
    return _take(patient_id, wanted, channel, chain_id=chain_id)


def _take(
    patient_id: UUID, wanted: Asked, channel: str, *, beyond: bool = False, chain_id: UUID | None = None
) -> Appointment:
    by_agent, actor = channel == "phone", db.current_actor()
    account_id = actor.account_id if channel == "city" else None
    try:
        time = wanted.place(uuid4(), channel)
    except SlotTaken:
        if not (beyond and by_agent):
            raise
        return _squeeze_in(patient_id, wanted)
    capacity.take(time, patient_id, account_id=account_id, by_agent=by_agent)
    appointment = _appointment(patient_id, wanted, time, channel, beyond=False)
    appointment.chain_id = chain_id
    return _announce(appointment, wanted.reason, channel)


def _squeeze_in(patient_id: UUID, wanted: Asked) -> Appointment:
    time = wanted.time(uuid4())
    if wanted.first_cell + time.n_cells > wanted.opened.n_cells or time.start_at <= db.now():
        raise SlotTaken
    capacity.take_beyond(time, patient_id)
    return _announce(_appointment(patient_id, wanted, time, "phone", beyond=True), wanted.reason, "phone")


def confirm(hold: Hold, patient_id: UUID, wanted: Asked, channel: str) -> Appointment:
    """What was kept becomes the patient's appointment: nobody can have taken it meanwhile. Raises PatientBusy."""
    time = wanted.time(uuid4())
    appointment = _appointment(patient_id, wanted, time, channel, beyond=False)
    capacity.hand_over(hold, appointment)
    capacity.take_patient(time, patient_id)
    session.delete(hold)
    return _announce(appointment, wanted.reason, channel)


def _announce(appointment: Appointment, reason: Reason, channel: str) -> Appointment:
    session.add(appointment)
    session.flush()
    records.open_record(appointment.patient_id, appointment.establishment_id)
    tell_of(appointment, "overbooked" if appointment.beyond else "booked", "")
    kpi.count(
        "appointment_booked",
        establishment_id=appointment.establishment_id,
        channel=channel,
        dimension="open_online" if reason.bookable_online else "not_open_online",
        unit_id=appointment.unit_id,
    )
    acts.count("appointments", appointment.establishment_id, appointment.patient_id)
    if appointment.chain_id is None:
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
        professional_id=db.current_actor().professional_id if channel == "city" else None,
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
    _move(appointment, asked(ONLINE, appointment.reason_id, slot), "web", "")


def move_for(appointment: Appointment, slot: Slot) -> None:
    """The practitioner of the city who booked it moves it. Raises as `move` does."""
    check_cut_off(appointment)
    _move(appointment, asked(CITY, appointment.reason_id, slot), "city", "")


def move_for_patient(appointment: Appointment, slot: Slot, why: str) -> None:
    """An agent moves it. why: one of states.MOVED_BY_HOSPITAL. Raises as `move` does, but for the cut-off."""
    _move(appointment, asked(ANY, appointment.reason_id, slot), "phone", why)


def check_cut_off(appointment: Appointment) -> None:
    """Raises TooLateToCancel: patients who are late must call, somebody else could have come."""
    if appointment.cancel_before <= db.now() < appointment.start_at:
        raise TooLateToCancel


def move_to_offer(appointment: Appointment, kept: Hold, channel: str) -> None:
    """Take the time that was kept for its patient, and give back the one it has, both or neither.

    Raises AlreadyOver, PatientBusy, NotBookable when the hospital changed the session meanwhile.
    """
    appointment = _lock_to_come(appointment)
    wanted = asked(ANY, appointment.reason_id, Slot(kept.session_id, kept.first_cell))
    time = wanted.time(appointment.id)
    capacity.replace_by(appointment, kept, time)
    session.delete(kept)
    _go_there(appointment, wanted, time, channel, "")


def _move(appointment: Appointment, wanted: Asked, channel: str, why: str) -> None:
    appointment = _lock_to_come(appointment)
    capacity.hold_still([appointment.session_id, wanted.opened.id])
    time = wanted.place(appointment.id, channel, beside=appointment)
    capacity.retake(appointment, time, appointment.patient_id, by_agent=channel == "phone")
    _go_there(appointment, wanted, time, channel, why)


def _lock_to_come(appointment: Appointment) -> Appointment:
    appointment = lock(appointment)
    if appointment.state != states.BOOKED or db.now() >= appointment.start_at:
        raise AlreadyOver
    return appointment


def _go_there(appointment: Appointment, wanted: Asked, time: Time, channel: str, why: str) -> None:
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
