"""A time that somebody chose: what it is, whether it is free, whether they may take it, and what is kept for them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import and_, exists, func, select
from sqlalchemy.orm import joinedload

from auth.models import Patient, PatientRecord
from portal import calendar, db
from portal.db import session
from portal.establishments import Establishment
from services.appointments import availability, slots, states
from services.appointments.actions import KnownPatientsOnly, NotTheAge, ReferralOnly, TooManyAppointments
from services.appointments.availability import Taken
from services.appointments.models import Appointment, Claim, ConsultationSession, Hold, Reason, SessionReason
from services.appointments.queries.free_slots import needed
from services.appointments.queries.reasons import online
from services.appointments.slots import Slot

Refusal = type[KnownPatientsOnly | ReferralOnly | TooManyAppointments | NotTheAge]


@dataclass(frozen=True)
class Choice:
    """A time somebody chose for a reason, free or not."""

    reason: Reason
    opened: ConsultationSession
    slot: Slot
    takes: SessionReason

    @property
    def at(self) -> datetime:
        return self.opened.at(self.slot.first_cell)

    @property
    def end_at(self) -> datetime:
        return self.opened.at(self.slot.first_cell + self._count)

    @property
    def is_free(self) -> bool:
        """Whether a patient may book it now: the same answer as the list's and the booking's."""
        opened, window = self.opened, self.reason.window("web", db.now())
        wanted = needed([self.reason], opened.start_at, opened.at(opened.n_cells))[self.reason.id]
        found = availability.starts(opened, self.reason, window, wanted, is_full=self.takes.is_full)
        return bool(found >> self.slot.first_cell & 1)

    @property
    def _count(self) -> int:
        return slots.cells_for(self.reason.duration_min, self.opened.step_min)


def choice(reasons: UUID | Collection[UUID], slot: Slot) -> Choice | None:
    """Of several reasons, the one of the session's unit. None when the reason is not open online, or the session does
    not take it or is shorter."""
    asked = [reasons] if isinstance(reasons, UUID) else list(reasons)
    row = session.execute(
        online()
        .add_columns(ConsultationSession, SessionReason)
        .join(SessionReason, SessionReason.reason_id == Reason.id)
        .join(ConsultationSession, ConsultationSession.id == SessionReason.session_id)
        .where(
            Reason.id.in_(asked),
            ConsultationSession.id == slot.session_id,
            ConsultationSession.n_cells > slot.first_cell,
        )
        .order_by(Reason.unit_id != ConsultationSession.unit_id, Reason.position)
        .limit(1)
        .options(joinedload(ConsultationSession.practitioner))
        .execution_options(populate_existing=True)
    ).one_or_none()
    return Choice(row[0], row[1], slot, row[2]) if row else None


@dataclass(frozen=True)
class Kept:
    """A time that is kept for somebody while they fill a form, at a hospital that lives by this clock."""

    hold: Hold
    tz: ZoneInfo

    @property
    def slot(self) -> Slot:
        return Slot(self.hold.session_id, self.hold.first_cell)

    def is_for(self, choice: Choice) -> bool:
        return (self.hold.reason_id, self.slot) == (choice.reason.id, choice.slot)


def kept() -> Kept | None:
    """What is kept for the signed-in person, until it ends."""
    row = session.execute(
        select(Hold, Establishment.time_zone)
        .join(Establishment, Establishment.id == Hold.establishment_id)
        .where(Hold.account_id == db.current_actor().account_id, Hold.expires_at > db.now())
        .execution_options(populate_existing=True)
    ).one_or_none()
    return Kept(row[0], ZoneInfo(row[1])) if row else None


# -- what this person may take -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Standing:
    """Where a patient stands with a reason: what the booking will ask (actions.booking.check_patient)."""

    reason: Reason
    is_known: bool
    to_come: int
    birth_on: date | None = None

    @property
    def refusal(self) -> Refusal | None:
        """The fact that stands in their way, whatever the time; None when they may book alone."""
        if self.reason.by_referral_only:
            return ReferralOnly
        if not self.reason.open_to_new_patients and not self.is_known:
            return KnownPatientsOnly
        if self.reason.max_to_come and self.to_come >= self.reason.max_to_come:
            return TooManyAppointments
        if not self._comes_of_age:
            return NotTheAge
        return None

    @property
    def _comes_of_age(self) -> bool:
        """On the first day one may ask for, or on the last one: in between somebody may have a birthday."""
        reason, tz = self.reason, self.reason.unit.establishment.tz
        window = reason.window("web", db.now())
        ends = (calendar.civil_day(each, tz) for each in (window.earliest, window.latest))
        return any(reason.suits_age(self.birth_on, day) for day in ends)


def standings(patient_id: UUID, reasons: Sequence[Reason]) -> Mapping[UUID, Standing]:
    """Reason → where the patient stands with it."""
    known = exists().where(
        PatientRecord.patient_id == patient_id,
        PatientRecord.establishment_id == Reason.establishment_id,
        PatientRecord.ipp.is_not(None),
    )
    to_come = and_(
        Appointment.patient_id == patient_id,
        Appointment.reason_id == Reason.id,
        Appointment.state == states.BOOKED,
        Appointment.start_at > db.now(),
    )
    count = select(func.count()).where(to_come).correlate(Reason).scalar_subquery()
    asked = [each.id for each in reasons]
    born = select(Patient.birth_on).where(Patient.id == patient_id).scalar_subquery()
    rows = session.execute(select(Reason.id, known.correlate(Reason), count, born).where(Reason.id.in_(asked)))
    facts = {row[0]: (row[1], row[2], row[3]) for row in rows}
    return {each.id: Standing(each, *facts[each.id]) for each in reasons if each.id in facts}


def busy(patient_id: UUID, since: datetime, until: datetime, but: Collection[UUID] = ()) -> Taken:
    """The patient's own time that is taken, as a pool of one to look for time with; but: not by these appointments."""
    cells = slots.claim_cells(since, until)
    found = session.scalars(
        select(Claim.cell).where(
            Claim.resource_id == patient_id, Claim.cell.between(cells.start, cells.stop), Claim.owner_id.not_in(but)
        )
    ).all()
    return {patient_id: {patient_id: set(found)}} if found else {}
