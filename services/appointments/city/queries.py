"""What a practitioner of the city reads: reasons open to them, free times, what they booked.

Never the person's own row: only the practitioner's own words about them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import contains_eager, joinedload

from portal import db
from portal.db import session
from portal.establishments import Establishment, Unit
from services.appointments import availability
from services.appointments.city.models import SentAppointment
from services.appointments.models import Appointment, ConsultationSession, Reason, SessionReason
from services.appointments.offered import open_to_city
from services.appointments.queries import Choice
from services.appointments.queries.free_slots import needed
from services.appointments.queries.spelling import letters
from services.appointments.slots import Slot

CHANNEL = "city"
_REMEMBERED = timedelta(days=365)
_MOST = 200


def reasons(finess: str = "", wanted: str = "") -> Sequence[Reason]:
    """Reasons that a practitioner may book, by hospital, unit and rank: of one hospital when its number is given, and
    whose unit or name holds every word wanted."""
    query = _reasons().order_by(Establishment.name, Unit.name, Reason.position, Reason.name)
    rows = session.scalars(query.where(Establishment.finess == finess) if finess else query).all()
    words = [letters(word) for word in wanted.split()]
    return [each for each in rows if all(word in letters(f"{each.unit.name} {each.name}") for word in words)]


def reason(reason_id: UUID) -> Reason | None:
    return session.scalar(_reasons().where(Reason.id == reason_id))


def _reasons() -> Select[Reason]:
    return (
        select(Reason)
        .join(Reason.unit)
        .join(Unit.establishment)
        .options(
            contains_eager(Reason.unit).options(contains_eager(Unit.establishment), joinedload(Unit.site)),
            joinedload(Reason.establishment),
        )
        .where(open_to_city())
    )


@dataclass(frozen=True)
class Chosen(Choice):
    """A time chosen for a patient one sends."""

    @property
    def is_free(self) -> bool:
        """Whether a practitioner may book it now: the same answer as the list's and the booking's."""
        opened, window = self.opened, self.reason.window(CHANNEL, db.now())
        wanted = needed([self.reason], opened.start_at, opened.at(opened.n_cells))[self.reason.id]
        found = availability.starts(opened, self.reason, window, wanted, is_full=self.takes.is_full)
        return bool(found >> self.slot.first_cell & 1)


def chosen(reason_id: UUID, slot: Slot) -> Chosen | None:
    """None when the reason is not open to practitioners, or the session does not take it or is shorter."""
    row = session.execute(
        _reasons()
        .add_columns(ConsultationSession, SessionReason)
        .join(SessionReason, SessionReason.reason_id == Reason.id)
        .join(ConsultationSession, ConsultationSession.id == SessionReason.session_id)
        .where(
            Reason.id == reason_id,
            ConsultationSession.id == slot.session_id,
            ConsultationSession.n_cells > slot.first_cell,
        )
        .options(joinedload(ConsultationSession.practitioner))
        .execution_options(populate_existing=True)
    ).one_or_none()
    return Chosen(row[0], row[1], slot, row[2]) if row else None


# -- what one booked ---------------------------------------------------------------------------------------------


def _sent() -> Select[SentAppointment]:
    made = contains_eager(SentAppointment.appointment)
    return (
        select(SentAppointment)
        .join(SentAppointment.appointment)
        .options(
            joinedload(SentAppointment.sent_patient),
            made.joinedload(Appointment.establishment),
            made.joinedload(Appointment.site),
            made.joinedload(Appointment.unit).joinedload(Unit.establishment),
            made.joinedload(Appointment.practitioner),
            made.joinedload(Appointment.reason),
        )
    )


def sent_by(professional_id: UUID) -> tuple[Sequence[SentAppointment], Sequence[SentAppointment]]:
    """Appointments to come (soonest first), then those that are over or cancelled (latest first, one year)."""
    rows = session.scalars(
        _sent()
        .where(SentAppointment.professional_id == professional_id, Appointment.start_at > db.now() - _REMEMBERED)
        .order_by(Appointment.start_at.desc())
        .limit(_MOST)
    ).all()
    to_come = [each for each in reversed(rows) if each.appointment.is_to_come]
    return to_come, [each for each in rows if not each.appointment.is_to_come]


def one_sent_by(professional_id: UUID, appointment_id: UUID) -> SentAppointment | None:
    query = _sent().where(SentAppointment.professional_id == professional_id, Appointment.id == appointment_id)
    return session.scalar(query.execution_options(populate_existing=True))
