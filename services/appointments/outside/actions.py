"""What the hospital's own agenda says: this practitioner is busy then, or not any more.

Words come in any order, twice or late, and the end is the same: the newest word about each external id wins. Locks
are taken in the engine's order (sessions by id, then claims by resource and cell, deletions last), after one lock per
hospital that only these actions take.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, select, text

from portal import audit, db
from portal.db import session
from portal.establishments import Practitioner
from services.appointments.actions import capacity
from services.appointments.models import Appointment
from services.appointments.outside import spans
from services.appointments.outside.models import OutsideTime
from services.appointments.outside.spans import Span

ADDED, CHANGED, REMOVED, UNCHANGED, LATE = "added", "changed", "removed", "unchanged", "late"


class NotATime(Exception):
    """It ends before it starts, or lasts longer than a day."""


class UnknownPractitioner(Exception):
    """This hospital has no such practitioner."""


@dataclass(frozen=True)
class Word:
    """What the hospital's agenda said of one time of a practitioner, and when. external_id: its own number for it."""

    external_id: str
    practitioner_id: UUID
    start_at: datetime
    end_at: datetime
    is_busy: bool
    said_at: datetime

    @property
    def rank(self) -> tuple[object, ...]:
        """The greatest wins. Two words of the same moment are told apart the same way whichever comes first."""
        return self.said_at, not self.is_busy, self.start_at, self.end_at, str(self.practitioner_id)

    @property
    def span(self) -> Span:
        return Span(self.practitioner_id, self.start_at, self.end_at)


def take_outside(
    establishment_id: UUID,
    external_id: str,
    practitioner_id: UUID,
    start_at: datetime,
    end_at: datetime,
    *,
    said_at: datetime | None = None,
) -> str:
    """The practitioner is busy elsewhere then: nobody may book that time any more. Told again, it moves.

    said_at: when the hospital's agenda said so (now when it does not tell). Returns ADDED, CHANGED, UNCHANGED or LATE
    (something newer is known). Raises NotATime, UnknownPractitioner.
    """
    word = Word(external_id, practitioner_id, start_at, end_at, True, said_at or db.now())
    return hear(establishment_id, [word])[external_id]


def free_outside(establishment_id: UUID, external_id: str, *, said_at: datetime | None = None) -> str:
    """It is cancelled there: the time may be booked again, unless something else fills it. Returns REMOVED,
    UNCHANGED (nothing is known of it, or it was free) or LATE."""
    known = _known(establishment_id, [external_id]).get(external_id)
    if known is None:
        return UNCHANGED
    word = Word(external_id, known.practitioner_id, known.start_at, known.end_at, False, said_at or db.now())
    return hear(establishment_id, [word])[external_id]


def hear(establishment_id: UUID, words: Collection[Word]) -> Mapping[str, str]:
    """Many words at once; returns external id → ADDED, CHANGED, REMOVED, UNCHANGED or LATE. Raises as `take_outside`
    does, before anything is written."""
    _check(establishment_id, words)
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"outside {establishment_id}", 0))))
    newest = {word.external_id: word for word in sorted(words, key=lambda each: each.rank)}
    known = _known(establishment_id, newest)
    former = {row.id: _word(row) for row in known.values()}
    outcomes, changed = dict[str, str](), list[OutsideTime]()
    for external_id, word in sorted(newest.items()):
        row = known.get(external_id)
        outcomes[external_id] = _outcome(_word(row) if row else None, word)
        if row is None or outcomes[external_id] != LATE:
            row = _write(establishment_id, row, word)
            changed += [row] if outcomes[external_id] != UNCHANGED else []
    session.flush()
    _settle(changed, [former[row.id] for row in changed if row.id in former])
    _audit(establishment_id, list(outcomes.values()))
    return outcomes


def _check(establishment_id: UUID, words: Collection[Word]) -> None:
    for word in words:
        if not word.start_at < word.end_at <= word.start_at + spans.LONGEST:
            raise NotATime
    wanted = {word.practitioner_id for word in words}
    here = (Practitioner.establishment_id == establishment_id) & Practitioner.id.in_(wanted)
    if session.scalar(select(func.count()).select_from(Practitioner).where(here)) != len(wanted):
        raise UnknownPractitioner


def _known(establishment_id: UUID, external_ids: Iterable[str]) -> dict[str, OutsideTime]:
    query = select(OutsideTime).where(
        OutsideTime.establishment_id == establishment_id, OutsideTime.external_id.in_(list(external_ids))
    )
    rows = session.scalars(query.execution_options(populate_existing=True))
    return {row.external_id: row for row in rows}


def _word(row: OutsideTime) -> Word:
    return Word(row.external_id, row.practitioner_id, row.start_at, row.end_at, row.is_busy, row.said_at)


def _outcome(known: Word | None, said: Word) -> str:
    if known is None:
        return ADDED if said.is_busy else UNCHANGED
    if said.rank < known.rank:
        return UNCHANGED if (said.is_busy, said.span) == (known.is_busy, known.span) else LATE
    if said.is_busy:
        return UNCHANGED if known.is_busy and said.span == known.span else CHANGED
    return REMOVED if known.is_busy else UNCHANGED


def _write(establishment_id: UUID, row: OutsideTime | None, word: Word) -> OutsideTime:
    if row is None:
        row = OutsideTime(id=uuid4(), establishment_id=establishment_id, external_id=word.external_id)
        row.said_at = word.said_at
        session.add(row)
    elif word.rank < _word(row).rank:
        return row
    row.practitioner_id, row.start_at, row.end_at = word.practitioner_id, word.start_at, word.end_at
    row.is_busy, row.said_at = word.is_busy, word.said_at
    return row


def _audit(establishment_id: UUID, outcomes: Sequence[str]) -> None:
    counts = {what: outcomes.count(what) for what in (ADDED, CHANGED, REMOVED)}
    if any(counts.values()):
        audit.record(
            "outside_time.heard",
            establishment_id=establishment_id,
            added=counts[ADDED],
            changed=counts[CHANGED],
            removed=counts[REMOVED],
        )


def open_clashes(found: Collection[Appointment]) -> None:
    """An agent looks at the appointments that clash with the hospital's agenda: names are shown."""
    for establishment_id in sorted({each.establishment_id for each in found}):
        audit.record("appointment_list.opened", establishment_id=establishment_id, object_kind="clashes")


# -- sessions that open, appointments that go --------------------------------------------------------------------


def cover(session_ids: Collection[UUID]) -> int:
    """Take from these sessions, which were just opened or have just lost an appointment, what is busy elsewhere;
    returns of how many. Who cancels needs no right on the hospital's agenda: what it fills names nobody."""
    found = session.execute(_FILLED, {"session_ids": list(session_ids)}).all()
    if not found:
        return 0
    touched = {row.session_id for row in found}
    capacity.hold_still(touched)
    session.execute(_CLAIM, _claims((row.outside_id, row.establishment_id, _within(row)) for row in found))
    for session_id in sorted(touched):
        filled = [
            Span(row.practitioner_id, row.busy_from, row.busy_until) for row in found if row.session_id == session_id
        ]
        opened = next(row for row in found if row.session_id == session_id)
        session.execute(_UNMASK, {"session_id": session_id, "cells": spans.bits(opened, filled)})
    return len(touched)


def cover_opened(session_ids: Collection[UUID]) -> None:
    """Sessions open time that the hospital's agenda fills."""
    cover(session_ids)


def cover_freed(session_id: UUID) -> None:
    """An appointment gave time back while the hospital's agenda fills it."""
    cover([session_id])


def mend(limit: int = 500) -> int:
    """Cover what opened while the hospital's agenda was telling of it, each unaware of the other; how many."""
    return cover(session.scalars(_OFFERED_THOUGH_BUSY, {"now": db.now(), "limit": limit}).all())


def _within(row: Any) -> Span:
    """Only what the session holds: its row is locked, so nobody else is claiming there."""
    opened = _span(row)
    return Span(row.practitioner_id, max(row.busy_from, opened.start_at), min(row.busy_until, opened.end_at))


# -- masks and claims --------------------------------------------------------------------------------------------

_SPANS = """
unnest(cast(:practitioners as uuid[]), cast(:starts as timestamptz[]), cast(:ends as timestamptz[]))
       as span (practitioner_id, start_at, end_at)
"""
_SESSION_END = "s.start_at + s.n_cells * s.step_min * interval '1 minute'"
# A session lasts fifteen hours at most, and what is busy elsewhere a day: what the indexes are searched by.
_LOCK_SESSIONS = text(f"""
select s.id, s.practitioner_id, s.start_at, s.step_min, s.n_cells, s.open, s.free, s.capacity, s.seats_left
from consultation_session s
where s.id in (
  select s.id from {_SPANS} join consultation_session s on s.practitioner_id = span.practitioner_id
  where s.start_at > span.start_at - interval '15 hours' and s.start_at < span.end_at
    and {_SESSION_END} > span.start_at)
order by s.id for no key update
""")
_BUSY = text(f"""
select distinct t.id, t.practitioner_id, t.start_at, t.end_at
from {_SPANS} join outside_time t on t.practitioner_id = span.practitioner_id
where t.is_busy and t.start_at > span.start_at - interval '25 hours' and t.start_at < span.end_at
  and t.end_at > span.start_at
""")
_CLAIM = text("""
insert into claim (resource_id, cell, seat, owner_id, establishment_id)
select wanted.practitioner_id, cell, 0, wanted.owner_id, wanted.establishment_id
from unnest(cast(:owners as uuid[]), cast(:establishments as uuid[]), cast(:practitioners as uuid[]),
            cast(:firsts as integer[]), cast(:lasts as integer[]))
       as wanted (owner_id, establishment_id, practitioner_id, first, last),
     generate_series(wanted.first, wanted.last) as cell
order by 1, 2, 4
on conflict do nothing
""")
_CLAIMED = text("""
select cell from claim
where resource_id = :practitioner_id and cell between :first and :last and seat < :beyond
  and owner_id <> all(cast(:but as uuid[]))
""")
_HAND_OVER = text("""
update claim set owner_id = :to_id
where owner_id = any(cast(:from_ids as uuid[])) and owner_id <> :to_id
  and resource_id = :practitioner_id and cell between :first and :last
""")
_LET_GO = text("""
delete from claim c where c.owner_id = any(cast(:gone as uuid[])) and not exists (
  select 1 from unnest(cast(:owners as uuid[]), cast(:practitioners as uuid[]), cast(:firsts as integer[]),
                       cast(:lasts as integer[])) as kept (owner_id, practitioner_id, first, last)
  where c.owner_id = kept.owner_id and c.resource_id = kept.practitioner_id and c.cell between kept.first and kept.last)
""")
_UNMASK = text("update consultation_session set free = free & ~cast(:cells as bigint) where id = :session_id")
_JOINED = f"""
from consultation_session s join outside_time t on t.practitioner_id = s.practitioner_id and t.is_busy
  and t.start_at > s.start_at - interval '25 hours' and t.start_at < {_SESSION_END} and t.end_at > s.start_at
"""
_FILLED = text(f"""
select s.id as session_id, s.practitioner_id, s.start_at, s.step_min, s.n_cells, s.establishment_id,
       t.id as outside_id, t.start_at as busy_from, t.end_at as busy_until
{_JOINED} where s.id = any(cast(:session_ids as uuid[])) order by t.id
""")
_MINUTES_IN = "extract(epoch from {moment} - s.start_at) / 60 / s.step_min"
_FIRST = f"greatest(0, floor({_MINUTES_IN.format(moment='t.start_at')}))::integer"
_LAST = f"least(s.n_cells, ceil({_MINUTES_IN.format(moment='t.end_at')}))::integer"
_OFFERED_THOUGH_BUSY = text(f"""
select distinct s.id {_JOINED}
where s.start_at > cast(:now as timestamptz) - interval '15 hours'
  and s.free & ((1::bigint << {_LAST}) - (1::bigint << {_FIRST})) <> 0
limit :limit
""")
_MASK = text("update consultation_session set free = :free where id = :session_id")


def _settle(changed: Sequence[OutsideTime], former: Sequence[Word]) -> None:
    """Make claims and masks say what these rows say now; `former`: what they said before."""
    if not changed:
        return
    gone = [word.span for word in former if word.is_busy]
    busy = [(row, _word(row).span) for row in changed if row.is_busy]
    opened = session.execute(_LOCK_SESSIONS, _listed([*gone, *(span for _row, span in busy)])).all()
    others = session.execute(_BUSY, _listed([*gone, *(_span(each) for each in opened)])).all()
    session.execute(_CLAIM, _claims((row.id, row.establishment_id, span) for row, span in busy))
    filled = [Span(each.practitioner_id, each.start_at, each.end_at) for each in others]
    but = [row.id for row in changed]
    freed = [each.id for each in opened if _mask(each, gone, filled, but)]
    for other in others if gone else ():
        _hand_over(other, [row.id for row in changed if row.id != other.id])
    kept = _claims((row.id, row.establishment_id, span) for row, span in busy)
    session.execute(_LET_GO, kept | {"gone": but})
    for session_id in freed:
        capacity.tell_freed(session_id)


def _mask(opened: Any, gone: Collection[Span], filled: Collection[Span], but: Collection[UUID]) -> bool:
    """Write the session's free cells; whether some came free."""
    busy = spans.bits(opened, filled)
    freed = spans.bits(opened, gone) & opened.open & ~opened.free & ~busy
    if freed and not (opened.capacity > 1 and opened.seats_left > 0):
        freed &= ~spans.claimed_bits(opened, _claimed(opened, but))
    free = (opened.free & ~busy) | freed
    if free != opened.free:
        session.execute(_MASK, {"session_id": opened.id, "free": free})
    return bool(freed)


def _claimed(opened: Any, but: Collection[UUID]) -> set[int]:
    cells = _span(opened).cells
    asked = {"practitioner_id": opened.practitioner_id, "first": cells.start, "last": cells.stop - 1}
    return set(session.scalars(_CLAIMED, asked | {"beyond": capacity.OVERBOOKED_FROM, "but": list(but)}))


def _hand_over(other: Any, from_ids: Sequence[UUID]) -> None:
    """What two lines of the hospital's agenda fill stays claimed when one of them goes."""
    cells = Span(other.practitioner_id, other.start_at, other.end_at).cells
    asked = {"to_id": other.id, "from_ids": list(from_ids), "practitioner_id": other.practitioner_id}
    session.execute(_HAND_OVER, asked | {"first": cells.start, "last": cells.stop - 1})


def _span(opened: Any) -> Span:
    return Span(
        opened.practitioner_id, opened.start_at, opened.start_at + opened.n_cells * timedelta(minutes=opened.step_min)
    )


def _listed(wanted: Collection[Span]) -> dict[str, object]:
    return {
        "practitioners": [span.practitioner_id for span in wanted],
        "starts": [span.start_at for span in wanted],
        "ends": [span.end_at for span in wanted],
    }


def _claims(wanted: Iterable[tuple[UUID, UUID, Span]]) -> dict[str, object]:
    listed = list(wanted)
    return {
        "owners": [owner_id for owner_id, _at, _span in listed],
        "establishments": [establishment_id for _owner, establishment_id, _span in listed],
        "practitioners": [span.practitioner_id for _owner, _at, span in listed],
        "firsts": [span.cells.start for _owner, _at, span in listed],
        "lasts": [span.cells.stop - 1 for _owner, _at, span in listed],
    }
