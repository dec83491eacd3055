"""Keeping a time for somebody while they fill a form: ten minutes, one at a time, given back by itself."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, func, select

from portal import audit, db, jobs
from portal.db import session
from services.appointments.actions import booking, capacity
from services.appointments.actions.booking import Asked
from services.appointments.actions.capacity import Time
from services.appointments.actions.facts import HoldEnded
from services.appointments.models import Appointment, Hold
from services.appointments.slots import Slot

KEPT_FOR = timedelta(minutes=10)
KEPT_AT_MOST = timedelta(minutes=30)
"""However often it is asked for again: a time must not be kept from others for ever."""
_SWEPT_AT_ONCE = 200


def hold(reason_id: UUID, slot: Slot) -> Hold:
    """Keep a slot for the signed-in person, instead of what was kept for them before.

    Raises SlotTaken, NotBookable: what was kept before stays kept when the transaction is rolled back.
    """
    account_id = db.current_actor().account_id
    assert account_id is not None, "only a signed-in person holds a slot"
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"hold {account_id}", 0))))  # two tabs
    former = session.scalar(select(Hold).where(Hold.account_id == account_id).with_for_update(key_share=True))
    wanted = booking.asked(booking.ONLINE, reason_id, slot)
    if former is not None:
        capacity.hold_still([former.session_id, slot.session_id])
    time = wanted.place(former.id if former else uuid4(), "web", beside=former)
    return _keep(former, wanted, time) if former else _keep_first(account_id, wanted, time)


def _keep_first(account_id: UUID, wanted: Asked, time: Time) -> Hold:
    capacity.take(time, account_id=account_id)
    kept = Hold(id=time.owner_id, account_id=account_id, expires_at=db.now() + KEPT_FOR, **_where(wanted, time))
    session.add(kept)
    session.flush()
    _tell_kept(kept)
    return kept


def _keep(former: Hold, wanted: Asked, time: Time) -> Hold:
    now, is_the_same = db.now(), (former.session_id, former.first_cell) == (time.session_id, time.first_cell)
    capacity.retake(former, time, None)
    for name, value in _where(wanted, time).items():
        setattr(former, name, value)
    former.created_at = former.created_at if is_the_same else now
    former.expires_at = min(now + KEPT_FOR, former.created_at + KEPT_AT_MOST)
    session.flush()
    _tell_kept(former)
    return former


def _tell_kept(kept: Hold) -> None:
    audit.record(
        "appointment_time.kept",
        patient_id=kept.patient_id,
        establishment_id=kept.establishment_id,
        object_kind="hold",
        object_id=kept.id,
    )


def keep_for(patient_id: UUID, reason_id: UUID, slot: Slot, until: datetime, purpose: str) -> Hold:
    """Keep a time that is proposed by an agent, or offered because it came free, until the patient answers.

    purpose: `proposal` (an agent sees every cell) or `offer` (as patients online). The patient's own time is claimed
    only when they accept. Raises SlotTaken, NotBookable.
    """
    wanted = booking.asked(booking.ANY if purpose == "proposal" else booking.ONLINE, reason_id, slot)
    by_agent = purpose == "proposal"
    time = wanted.place(uuid4(), "phone" if by_agent else "web")
    capacity.take_for(time, patient_id, by_agent=by_agent)
    kept = Hold(id=time.owner_id, patient_id=patient_id, purpose=purpose, expires_at=until, **_where(wanted, time))
    session.add(kept)
    session.flush()
    _tell_kept(kept)
    return kept


def _where(wanted: Asked, time: Time) -> dict[str, Any]:
    return {
        "establishment_id": time.establishment_id,
        "reason_id": wanted.reason.id,
        "session_id": time.session_id,
        "practitioner_id": time.practitioner_id,
        "first_cell": time.first_cell,
        "n_cells": time.n_cells,
        "start_at": time.start_at,
        "end_at": time.end_at,
    }


def confirm(hold_id: UUID, patient_id: UUID, channel: str = "web") -> Appointment:
    """Book what was kept. channel: `phone` when an agent says yes for the patient, who is on the line.

    Raises HoldEnded when it was given back meanwhile, and as `booking.book` does.
    """
    kept = _lock(hold_id, patient_id)
    is_form = kept.purpose == "form"
    asking = booking.ONLINE if is_form else booking.ANY
    wanted = booking.asked(asking, kept.reason_id, Slot(kept.session_id, kept.first_cell), patient_id)
    if is_form:
        booking.check_patient(wanted)
    return booking.confirm(kept, patient_id, wanted, channel)


def move_to(hold_id: UUID, appointment: Appointment, channel: str = "web") -> None:
    """Move an appointment to the time that was kept for its patient. channel: as `confirm`'s.

    Raises HoldEnded, and as `move_to_offer` does.
    """
    booking.lock(appointment)
    booking.move_to_offer(appointment, _lock(hold_id, appointment.patient_id), channel)


def _lock(hold_id: UUID, patient_id: UUID) -> Hold:
    kept = session.get(Hold, hold_id, with_for_update={"key_share": True}, populate_existing=True)
    if kept is None or kept.expires_at <= db.now() or kept.patient_id not in (None, patient_id):
        raise HoldEnded
    return kept


def give_up(kept: Hold) -> None:
    """Give back what was kept for somebody."""
    capacity.give_back(kept)
    session.execute(delete(Hold).where(Hold.id == kept.id))
    session.expunge(kept)


def sweep(limit: int = _SWEPT_AT_ONCE) -> int:
    """Give back every time kept too long; returns how many. Late, it only hides a slot: it never gives one twice."""
    query = select(Hold).where(Hold.expires_at <= db.now()).order_by(Hold.session_id, Hold.id).limit(limit)
    ended: Sequence[Hold] = session.scalars(query.with_for_update(skip_locked=True, key_share=True)).all()
    for kept in ended:
        give_up(kept)
    return len(ended)


@jobs.periodic("* * * * * */10", "appointments.sweep_holds")
def sweep_now() -> None:
    with jobs.reading():
        sweep()
