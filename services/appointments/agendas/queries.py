"""What the agenda screens read, always for the hospitals of the agent."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, literal_column, or_, select
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from portal import db
from portal.db import session
from portal.establishments import Establishment, Practitioner, Unit, goes_on
from services.appointments import slots, states
from services.appointments.agendas.models import (
    Absence,
    CallToMake,
    SchoolHoliday,
    SessionTemplate,
    TemplateReason,
)
from services.appointments.models import Appointment, ConsultationSession, Reason, ReasonPool, Resource
from services.appointments.queries.free_slots import Asking, Offer, all_times

SHOWN_AT_ONCE = 25
PROPOSED = 5
_AROUND = timedelta(days=45)


# -- templates ---------------------------------------------------------------------------------------------------


def _templates() -> Select[SessionTemplate]:
    return select(SessionTemplate).options(
        joinedload(SessionTemplate.practitioner),
        joinedload(SessionTemplate.unit).joinedload(Unit.establishment),
        joinedload(SessionTemplate.room),
        selectinload(SessionTemplate.reasons).joinedload(TemplateReason.reason),
    )


def of_unit(unit: Unit, today: date) -> Sequence[SessionTemplate]:
    """Templates of a unit that are not over, by practitioner then day and hour."""
    return _in_order(_templates().where(SessionTemplate.unit_id == unit.id), today)


def of_practitioner(practitioner: Practitioner, today: date) -> Sequence[SessionTemplate]:
    """Templates of a practitioner that are not over, in whatever unit."""
    return _in_order(_templates().where(SessionTemplate.practitioner_id == practitioner.id), today)


def _in_order(query: Select[SessionTemplate], today: date) -> Sequence[SessionTemplate]:
    rows = session.scalars(query.where(goes_on(SessionTemplate.last_on, today))).all()
    return sorted(
        rows,
        key=lambda each: (each.practitioner.family_name, each.practitioner.given_name, each.weekday, each.opens),
    )


def template(template_id: UUID, establishments: Collection[UUID]) -> SessionTemplate | None:
    query = _templates().where(SessionTemplate.id == template_id, SessionTemplate.establishment_id.in_(establishments))
    return session.scalar(query.options(selectinload(SessionTemplate.days)))


def units_at(establishments: Collection[UUID]) -> Sequence[Unit]:
    """Every unit of these hospitals, by hospital and name."""
    return session.scalars(
        select(Unit)
        .join(Unit.establishment)
        .options(contains_eager(Unit.establishment))
        .where(Unit.establishment_id.in_(establishments))
        .order_by(Establishment.name, Unit.name)
    ).all()


def practitioners_at(establishments: Collection[UUID]) -> Sequence[Practitioner]:
    """Practitioners of these hospitals, by name."""
    query = select(Practitioner).where(Practitioner.establishment_id.in_(establishments))
    return session.scalars(query.order_by(Practitioner.family_name, Practitioner.given_name)).all()


def practitioner(practitioner_id: UUID, establishments: Collection[UUID]) -> Practitioner | None:
    query = select(Practitioner).options(joinedload(Practitioner.unit).joinedload(Unit.establishment))
    return session.scalar(
        query.where(Practitioner.id == practitioner_id, Practitioner.establishment_id.in_(establishments))
    )


def reasons_of(unit: Unit) -> Sequence[Reason]:
    """What a unit's sessions may take."""
    query = select(Reason).where(Reason.unit_id == unit.id, Reason.closed_at.is_(None))
    return session.scalars(query.order_by(Reason.position, Reason.name)).all()


def rooms_at(establishments: Collection[UUID]) -> Sequence[Resource]:
    """Rooms that a session may have for itself: those that appointments take one by one are not among them."""
    by_appointment = select(ReasonPool.pool_id)
    return session.scalars(
        select(Resource)
        .join(Resource.pool)
        .options(contains_eager(Resource.pool))
        .where(
            Resource.establishment_id.in_(establishments),
            Resource.pool.has(kind="room"),
            ~Resource.out_of_use,
            Resource.pool_id.not_in(by_appointment),
        )
        .order_by(Resource.name)
    ).all()


# -- absences and holidays ---------------------------------------------------------------------------------------


def _absences(establishments: Collection[UUID]) -> Select[Absence]:
    return (
        select(Absence)
        .options(joinedload(Absence.practitioner), joinedload(Absence.unit), joinedload(Absence.room))
        .where(Absence.establishment_id.in_(establishments))
    )


def absences(establishments: Collection[UUID]) -> Sequence[Absence]:
    """Absences that are not over, soonest first."""
    return session.scalars(
        _absences(establishments).where(Absence.end_at > db.now()).order_by(Absence.start_at).limit(200)
    ).all()


def absence(absence_id: UUID, establishments: Collection[UUID]) -> Absence | None:
    return session.scalar(_absences(establishments).where(Absence.id == absence_id))


def absences_of(whom: Practitioner) -> Sequence[Absence]:
    """Absences of a practitioner that are not over, soonest first."""
    query = _absences([whom.establishment_id]).where(Absence.practitioner_id == whom.id, Absence.end_at > db.now())
    return session.scalars(query.order_by(Absence.start_at)).all()


def school_holidays(zone: str, since: date) -> Sequence[SchoolHoliday]:
    """Periods of a zone that are not over, soonest first."""
    query = select(SchoolHoliday).where(SchoolHoliday.zone == zone, SchoolHoliday.last_on >= since)
    return session.scalars(query.order_by(SchoolHoliday.first_on)).all()


# -- stranded patients -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scope:
    """Whose stranded patients: of a unit, of a practitioner, of an absence, or of all these hospitals."""

    establishments: Collection[UUID]
    unit_id: UUID | None = None
    absence: Absence | None = None


def is_stranded() -> ColumnElement[bool]:
    """An appointment to come in time that its session does not open any more. Join ConsultationSession."""
    ones: ColumnElement[int] = literal_column("1::bigint")
    cells = (ones.op("<<")(Appointment.n_cells) - 1).op("<<")(Appointment.first_cell)
    now = db.now()
    return and_(
        # The first three find the few sessions that are not open from end to end, by their own index.
        literal_column("consultation_session.open <> ((1::bigint << consultation_session.n_cells) - 1)"),
        ConsultationSession.establishment_id == Appointment.establishment_id,
        ConsultationSession.start_at > now - timedelta(hours=15),
        Appointment.session_id == ConsultationSession.id,
        Appointment.state == states.BOOKED,
        Appointment.start_at > now,
        ConsultationSession.open.op("&")(cells) != cells,
    )


def _within(scope: Scope) -> ColumnElement[bool]:
    found: list[ColumnElement[bool]] = [ConsultationSession.establishment_id.in_(scope.establishments)]
    if scope.unit_id:
        found.append(Appointment.unit_id == scope.unit_id)
    if scope.absence:
        found.append(_by(scope.absence))
    return and_(*found)


def _by(absence: Absence) -> ColumnElement[bool]:
    whose = (
        Appointment.practitioner_id == absence.practitioner_id
        if absence.practitioner_id
        else Appointment.unit_id == absence.unit_id
        if absence.unit_id
        else ConsultationSession.room_id == absence.room_id
    )
    return and_(whose, Appointment.start_at < absence.end_at, Appointment.end_at > absence.start_at)


def stranded(scope: Scope, limit: int = SHOWN_AT_ONCE) -> Sequence[Appointment]:
    """Patients to place again, soonest first."""
    return session.scalars(
        select(Appointment)
        .join(ConsultationSession, ConsultationSession.id == Appointment.session_id)
        .options(
            joinedload(Appointment.patient),
            joinedload(Appointment.unit),
            joinedload(Appointment.practitioner),
            joinedload(Appointment.establishment),
            joinedload(Appointment.reason).joinedload(Reason.unit).joinedload(Unit.establishment),
        )
        .where(is_stranded(), _within(scope))
        .order_by(Appointment.start_at, Appointment.id)
        .limit(limit)
    ).all()


def count_stranded(scope: Scope) -> int:
    query = select(func.count()).select_from(Appointment).join(
        ConsultationSession, ConsultationSession.id == Appointment.session_id
    )  # fmt: skip
    return session.scalar(query.where(is_stranded(), _within(scope))) or 0


def stranded_by_absence(establishments: Collection[UUID]) -> Mapping[UUID, int]:
    """Absence → how many patients it leaves to place again."""
    whose = or_(
        Absence.practitioner_id == Appointment.practitioner_id,
        Absence.unit_id == Appointment.unit_id,
        Absence.room_id == ConsultationSession.room_id,
    )
    query = (
        select(Absence.id, func.count().label("left"))
        .join(Appointment, and_(Appointment.start_at < Absence.end_at, Appointment.end_at > Absence.start_at))
        .join(ConsultationSession, ConsultationSession.id == Appointment.session_id)
        .where(is_stranded(), whose, Absence.establishment_id == Appointment.establishment_id)
        .where(Absence.establishment_id.in_(establishments), Absence.end_at > db.now())
        .group_by(Absence.id)
    )
    return {row.id: row.left for row in session.execute(query)}


def appointments(ids: Collection[UUID], establishments: Collection[UUID]) -> Sequence[Appointment]:
    """These appointments, for a preview: with their patients, soonest first."""
    return session.scalars(
        select(Appointment)
        .options(
            joinedload(Appointment.patient),
            joinedload(Appointment.reason),
            joinedload(Appointment.practitioner),
            joinedload(Appointment.establishment),
        )
        .where(Appointment.id.in_(ids), Appointment.establishment_id.in_(establishments))
        .order_by(Appointment.start_at)
    ).all()


def proposals(left: Sequence[Appointment]) -> Mapping[UUID, Sequence[Offer]]:
    """Appointment → the nearest free times for its reason, with whoever gives it; the nearest first.

    The first one proposed to each is proposed first to nobody else, so that several may be moved together.
    """
    if not left:
        return {}
    now = db.now()
    reasons = {each.reason_id: each.reason for each in left}
    windows = {each.id: each.window("phone", now) for each in reasons.values()}
    asking = Asking(windows, list(reasons.values()))
    offers = all_times(asking.between(left[0].start_at - _AROUND, left[-1].start_at + _AROUND))
    found, promised = {}, set[tuple[UUID, int]]()
    for each in left:
        nearest = sorted(
            (offer for offer in offers if offer.reason.id == each.reason_id),
            key=lambda offer: abs(offer.at - each.start_at),
        )[: PROPOSED + len(left)]
        free = [offer for offer in nearest if not promised & _cells(offer, each)]
        found[each.id] = (free + [offer for offer in nearest if offer not in free])[:PROPOSED]
        if free:
            promised |= _cells(free[0], each)
    return found


def _cells(offer: Offer, appointment: Appointment) -> set[tuple[UUID, int]]:
    ends = offer.at + timedelta(minutes=appointment.reason.duration_min)
    return {(offer.slot.session_id, cell) for cell in slots.claim_cells(offer.at, ends)}


# -- calls -------------------------------------------------------------------------------------------------------


def calls(establishments: Collection[UUID]) -> Sequence[CallToMake]:
    """Patients to call about visits to come that have no room any more, soonest first."""
    return session.scalars(
        select(CallToMake)
        .join(CallToMake.appointment)
        .join(ConsultationSession, ConsultationSession.id == Appointment.session_id)
        .options(
            contains_eager(CallToMake.appointment).options(
                joinedload(Appointment.patient),
                joinedload(Appointment.unit),
                joinedload(Appointment.practitioner),
                joinedload(Appointment.establishment),
                joinedload(Appointment.reason),
            )
        )
        .where(CallToMake.establishment_id.in_(establishments), is_stranded())
        .order_by(Appointment.start_at)
        .limit(500)
    ).all()


def call(call_id: UUID, establishments: Collection[UUID]) -> CallToMake | None:
    return session.scalar(
        select(CallToMake)
        .options(joinedload(CallToMake.appointment))
        .where(CallToMake.id == call_id, CallToMake.establishment_id.in_(establishments))
    )


def called(appointment_ids: Collection[UUID]) -> Mapping[UUID, CallToMake]:
    """Appointment → the call to make about it, for those on the list."""
    query = select(CallToMake).where(CallToMake.appointment_id.in_(appointment_ids))
    return {each.appointment_id: each for each in session.scalars(query)} if appointment_ids else {}
