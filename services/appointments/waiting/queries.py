"""What the pages read: what a patient waits for, who waits for a unit, what was offered."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ARRAY, Select, Uuid, any_, cast, exists, func, or_, select
from sqlalchemy.orm import contains_eager, joinedload

from portal import db
from portal.db import session
from portal.establishments import Establishment, Practitioner, Unit, today_in
from services.appointments.models import Appointment, ConsultationSession, Reason, SessionReason
from services.appointments.states import BOOKED
from services.appointments.waiting import states
from services.appointments.waiting.models import WaitingChange, WaitingEntry, WaitingOffer

PAGE_SIZE = 100
_AT_ONCE = 500


def _entries() -> Select[WaitingEntry]:
    return select(WaitingEntry).options(
        joinedload(WaitingEntry.establishment),
        joinedload(WaitingEntry.patient),
        joinedload(WaitingEntry.unit),
        joinedload(WaitingEntry.reason),
        joinedload(WaitingEntry.appointment),
    )


def of_patients(patients: Collection[UUID]) -> Sequence[WaitingEntry]:
    """What these people wait for, the oldest first."""
    return session.scalars(
        _entries()
        .where(WaitingEntry.patient_id.in_(patients), WaitingEntry.state == states.WAITING)
        .order_by(WaitingEntry.entered_at)
    ).all()


def one_of_patients(entry_id: UUID, patients: Collection[UUID]) -> WaitingEntry | None:
    return session.scalar(_entries().where(WaitingEntry.id == entry_id, WaitingEntry.patient_id.in_(patients)))


def offers(entries: Collection[UUID]) -> Mapping[UUID, Sequence[WaitingOffer]]:
    """Entry → what was offered, the latest first."""
    rows = session.scalars(
        select(WaitingOffer)
        .options(joinedload(WaitingOffer.practitioner), joinedload(WaitingOffer.site))
        .where(WaitingOffer.entry_id.in_(entries))
        .order_by(WaitingOffer.offered_at.desc())
    )
    found: dict[UUID, list[WaitingOffer]] = {entry_id: [] for entry_id in entries}
    for offer in rows:
        found[offer.entry_id].append(offer)
    return found


def offer_of(entry: WaitingEntry, offer_id: UUID) -> WaitingOffer | None:
    return session.scalar(select(WaitingOffer).where(WaitingOffer.id == offer_id, WaitingOffer.entry_id == entry.id))


def practitioners_of(reason_id: UUID) -> Sequence[Practitioner]:
    """Who receives for a reason from now on, by name."""
    receives = exists().where(
        ConsultationSession.practitioner_id == Practitioner.id,
        ConsultationSession.start_at > db.now(),
        SessionReason.session_id == ConsultationSession.id,
        SessionReason.reason_id == reason_id,
    )
    query = select(Practitioner).where(receives)
    return session.scalars(query.order_by(Practitioner.family_name, Practitioner.given_name)).all()


def visit(appointment_id: UUID, patients: Collection[UUID]) -> Appointment | None:
    """A visit to come of these people."""
    return session.scalar(_visits().where(Appointment.id == appointment_id, Appointment.patient_id.in_(patients)))


def visit_at(appointment_id: UUID, establishments: Collection[UUID]) -> Appointment | None:
    """A visit to come at one of these hospitals."""
    return session.scalar(
        _visits().where(Appointment.id == appointment_id, Appointment.establishment_id.in_(establishments))
    )


def _visits() -> Select[Appointment]:
    return (
        select(Appointment)
        .options(
            joinedload(Appointment.establishment),
            joinedload(Appointment.patient),
            joinedload(Appointment.unit),
            joinedload(Appointment.reason),
            joinedload(Appointment.practitioner),
        )
        .where(Appointment.state == BOOKED, Appointment.start_at > db.now())
    )


# -- the hospital's side -----------------------------------------------------------------------------------------


def of_unit(unit: Unit, *, closed: bool = False) -> Sequence[WaitingEntry]:
    """Who waits, in the order in which times are offered; or the last who do not wait any more."""
    query = _entries().where(WaitingEntry.unit_id == unit.id)
    if closed:
        query = query.where(WaitingEntry.state != states.WAITING).order_by(WaitingEntry.closed_at.desc())
    else:
        order = (WaitingEntry.rank.desc(), WaitingEntry.entered_at, WaitingEntry.id)
        query = query.where(WaitingEntry.state == states.WAITING).order_by(*order)
    return session.scalars(query.limit(PAGE_SIZE)).all()


def one_at(entry_id: UUID, establishments: Collection[UUID]) -> WaitingEntry | None:
    return session.scalar(
        _entries().where(WaitingEntry.id == entry_id, WaitingEntry.establishment_id.in_(establishments))
    )


def changes(entry: WaitingEntry) -> Sequence[WaitingChange]:
    """What happened to it, latest first."""
    query = select(WaitingChange).where(WaitingChange.entry_id == entry.id)
    return session.scalars(query.order_by(WaitingChange.at.desc())).all()


def reasons_at(establishments: Collection[UUID]) -> Sequence[Reason]:
    """Every reason of these hospitals, by hospital and unit."""
    return session.scalars(
        select(Reason)
        .join(Reason.unit)
        .join(Unit.establishment)
        .options(contains_eager(Reason.unit).contains_eager(Unit.establishment))
        .where(Reason.establishment_id.in_(establishments), Reason.closed_at.is_(None))
        .order_by(Establishment.name, Unit.name, Reason.position, Reason.name)
    ).all()


# -- jobs --------------------------------------------------------------------------------------------------------


def waited_for(session_ids: Collection[UUID]) -> Sequence[UUID]:
    """Those of these sessions that have free time and take a reason somebody waits for, soonest first."""
    waits = exists().where(
        WaitingEntry.reason_id == SessionReason.reason_id,
        WaitingEntry.unit_id == ConsultationSession.unit_id,
        WaitingEntry.state == states.WAITING,
        SessionReason.session_id == ConsultationSession.id,
    )
    return session.scalars(
        select(ConsultationSession.id)
        .where(
            ConsultationSession.id == any_(cast(list(session_ids), ARRAY(Uuid))),
            ConsultationSession.free != 0,
            waits,
        )
        .order_by(ConsultationSession.start_at, ConsultationSession.id)
    ).all()


def zone_of(opened: ConsultationSession) -> ZoneInfo:
    return session.get_one(Establishment, opened.establishment_id).tz


def over_now() -> Sequence[tuple[UUID, str]]:
    """Entries that can bring nothing earlier any more, and why: a code of states.ENDED_BECAUSE."""
    today = today_in(Establishment.time_zone)
    rows = session.execute(
        select(WaitingEntry.id, WaitingEntry.until_on < today)
        .join(Establishment, Establishment.id == WaitingEntry.establishment_id)
        .outerjoin(Appointment, Appointment.id == WaitingEntry.appointment_id)
        .where(
            WaitingEntry.state == states.WAITING,
            or_(
                WaitingEntry.until_on < today,
                Appointment.state != BOOKED,
                Appointment.start_at <= func.now(),
            ),
        )
        .order_by(WaitingEntry.id)
        .limit(_AT_ONCE)
    )
    return [(entry_id, "date_passed" if passed else "visit_changed") for entry_id, passed in rows]
