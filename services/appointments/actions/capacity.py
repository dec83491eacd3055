"""Taking time and giving it back: the session's free cells, and everybody's claims. Nothing else writes either.

Locks are always taken in this order: the appointment or hold, its sessions by id, then claims by (resource, cell);
claims are deleted last, when there is nothing left to wait for. So bookings, moves and cancellations never wait for
each other in a circle.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import case, delete, select, text, update

from portal.db import session
from services.appointments import slots
from services.appointments.actions.facts import PatientBusy, SlotTaken
from services.appointments.models import Appointment, Claim, ConsultationSession, Hold

OVERBOOKED_FROM = 100
"""Seats from this one on are those an agent added to what the session holds."""


@dataclass(frozen=True)
class Time:
    """Some of a session's time, for one owner: an appointment or a hold. busy_until: after the practitioner's pause.

    resources: the rooms, devices and interpreters it needs while the patient is there. is_counted: the session takes
    only so many of this reason. is_group: several patients at once.
    """

    owner_id: UUID
    establishment_id: UUID
    session_id: UUID
    practitioner_id: UUID
    first_cell: int
    n_cells: int
    start_at: datetime
    end_at: datetime
    busy_until: datetime
    reason_id: UUID
    is_counted: bool = False
    is_group: bool = False
    resources: tuple[UUID, ...] = ()

    @property
    def cells(self) -> int:
        """Its bits in the session's masks."""
        return slots.mask(self.first_cell, self.n_cells)


# Texts, made once: building a statement anew for each booking costs more than sending it.
# A group's cells stay free until its last seat is taken; everybody else's go with the first.
_RESERVED = """
update consultation_session
set free = case when capacity > 1 and seats_left > 1 then free else free & ~cast(:cells as bigint) end,
    seats_left = case when capacity > 1 then seats_left - 1 else seats_left end
where id = :session_id and free & cast(:cells as bigint) = cast(:cells as bigint)
returning capacity
"""
_RESERVE = text(_RESERVED)
_GIVE_BACK = text("""
update consultation_session
set free = free | (open & cast(:cells as bigint)),
    seats_left = case when capacity > 1 then least(seats_left + 1, capacity) else seats_left end
where id = :session_id
""")

_COUNT = text("""
update session_reason set taken = taken + 1
where reason_id = :reason_id and session_id = :session_id and (taken < most or :by_agent) returning taken
""")
_UNCOUNT = text("""
update session_reason set taken = taken - 1
where reason_id = :reason_id and session_id = :session_id and most is not null and taken > 0
""")

# A resource's claim names nobody, so that everybody who looks for a time may see that it is taken.
# In the order of the key, so that two bookings never wait for each other in a circle. `on conflict do nothing` waits
# for a booking under way, then tells by its absence which resource was taken, without spoiling the transaction.
_CLAIMED = """
insert into claim (resource_id, cell, seat, owner_id, patient_id, account_id, establishment_id)
select wanted.resource_id, cell, wanted.seat, :owner_id,
       case when wanted.named then cast(:patient_id as uuid) end,
       case when wanted.named then cast(:account_id as uuid) end, :establishment_id
from unnest(cast(:resources as uuid[]), cast(:seats as integer[]), cast(:lasts as integer[]), cast(:named as boolean[]))
       as wanted (resource_id, seat, last, named),
     generate_series(cast(:first as integer), wanted.last) as cell{reserved}
order by 1, 2
on conflict do nothing
returning resource_id
"""
_CLAIM = text(_CLAIMED.format(reserved=""))
# Both at once, for a session of one patient at a time: nothing is claimed where nothing could be reserved.
_RESERVE_AND_CLAIM = text(f"with reserved as ({_RESERVED}) {_CLAIMED.format(reserved=', reserved')}")
_OWNED = text("""
select resource_id from claim where owner_id = :owner_id and cell >= :first
""")
_LET_GO = text("""
delete from claim c where c.owner_id = :owner_id and not exists (
  select 1 from unnest(cast(:resources as uuid[]), cast(:seats as integer[]), cast(:lasts as integer[]))
                as wanted (resource_id, seat, last)
  where c.resource_id = wanted.resource_id and c.seat = wanted.seat and c.cell between :first and wanted.last)
""")
# The session's row is held by whoever asks, so nobody of the same session draws the same seat.
_NEXT_SEAT = text("""
select min(seat) from generate_series(cast(:lowest as integer), cast(:lowest as integer) + 999) as seat
where not exists (select 1 from claim c where c.resource_id = :resource_id and c.seat = seat.seat
                  and c.cell between :first and :last)
""")


def hold_still(session_ids: Collection[UUID]) -> None:
    """Let nobody else change these sessions until the end of the transaction, always in the same order."""
    wanted = select(ConsultationSession.id).where(ConsultationSession.id.in_(session_ids))
    session.execute(wanted.order_by(ConsultationSession.id).with_for_update(key_share=True))


Watch = Callable[[UUID], None]
_watches: list[Watch] = []


def when_freed(watch: Watch) -> None:
    """Call this, in the transaction that frees some time of a session, with the session's id."""
    if watch not in _watches:
        _watches.append(watch)


def tell_freed(session_id: UUID) -> None:
    """Some time of this session, already written, is free again."""
    for watch in _watches:
        watch(session_id)


def take(time: Time, patient_id: UUID | None = None, *, account_id: UUID | None = None, by_agent: bool = False) -> None:
    """Take the session's cells, the practitioner's time, the resources and the patient's time, when a hold is not for
    somebody yet to be named.

    Raises SlotTaken, at once when the slot was taken before, or PatientBusy: nobody is in two places.
    """
    if not time.is_group and not time.is_counted:
        _claim(time, patient_id, account_id, 0, and_reserve=True)
        return
    capacity = session.scalar(_RESERVE, {"session_id": time.session_id, "cells": time.cells})
    if capacity is None:
        raise SlotTaken
    _count(time, by_agent=by_agent)
    _claim(time, patient_id, account_id, _seat(time, 0) if capacity > 1 else 0)


def take_for(time: Time, patient_id: UUID, *, by_agent: bool) -> None:
    """Take everything but the patient's own time, for a hold that waits for their answer. Raises SlotTaken."""
    capacity = session.scalar(_RESERVE, {"session_id": time.session_id, "cells": time.cells})
    if capacity is None:
        raise SlotTaken
    _count(time, by_agent=by_agent)
    _claim(time, None, None, _seat(time, 0) if capacity > 1 else 0, concerning=patient_id)


def retake(owner: Appointment | Hold, time: Time, patient_id: UUID | None, *, by_agent: bool = False) -> None:
    """Give back what the owner has and take this instead, which may overlap it. Raises SlotTaken, PatientBusy."""
    stays = (owner.session_id, owner.reason_id) == (time.session_id, time.reason_id)
    _free_cells(owner)
    capacity = session.scalar(_RESERVE, {"session_id": time.session_id, "cells": time.cells})
    if capacity is None:
        raise SlotTaken
    if not stays:
        _uncount(owner)
        _count(time, by_agent=by_agent)
    account_id = owner.account_id if isinstance(owner, Hold) else None
    _claim(time, patient_id, account_id, _seat(time, 0) if capacity > 1 else 0, again=True)
    tell_freed(owner.session_id)


def take_beyond(time: Time, patient_id: UUID) -> None:
    """An agent squeezes somebody in: a seat more, whatever is free. Raises PatientBusy."""
    hold_still([time.session_id])
    _count(time, by_agent=True)
    _claim(time, patient_id, None, _seat(time, OVERBOOKED_FROM))


def take_patient(time: Time, patient_id: UUID) -> None:
    """The patient's time, for an owner who has the practitioner's. Raises PatientBusy."""
    wanted = _Wanted.of(time, [(patient_id, 0, time.end_at)])
    if not wanted.are_claimed(session.scalars(_CLAIM, wanted.values(time, patient_id, None)), patient_id):
        raise PatientBusy


def replace_by(appointment: Appointment, hold: Hold, time: Time) -> None:
    """Give back what the appointment has, and give it what was kept for its patient. Raises PatientBusy."""
    hold_still([appointment.session_id, hold.session_id])
    _free_cells(appointment)
    _uncount(appointment)
    rows = session.execute(select(Claim.resource_id, Claim.seat).where(Claim.owner_id == hold.id))
    seats = {row.resource_id: row.seat for row in rows}
    hand_over(hold, appointment)
    kept = replace(time, resources=tuple(each for each in seats if each not in {time.practitioner_id}))
    _claim(kept, appointment.patient_id, None, seats[time.practitioner_id], again=True)
    tell_freed(appointment.session_id)


def give_back(owner: Appointment | Hold) -> None:
    """Free the session's cells and every claim of the owner."""
    _free_cells(owner)
    _uncount(owner)
    session.execute(delete(Claim).where(Claim.owner_id == owner.id))
    tell_freed(owner.session_id)


def _count(time: Time, *, by_agent: bool) -> None:
    if time.is_counted:
        asked = {"reason_id": time.reason_id, "session_id": time.session_id, "by_agent": by_agent}
        if session.scalar(_COUNT, asked) is None:
            raise SlotTaken


def _free_cells(owner: Appointment | Hold) -> None:
    if not (isinstance(owner, Appointment) and owner.beyond):
        cells = slots.mask(owner.first_cell, owner.n_cells)
        session.execute(_GIVE_BACK, {"session_id": owner.session_id, "cells": cells})


def _uncount(owner: Appointment | Hold) -> None:
    session.execute(_UNCOUNT, {"reason_id": owner.reason_id, "session_id": owner.session_id})


def hand_over(hold: Hold, appointment: Appointment) -> None:
    """What was kept for the person becomes their appointment's; the session's cells do not move."""
    is_nobodys = Claim.patient_id.is_(None) & Claim.account_id.is_(None)
    session.execute(
        update(Claim)
        .where(Claim.owner_id == hold.id)
        .values(
            owner_id=appointment.id,
            patient_id=case((is_nobodys, None), else_=appointment.patient_id),
            account_id=None,
        )
    )


def _claim(
    time: Time,
    patient_id: UUID | None,
    account_id: UUID | None,
    seat: int,
    *,
    again: bool = False,
    and_reserve: bool = False,
    concerning: UUID | None = None,
) -> None:
    """again: what the owner has already counts, and what they do not need any more is let go. and_reserve:
    take the session's cells too. concerning: whom the claims are for, when their own time is not claimed yet."""
    resources = [(time.practitioner_id, seat, time.busy_until), *((each, 0, time.end_at) for each in time.resources)]
    if patient_id is not None:
        resources.append((patient_id, 0, time.end_at))
    wanted = _Wanted.of(time, resources)
    values = wanted.values(time, patient_id or concerning, account_id)
    if and_reserve:
        values |= {"session_id": time.session_id, "cells": time.cells}
    claimed = session.scalars(_RESERVE_AND_CLAIM if and_reserve else _CLAIM, values).all()
    if again:
        session.execute(_LET_GO, values)
        claimed = session.scalars(_OWNED, values).all()
    if not all(wanted.are_claimed(claimed, each) for each in (time.practitioner_id, *time.resources)):
        raise SlotTaken
    if patient_id is not None and not wanted.are_claimed(claimed, patient_id):
        raise PatientBusy


@dataclass(frozen=True)
class _Wanted:
    """Cells that an owner needs of each resource, all of them or none. seats, cells: resource → which."""

    seats: Mapping[UUID, int]
    cells: Mapping[UUID, range]

    @classmethod
    def of(cls, time: Time, resources: Iterable[tuple[UUID, int, datetime]]) -> "_Wanted":
        """resources: (whose, in which seat, until when)."""
        listed = list(resources)
        return cls(
            {resource: seat for resource, seat, _until in listed},
            {resource: slots.claim_cells(time.start_at, until) for resource, _seat, until in listed},
        )

    def values(self, time: Time, patient_id: UUID | None, account_id: UUID | None) -> dict[str, object]:
        return {
            "resources": list(self.cells),
            "seats": list(self.seats.values()),
            "named": [each not in time.resources for each in self.cells],
            "lasts": [each.stop - 1 for each in self.cells.values()],
            "first": slots.claim_cells(time.start_at, time.end_at).start,
            "owner_id": time.owner_id,
            "patient_id": patient_id,
            "account_id": account_id,
            "establishment_id": time.establishment_id,
        }

    def are_claimed(self, claimed: Iterable[UUID], resource_id: UUID) -> bool:
        return sum(each == resource_id for each in claimed) == len(self.cells[resource_id])


def _seat(time: Time, lowest: int) -> int:
    cells = slots.claim_cells(time.start_at, time.busy_until)
    found: int = session.scalars(
        _NEXT_SEAT,
        {"lowest": lowest, "resource_id": time.practitioner_id, "first": cells.start, "last": cells.stop - 1},
    ).one()
    return found
