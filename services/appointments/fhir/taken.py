"""Time that is not free, for a machine of the hospital: by whom is never said.

A machine that may read appointments sees where each begins and ends, and what is kept for somebody; another, that the
practitioner is busy.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any
from uuid import UUID

from sqlalchemy import select

from portal import db
from portal.db import session
from portal.establishments import Establishment, Practitioner
from services.appointments import slots, states
from services.appointments.fhir.offer import MOST_SESSIONS, Reader, TooMuch, Wanted, practitioners
from services.appointments.models import Appointment, ConsultationSession, Hold

_LONGEST = timedelta(hours=15)


@dataclass(frozen=True)
class Stretch:
    """Cells of a session that are not free. is_kept: for somebody who has not confirmed yet."""

    session_id: UUID
    practitioner_id: UUID
    unit_id: UUID
    first_cell: int
    start_at: datetime
    end_at: datetime
    is_kept: bool
    tz: tzinfo


def stretches(establishment_id: UUID, wanted: Wanted) -> list[Stretch]:
    """In order of time. Raises TooMuch."""
    here = Reader(establishment_id)
    who = [each.id for each in practitioners(here, wanted) if each.establishment_id == establishment_id]
    rows = _sessions(establishment_id, wanted, who)
    if len(rows) > MOST_SESSIONS:
        raise TooMuch
    keys = [row.id for row in rows]
    owned = _owned(keys)
    tz = session.get_one(Establishment, establishment_id).tz
    found = [each for row in rows for each in _in_session(row, owned.get(row.id, ()), tz)]
    within = (each for each in found if wanted.since <= each.start_at < wanted.until)
    return sorted(within, key=lambda each: (each.start_at, str(each.practitioner_id), each.first_cell))


def one(establishment_id: UUID, session_id: UUID, first_cell: int) -> Stretch | None:
    """What fills a session from this cell on."""
    opened = session.get(ConsultationSession, session_id)
    if opened is None:
        return None
    wanted = Wanted(opened.start_at, opened.start_at + _LONGEST, practitioners=[opened.practitioner_id])
    found = stretches(establishment_id, wanted)
    return next((each for each in found if (each.session_id, each.first_cell) == (session_id, first_cell)), None)


def _sessions(establishment_id: UUID, wanted: Wanted, who: Iterable[UUID]) -> Sequence[Any]:
    table = ConsultationSession
    columns: tuple[Any, ...] = (
        table.id, table.start_at, table.step_min, table.n_cells, table.open, table.free, table.unit_id,
        table.practitioner_id,
    )  # fmt: skip
    query = select(*columns).where(
        table.establishment_id == establishment_id,
        table.practitioner_id.in_(list(who)),
        table.start_at > wanted.since - _LONGEST,
        table.start_at < wanted.until,
        table.free != table.open,
    )
    if wanted.schedules is not None:
        query = query.where(table.unit_id.in_([unit for _practitioner, unit in wanted.schedules]))
    return session.execute(query.limit(MOST_SESSIONS + 1)).all()


def _owned(keys: Sequence[UUID]) -> dict[UUID, list[tuple[int, int, bool]]]:
    """Session → (first cell, cells, whether it is only kept) of what this machine may see."""
    live = (states.BOOKED, states.ARRIVED, states.DONE, states.MISSED)
    made = select(Appointment.session_id, Appointment.first_cell, Appointment.n_cells).where(
        Appointment.session_id.in_(keys), Appointment.state.in_(live), ~Appointment.beyond
    )
    kept = select(Hold.session_id, Hold.first_cell, Hold.n_cells).where(
        Hold.session_id.in_(keys), Hold.expires_at > db.now()
    )
    found: dict[UUID, list[tuple[int, int, bool]]] = {}
    for query, is_kept in ((kept, True), (made, False)):
        for key, first, count in session.execute(query):
            found.setdefault(key, []).append((first, count, is_kept))
    return found


def _in_session(row: Any, owned: Iterable[tuple[int, int, bool]], tz: tzinfo) -> Iterator[Stretch]:
    left = row.open & ~row.free
    for first, count, is_kept in owned:
        if left & slots.mask(first, count):
            left &= ~slots.mask(first, count)
            yield _stretch(row, first, count, is_kept=is_kept, tz=tz)
    while left:
        first = (left & -left).bit_length() - 1
        count = 1
        while left >> (first + count) & 1:
            count += 1
        left &= ~slots.mask(first, count)
        yield _stretch(row, first, count, is_kept=False, tz=tz)


def _stretch(row: Any, first: int, count: int, *, is_kept: bool, tz: tzinfo) -> Stretch:
    step = timedelta(minutes=row.step_min)
    begins = row.start_at + first * step
    return Stretch(row.id, row.practitioner_id, row.unit_id, first, begins, begins + count * step, is_kept, tz)


def people(keys: Iterable[UUID]) -> dict[UUID, Practitioner]:
    """The practitioners of these stretches."""
    return {each.id: each for each in session.scalars(select(Practitioner).where(Practitioner.id.in_(list(keys))))}
