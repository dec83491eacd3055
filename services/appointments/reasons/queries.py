"""What the hospital's agents read of their reasons, and where a teleconsultation takes place."""

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import contains_eager, joinedload

from portal import calendar, db
from portal.db import session
from portal.establishments import Establishment, Unit
from services.appointments import states
from services.appointments.models import Appointment, ConsultationSession, Reason, ReasonPool, SessionReason
from services.appointments.reasons.models import RemoteRoom


@dataclass(frozen=True)
class Listed:
    """A reason and what hangs on it: appointments to come, sessions to come that take it."""

    reason: Reason
    to_come: int
    sessions: int


def units(establishments: Collection[UUID]) -> Sequence[Unit]:
    """Every unit of these hospitals, by hospital and name."""
    query = (
        select(Unit)
        .join(Unit.establishment)
        .options(contains_eager(Unit.establishment))
        .where(Unit.establishment_id.in_(establishments))
    )
    return session.scalars(query.order_by(Establishment.name, Unit.name)).all()


def reasons(
    establishments: Collection[UUID], unit_id: UUID | None = None, wanted: str = "", *, closed: bool = False
) -> Sequence[Listed]:
    """Reasons by hospital, unit and rank: those that are given, or those that are closed. wanted: words of the name."""
    query = (
        select(Reason)
        .join(Reason.unit)
        .join(Unit.establishment)
        .options(contains_eager(Reason.unit).contains_eager(Unit.establishment))
        .where(
            Reason.establishment_id.in_(establishments),
            Reason.closed_at.is_not(None) if closed else Reason.closed_at.is_(None),
        )
        .order_by(Establishment.name, Unit.name, Reason.position, Reason.name, Reason.id)
    )
    rows = session.scalars(query.where(Reason.unit_id == unit_id) if unit_id else query).all()
    words = [_letters(word) for word in wanted.split()]
    found = [each for each in rows if all(word in _letters(f"{each.unit.name} {each.name}") for word in words)]
    ids = [each.id for each in found]
    to_come, sessions = _to_come(ids), _sessions(ids)
    return [Listed(each, to_come.get(each.id, 0), sessions.get(each.id, 0)) for each in found]


def reason(reason_id: UUID, establishments: Collection[UUID]) -> Reason | None:
    return session.scalar(
        select(Reason)
        .options(joinedload(Reason.unit).options(joinedload(Unit.establishment), joinedload(Unit.site)))
        .where(Reason.id == reason_id, Reason.establishment_id.in_(establishments))
    )


def listed(one: Reason) -> Listed:
    """The reason with what hangs on it."""
    return Listed(one, _to_come([one.id]).get(one.id, 0), _sessions([one.id]).get(one.id, 0))


def pools_of(one: Reason) -> Collection[UUID]:
    """Pools of which its appointments need one resource each."""
    return session.scalars(select(ReasonPool.pool_id).where(ReasonPool.reason_id == one.id)).all()


def _to_come(reasons_: Collection[UUID]) -> Mapping[UUID, int]:
    query = (
        select(Appointment.reason_id, func.count())
        .where(Appointment.reason_id.in_(reasons_), Appointment.state == states.BOOKED, Appointment.start_at > db.now())
        .group_by(Appointment.reason_id)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def _sessions(reasons_: Collection[UUID]) -> Mapping[UUID, int]:
    query = (
        select(SessionReason.reason_id, func.count())
        .join(ConsultationSession, ConsultationSession.id == SessionReason.session_id)
        .where(SessionReason.reason_id.in_(reasons_), ConsultationSession.start_at > db.now())
        .group_by(SessionReason.reason_id)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def _letters(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


# -- teleconsultation --------------------------------------------------------------------------------------------

SHOWN_AFTER = timedelta(hours=1)


def remote_link(appointment: Appointment, now: datetime | None = None) -> str:
    """Where the patient and the practitioner meet at a distance: the practitioner's own room, else the reason's, in
    which `{reference}` becomes the appointment's. Empty when it is no teleconsultation, when nobody gave a room, and
    before the day before (hospital's calendar) or an hour after its end: a link that nobody needs yet gets lost.
    """
    if not appointment.reason.is_remote or not _is_due(appointment, now or db.now()):
        return ""
    room = session.get(RemoteRoom, appointment.practitioner_id)
    return (room.link if room else appointment.reason.link).replace("{reference}", appointment.reference)


def _is_due(appointment: Appointment, now: datetime) -> bool:
    if appointment.state not in (states.BOOKED, states.ARRIVED):
        return False
    day_before = calendar.civil_day(appointment.start_at, appointment.tz) - timedelta(days=1)
    shown_from = calendar.to_utc(day_before, time(), appointment.tz) or appointment.start_at - timedelta(days=1)
    return shown_from <= now < appointment.end_at + SHOWN_AFTER
