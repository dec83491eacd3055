"""What another system of the hospital does with appointments: as an agent there would, by the same engine."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from portal import audit
from portal.db import session
from services.appointments import actions, states
from services.appointments.actions import AlreadyOver
from services.appointments.fhir import records
from services.appointments.fhir.incoming import Identifier, Told
from services.appointments.fhir.models import AppointmentIdentifier
from services.appointments.models import Appointment, Reason
from services.appointments.slots import Slot


class NobodyKnown(Exception):
    """The hospital has no patient under these identifiers."""


class SeveralKnown(Exception):
    """The identifiers lead to several patients, or an identifier to several appointments."""


class NoTimeSaid(Exception):
    """Neither a slot, nor a moment with a practitioner and a reason."""


class Differs(Exception):
    """What was said contradicts the appointment that exists: another patient, another reason."""


class IdentifierTaken(Exception):
    """Another appointment has this identifier."""


def alone(establishment_id: UUID, named: Identifier) -> None:
    """Let nobody else create or change what bears this identifier until the end of the transaction: two messages about
    one appointment follow one another."""
    key = f"appointment {establishment_id} {named[0]}|{named[1]}"
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))


def hold_still(appointment_id: UUID) -> None:
    """Let nobody else change it, so that its version is still the one that was read."""
    session.execute(select(Appointment.id).where(Appointment.id == appointment_id).with_for_update(key_share=True))


def declare(establishment_id: UUID, told: Told, ipp: str) -> Appointment:
    """Take a time for a patient of the hospital. ipp: the system of its patient numbers.

    Raises NobodyKnown, SeveralKnown, NoTimeSaid, IdentifierTaken, AlreadyOver (nothing to cancel), and as the engine.
    """
    if told.state == states.CANCELLED:
        raise AlreadyOver
    patient_id = whom(establishment_id, told, ipp)
    reason_id, slot = _time_of(establishment_id, told)
    made = actions.book_by_phone(patient_id, reason_id, slot)
    _name(made, told.identifiers)
    _go_to(made, told)
    return made


def change(appointment: Appointment, told: Told, ipp: str) -> None:
    """Bring an appointment to what was said: moved, cancelled, arrived, seen, missed; nothing when it is so already.

    Raises Differs, NobodyKnown, NoTimeSaid, IdentifierTaken, states.NotAllowed, and as the engine.
    """
    if told.patient and whom(appointment.establishment_id, told, ipp) != appointment.patient_id:
        raise Differs
    if told.reason_id not in (None, appointment.reason_id):
        raise Differs
    if appointment.state == states.CANCELLED != told.state:
        raise AlreadyOver
    if told.state != states.CANCELLED and (slot := _elsewhere(appointment, told)):
        if (appointment.state, told.state) != (states.BOOKED, states.BOOKED):
            raise Differs
        actions.move_for_patient(appointment, slot, "patient_asked")
    _name(appointment, told.identifiers)
    _go_to(appointment, told)


def whom(establishment_id: UUID, told: Told, ipp: str) -> UUID:
    """The one patient of the hospital under these identifiers. Raises NobodyKnown, SeveralKnown."""
    found = records.patients(establishment_id, told.patient, ipp)
    if not found:
        raise NobodyKnown
    if len(found) > 1:
        raise SeveralKnown
    return found[0]


def read(appointment: Appointment) -> None:
    """Write down that a machine read it."""
    actions.open_appointment(appointment)


def read_list(establishment_id: UUID, count: int) -> None:
    """Write down that a machine read a list of them."""
    audit.record("appointment_list.read", establishment_id=establishment_id, count=count)


def _time_of(establishment_id: UUID, told: Told) -> tuple[UUID, Slot]:
    if told.reason_id is None:
        raise NoTimeSaid
    of_hospital = select(Reason.id).where(
        Reason.id == told.reason_id, Reason.establishment_id == establishment_id, Reason.closed_at.is_(None)
    )
    if session.scalar(of_hospital) is None:
        raise NoTimeSaid
    if told.slot is not None:
        return told.reason_id, told.slot
    if told.start_at is None or not told.rpps:
        raise NoTimeSaid
    return told.reason_id, _slot_at(establishment_id, told.reason_id, told.start_at, told.rpps)


def _slot_at(establishment_id: UUID, reason_id: UUID, at: datetime, rpps: str) -> Slot:
    slot = records.slot_at(establishment_id, reason_id, at, rpps)
    if slot is None:
        raise NoTimeSaid
    return slot


def _elsewhere(appointment: Appointment, told: Told) -> Slot | None:
    """Where it should be, when that is not where it is."""
    here = Slot(appointment.session_id, appointment.first_cell)
    if told.slot is not None:
        return told.slot if told.slot != here else None
    rpps = told.rpps or appointment.practitioner.rpps
    if told.start_at in (None, appointment.start_at) and rpps == appointment.practitioner.rpps:
        return None
    at = told.start_at or appointment.start_at
    return _slot_at(appointment.establishment_id, appointment.reason_id, at, rpps)


def _go_to(appointment: Appointment, told: Told) -> None:
    if told.state == appointment.state:
        return
    if told.state == states.CANCELLED:
        actions.cancel_for_patient(appointment, told.why)
        return
    if told.state not in states.TRANSITIONS[appointment.state]:
        actions.correct(appointment)
    if told.state == states.ARRIVED:
        actions.arrive(appointment)
    elif told.state == states.DONE:
        actions.finish(appointment)
    elif told.state == states.MISSED:
        actions.miss(appointment, "unknown")
    elif appointment.state != states.BOOKED:
        actions.correct(appointment)


def _name(appointment: Appointment, identifiers: Collection[Identifier]) -> None:
    """Remember how the other system identifies it."""
    for system, value in identifiers:
        if value == appointment.reference:
            continue
        row = {
            "establishment_id": appointment.establishment_id,
            "system": system,
            "value": value,
            "appointment_id": appointment.id,
        }
        session.execute(insert(AppointmentIdentifier).values(row).on_conflict_do_nothing())
        key = (appointment.establishment_id, system, value)
        held = session.get(AppointmentIdentifier, key, populate_existing=True)
        if held is None or held.appointment_id != appointment.id:
            raise IdentifierTaken
