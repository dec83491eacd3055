"""Consultation sessions that the hospital's own agenda opens, changes and removes.

Nobody booked is ever moved: a session that closes around its appointments keeps them, and the report counts them.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import exists, func, or_, select, text
from sqlalchemy.orm import joinedload

from portal import audit, calendar, db
from portal.db import session
from portal.establishments import Practitioner, Unit
from services.appointments import actions, slots, states
from services.appointments.actions import capacity, opening
from services.appointments.agendas.models import Absence
from services.appointments.models import Appointment, ConsultationSession, Hold, Reason, SessionReason
from services.appointments.outside import spans
from services.appointments.outside.actions import ADDED, CHANGED, LATE, REMOVED, UNCHANGED
from services.appointments.outside.models import OutsideSession
from services.appointments.outside.spans import Span


class Refused(Exception):
    """This session cannot be taken as it is told; the text says why, for whoever keeps the hospital's agenda."""


@dataclass(frozen=True)
class SessionWord:
    """What the hospital's agenda says of one session: wall-clock times of the hospital, names of the unit's reasons."""

    external_id: str
    uf: str
    rpps: str
    day: date
    opens: time
    closes: time
    step_min: int
    reasons: tuple[str, ...]
    capacity: int
    is_open: bool
    said_at: datetime

    @property
    def digest(self) -> str:
        """The same for two words that say the same, whenever they were said."""
        facts = (self.uf, self.rpps, self.day, self.opens, self.closes, self.step_min, self.capacity, self.is_open)
        said = "\n".join(map(str, (*facts, *sorted(name.casefold() for name in self.reasons))))
        return hashlib.sha256(said.encode()).hexdigest()

    @property
    def rank(self) -> tuple[datetime, str]:
        """The greatest wins; two words of the same moment are told apart the same way whichever comes first."""
        return self.said_at, self.digest


@dataclass(frozen=True)
class Heard:
    """outcome: ADDED, CHANGED, REMOVED, UNCHANGED or LATE. stranded: appointments to come left without open time."""

    outcome: str
    stranded: int = 0


def known(establishment_id: UUID, external_ids: Sequence[str]) -> Mapping[str, tuple[datetime, str]]:
    """External id → the rank of the newest word about it."""
    rows = session.scalars(
        select(OutsideSession).where(
            OutsideSession.establishment_id == establishment_id, OutsideSession.external_id.in_(external_ids)
        )
    )
    return {row.external_id: (row.said_at, row.content) for row in rows}


def hear_session(establishment_id: UUID, word: SessionWord) -> Heard:
    """Open, change or remove a session as told. Raises Refused before anything is written."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"outside {establishment_id}", 0))))
    row = session.get(OutsideSession, (establishment_id, word.external_id), populate_existing=True)
    if row is not None and word.rank <= (row.said_at, row.content):
        return Heard(UNCHANGED if word.digest == row.content else LATE)
    opened = _lock(row.session_id) if row and row.session_id else None
    heard, opened = _apply(establishment_id, word, opened, row)
    if row is None:
        row = OutsideSession(establishment_id=establishment_id, external_id=word.external_id)
        session.add(row)
    row.session_id = opened.id if opened else None
    row.content, row.said_at = word.digest, word.said_at
    session.flush()
    return heard


def _apply(
    establishment_id: UUID, word: SessionWord, opened: ConsultationSession | None, row: OutsideSession | None
) -> tuple[Heard, ConsultationSession | None]:
    if row is not None and word.digest == row.content:
        return Heard(UNCHANGED), opened
    if not word.is_open:
        is_there = opened is not None and opened.planned != 0
        return Heard(REMOVED, _remove(opened)) if opened and is_there else Heard(UNCHANGED), opened
    wanted = _Wanted.of(establishment_id, word, opened)
    if opened is None:
        return Heard(ADDED), wanted.open()
    if wanted.is_where(opened):
        return Heard(CHANGED, _stretch(opened, wanted)), opened
    if _occupied(opened):
        raise Refused("people are booked in the session as it was: move them first, then load this line again")
    _remove(opened)
    return Heard(CHANGED), wanted.open()


def _lock(session_id: UUID) -> ConsultationSession:
    capacity.hold_still([session_id])
    return session.get_one(ConsultationSession, session_id, populate_existing=True)


# -- what is wanted ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Wanted:
    """A word whose unit, practitioner, reasons and hours exist."""

    word: SessionWord
    unit: Unit
    practitioner: Practitioner
    reasons: Sequence[Reason]
    start_at: datetime
    count: int

    @classmethod
    def of(cls, establishment_id: UUID, word: SessionWord, opened: ConsultationSession | None) -> "_Wanted":
        unit = session.scalar(
            select(Unit)
            .options(joinedload(Unit.establishment))
            .where(Unit.establishment_id == establishment_id, Unit.uf == word.uf)
        )
        practitioner = session.scalar(
            select(Practitioner).where(
                Practitioner.establishment_id == establishment_id, Practitioner.rpps == word.rpps
            )
        )
        if unit is None or practitioner is None:
            raise Refused("uf: no such unit" if unit is None else "rpps: no such practitioner")
        start_at, end_at = _between(unit, word)
        count, rest = divmod(int((end_at - start_at).total_seconds()) // 60, word.step_min)
        if rest or not 1 <= count <= slots.MAX_CELLS:
            raise Refused(f"opens, closes: 1 to {slots.MAX_CELLS} times {word.step_min} minutes")
        _check_alone(practitioner, start_at, end_at, opened)
        return cls(word, unit, practitioner, _reasons(unit, word.reasons), start_at, count)

    def is_where(self, opened: ConsultationSession) -> bool:
        """Whether only its end or its reasons differ."""
        here = (opened.unit_id, opened.practitioner_id, opened.start_at, opened.step_min, opened.capacity)
        return here == (self.unit.id, self.practitioner.id, self.start_at, self.word.step_min, self.word.capacity)

    def open(self) -> ConsultationSession:
        word = self.word
        opened = actions.open_session(
            self.practitioner, self.unit, word.day, word.opens, word.closes, self.reasons, word.step_min, word.capacity
        )
        _set(opened, opened.n_cells, opened.open)
        opening.tell_opened([opened.id])
        session.refresh(opened)
        return opened


def _between(unit: Unit, word: SessionWord) -> tuple[datetime, datetime]:
    tz = unit.establishment.tz
    last_day = word.day if word.closes > word.opens else word.day + timedelta(days=1)
    start_at, end_at = calendar.to_utc(word.day, word.opens, tz), calendar.to_utc(last_day, word.closes, tz)
    if start_at is None or end_at is None:
        raise Refused("opens, closes: the clocks skip this time on that day")
    return start_at, end_at


def _reasons(unit: Unit, names: Sequence[str]) -> Sequence[Reason]:
    here = session.scalars(select(Reason).where(Reason.unit_id == unit.id, Reason.closed_at.is_(None)))
    found = {each.name.casefold(): each for each in here}
    if missing := [name for name in names if name.casefold() not in found]:
        raise Refused(f"reasons: the unit has no “{missing[0][:60]}”")
    return [found[name.casefold()] for name in names]


_OVERLAP = text("""
select exists (select 1 from consultation_session s
where s.practitioner_id = :practitioner_id and s.open <> 0 and s.id is distinct from cast(:but as uuid)
  and s.start_at > cast(:start_at as timestamptz) - interval '15 hours' and s.start_at < :end_at
  and s.start_at + s.n_cells * s.step_min * interval '1 minute' > :start_at)
""")


def _check_alone(
    practitioner: Practitioner, start_at: datetime, end_at: datetime, opened: ConsultationSession | None
) -> None:
    """A practitioner's time is offered once."""
    asked = {"practitioner_id": practitioner.id, "start_at": start_at, "end_at": end_at}
    if session.scalar(_OVERLAP, asked | {"but": opened.id if opened else None}):
        raise Refused("the practitioner already receives at that time, in another session")


# -- changes -----------------------------------------------------------------------------------------------------


def _remove(opened: ConsultationSession) -> int:
    """Close it; how many appointments to come are left. What was closed is not opened again by an absence's end."""
    _set(opened, opened.n_cells, 0)
    _record("removed", opened)
    return _stranded(opened)


def _stretch(opened: ConsultationSession, wanted: _Wanted) -> int:
    """Another end, other reasons; how many appointments to come are left outside."""
    _set(opened, max(opened.n_cells, wanted.count), slots.mask(0, wanted.count))
    _offer(opened, wanted.reasons)
    opening.tell_opened([opened.id])
    session.refresh(opened)
    _record("changed", opened)
    return _stranded(opened)


def _set(opened: ConsultationSession, n_cells: int, planned: int) -> None:
    """Plan these cells: open those that no absence closes, free those that nobody has."""
    opened.n_cells, opened.planned = n_cells, planned
    away, taken = _away(opened), _taken(opened)
    opened.open = planned & ~away
    opened.free = opened.open & ~taken
    session.flush()


def _away(opened: ConsultationSession) -> int:
    """The cells that an absence of the practitioner, or of the whole unit, closes."""
    rows = session.execute(
        select(Absence.start_at, Absence.end_at).where(
            Absence.establishment_id == opened.establishment_id,
            or_(Absence.practitioner_id == opened.practitioner_id, Absence.unit_id == opened.unit_id),
            Absence.start_at < opened.at(opened.n_cells),
            Absence.end_at > opened.start_at,
        )
    )
    return spans.bits(opened, [Span(opened.practitioner_id, since, until) for since, until in rows])


def _taken(opened: ConsultationSession) -> int:
    """The cells that somebody has; a group's cells stay free until its last seat is taken."""
    if opened.capacity > 1 and opened.seats_left > 0:
        return 0
    mine = [Appointment.session_id == opened.id, Appointment.state != states.CANCELLED, ~Appointment.beyond]
    booked = session.execute(select(Appointment.first_cell, Appointment.n_cells).where(*mine)).all()
    kept = session.execute(select(Hold.first_cell, Hold.n_cells).where(Hold.session_id == opened.id)).all()
    found = 0
    for first_cell, count in (*booked, *kept):
        found |= slots.mask(first_cell, count)
    return found


def _offer(opened: ConsultationSession, reasons: Sequence[Reason]) -> None:
    query = select(SessionReason).where(SessionReason.session_id == opened.id).order_by(SessionReason.reason_id)
    rows = {row.reason_id: row for row in session.scalars(query.with_for_update(key_share=True))}
    wanted = {reason.id: reason for reason in reasons}
    for reason_id in rows.keys() - wanted.keys():
        session.delete(rows[reason_id])
    for reason_id in wanted.keys() - rows.keys():
        most, here = wanted[reason_id].most_a_session, opened.establishment_id
        session.add(SessionReason(reason_id=reason_id, session_id=opened.id, establishment_id=here, most=most))
    session.flush()


def _stranded(opened: ConsultationSession) -> int:
    """Appointments to come that fill a cell which is not open any more."""
    rows = session.execute(
        select(Appointment.first_cell, Appointment.n_cells).where(
            Appointment.session_id == opened.id, Appointment.state == states.BOOKED, Appointment.start_at > db.now()
        )
    )
    return sum(bool(slots.mask(first_cell, count) & ~opened.open) for first_cell, count in rows)


def _occupied(opened: ConsultationSession) -> bool:
    """Whether somebody is booked in it, or a time of it is kept for somebody."""
    there = exists().where(Appointment.session_id == opened.id, Appointment.state != states.CANCELLED)
    kept = exists().where(Hold.session_id == opened.id)
    return bool(session.scalar(select(there | kept)))


def _record(what: str, opened: ConsultationSession) -> None:
    audit.record(
        f"consultation_session.{what}",
        establishment_id=opened.establishment_id,
        object_kind="consultation_session",
        object_id=opened.id,
    )
