"""Taking time and giving it back: the session's free cells, and everybody's claims. Nothing else writes either.

Locks are always taken in this order: the appointment or hold, its sessions by id, then claims by (resource, cell);
claims are deleted last, when there is nothing left to wait for. So bookings, moves and cancellations never wait for
each other in a circle.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, text, update

from portal.db import session
from services.appointments import slots
from services.appointments.actions.facts import PatientBusy, SlotTaken
from services.appointments.models import Appointment, Claim, ConsultationSession, Hold

OVERBOOKED_FROM = 100
"""Seats from this one on are those an agent added to what the session holds."""


@dataclass(frozen=True)
class Time:
    """Some of a session's time, for one owner: an appointment or a hold. busy_until: after the practitioner's pause."""

    owner_id: UUID
    establishment_id: UUID
    session_id: UUID
    practitioner_id: UUID
    first_cell: int
    n_cells: int
    start_at: datetime
    end_at: datetime
    busy_until: datetime

    @property
    def cells(self) -> int:
        """Its bits in the session's masks."""
        return slots.mask(self.first_cell, self.n_cells)


# Texts, made once: building a statement anew for each booking costs more than sending it.
# A group's cells stay free until its last seat is taken; everybody else's go with the first.
_RESERVE = text("""
update consultation_session
set free = case when capacity > 1 and seats_left > 1 then free else free & ~cast(:cells as bigint) end,
    seats_left = case when capacity > 1 then seats_left - 1 else seats_left end
where id = :session_id and free & cast(:cells as bigint) = cast(:cells as bigint)
returning capacity
""")
_GIVE_BACK = text("""
update consultation_session
set free = free | (open & cast(:cells as bigint)),
    seats_left = case when capacity > 1 then least(seats_left + 1, capacity) else seats_left end
where id = :session_id
""")

# In the order of the key, so that two bookings never wait for each other in a circle. `on conflict do nothing` waits
# for a booking under way, then tells by its absence which resource was taken, without spoiling the transaction.
_CLAIM = text("""
insert into claim (resource_id, cell, seat, owner_id, patient_id, account_id, establishment_id)
select wanted.resource_id, cell, wanted.seat, :owner_id, :patient_id, :account_id, :establishment_id
from unnest(cast(:resources as uuid[]), cast(:seats as integer[]), cast(:lasts as integer[]))
       as wanted (resource_id, seat, last),
     generate_series(cast(:first as integer), wanted.last) as cell
order by 1, 2
on conflict do nothing
returning resource_id
""")
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


def take(time: Time, patient_id: UUID | None = None, *, account_id: UUID | None = None) -> None:
    """Take the session's cells, the practitioner's time and the patient's, whom a hold does not know yet.

    Raises SlotTaken, at once when the slot was taken before, or PatientBusy: nobody is in two places.
    """
    capacity = session.scalar(_RESERVE, {"session_id": time.session_id, "cells": time.cells})
    if capacity is None:
        raise SlotTaken
    _claim(time, patient_id, account_id, _seat(time, 0) if capacity > 1 else 0)


def retake(owner: Appointment | Hold, time: Time, patient_id: UUID | None) -> None:
    """Give back what the owner has and take this instead, which may overlap it. Raises SlotTaken, PatientBusy."""
    _free_cells(owner)
    capacity = session.scalar(_RESERVE, {"session_id": time.session_id, "cells": time.cells})
    if capacity is None:
        raise SlotTaken
    account_id = owner.account_id if isinstance(owner, Hold) else None
    _claim(time, patient_id, account_id, _seat(time, 0) if capacity > 1 else 0, again=True)


def take_beyond(time: Time, patient_id: UUID) -> None:
    """An agent squeezes somebody in: a seat more, whatever is free. Raises PatientBusy."""
    hold_still([time.session_id])
    _claim(time, patient_id, None, _seat(time, OVERBOOKED_FROM))


def take_patient(time: Time, patient_id: UUID) -> None:
    """The patient's time, for an owner who has the practitioner's. Raises PatientBusy."""
    wanted = _Wanted.of(time, [(patient_id, 0, time.end_at)])
    if not wanted.are_claimed(session.scalars(_CLAIM, wanted.values(time, patient_id, None)), patient_id):
        raise PatientBusy


def give_back(owner: Appointment | Hold) -> None:
    """Free the session's cells and every claim of the owner."""
    _free_cells(owner)
    session.execute(delete(Claim).where(Claim.owner_id == owner.id))


def _free_cells(owner: Appointment | Hold) -> None:
    if not (isinstance(owner, Appointment) and owner.beyond):
        cells = slots.mask(owner.first_cell, owner.n_cells)
        session.execute(_GIVE_BACK, {"session_id": owner.session_id, "cells": cells})


def hand_over(hold: Hold, appointment: Appointment) -> None:
    """What was kept for the person becomes their appointment's; the session's cells do not move."""
    session.execute(
        update(Claim)
        .where(Claim.owner_id == hold.id)
        .values(owner_id=appointment.id, patient_id=appointment.patient_id, account_id=None)
    )


def _claim(time: Time, patient_id: UUID | None, account_id: UUID | None, seat: int, *, again: bool = False) -> None:
    """again: what the owner has already counts, and what they do not need any more is let go."""
    resources = [(time.practitioner_id, seat, time.busy_until)]
    if patient_id is not None:
        resources.append((patient_id, 0, time.end_at))
    wanted = _Wanted.of(time, resources)
    values = wanted.values(time, patient_id, account_id)
    claimed = session.scalars(_CLAIM, values).all()
    if again:
        session.execute(_LET_GO, values)
        claimed = session.scalars(_OWNED, values).all()
    if not wanted.are_claimed(claimed, time.practitioner_id):
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
