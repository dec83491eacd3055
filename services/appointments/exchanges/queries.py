"""What agents see of exchanges, always of their hospitals."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Select, and_, case, func, or_, select
from sqlalchemy.orm import contains_eager, joinedload

from portal import db
from portal.db import session
from portal.establishments import Establishment, EstablishmentSetting
from portal.gateways import his
from services.appointments import states as visit
from services.appointments.exchanges import states
from services.appointments.exchanges.dialect import ADDRESS
from services.appointments.exchanges.models import Delivery, Follower, SiuAppointment, SiuMessage
from services.appointments.models import Appointment

A_PAGE = 50


@dataclass(frozen=True)
class Line:
    """How one follower is. lag_s: how long the oldest thing that waits has waited."""

    follower: Follower
    waiting: int
    refused: int
    lag_s: int

    @property
    def is_away(self) -> bool:
        return self.follower.failing_since is not None


def his_addresses() -> Mapping[UUID, str]:
    """Hospitals whose system has an address. As the system: addresses are secret."""
    rows = session.scalars(select(EstablishmentSetting).where(EstablishmentSetting.key == ADDRESS))
    return {row.establishment_id: row.value for row in rows if not his.is_none(row.value)}


def lines(establishments: Collection[UUID]) -> Sequence[Line]:
    """Every follower of these hospitals: their systems first, then subscriptions by name."""
    counted = (
        select(
            Delivery.follower_id,
            func.count().filter(Delivery.state == states.WAITING).label("waiting"),
            func.count().filter(Delivery.state == states.REFUSED).label("refused"),
            func.min(Delivery.changed_at).filter(Delivery.state == states.WAITING).label("oldest"),
        )
        .where(Delivery.state.in_((states.WAITING, states.REFUSED)), Delivery.establishment_id.in_(establishments))
        .group_by(Delivery.follower_id)
        .subquery()
    )
    rows = session.execute(
        select(Follower, counted.c.waiting, counted.c.refused, counted.c.oldest)
        .join(Follower.establishment)
        .outerjoin(counted, counted.c.follower_id == Follower.id)
        .where(Follower.establishment_id.in_(establishments))
        .order_by(Establishment.name, Follower.kind, Follower.name, Follower.id)
        .options(contains_eager(Follower.establishment))
    )
    return [
        Line(follower, waiting or 0, refused or 0, int((db.now() - oldest).total_seconds()) if oldest else 0)
        for follower, waiting, refused, oldest in rows
    ]


def follower(follower_id: UUID, establishments: Collection[UUID]) -> Follower | None:
    query = select(Follower).where(Follower.id == follower_id, Follower.establishment_id.in_(establishments))
    return session.scalar(query.options(joinedload(Follower.establishment)))


# -- what was told -----------------------------------------------------------------------------------------------


def deliveries(
    establishments: Collection[UUID], state: str = "", follower_id: UUID | None = None, reference: str = ""
) -> Sequence[Delivery]:
    """The newest first; one more than a page when there are more."""
    query = (
        select(Delivery)
        .join(Delivery.follower)
        .where(Delivery.establishment_id.in_(establishments))
        .order_by(Delivery.changed_at.desc(), Delivery.id)
        .limit(A_PAGE)
        .options(contains_eager(Delivery.follower), joinedload(Delivery.appointment))
    )
    if state:
        query = query.where(Delivery.state == state)
    if follower_id:
        query = query.where(Delivery.follower_id == follower_id)
    if reference:
        query = query.join(Delivery.appointment).where(Appointment.reference == reference.strip().upper())
    return session.scalars(query).all()


def delivery(delivery_id: UUID, establishments: Collection[UUID]) -> Delivery | None:
    query = select(Delivery).where(Delivery.id == delivery_id, Delivery.establishment_id.in_(establishments))
    return session.scalar(query.options(joinedload(Delivery.follower)))


def known_there(appointments: Collection[UUID]) -> Mapping[UUID, str]:
    """Appointment → how the hospital system knows it: `accepted`, `waiting`, `refused` or `set_aside`; none without
    a system. What is not settled says more than what is."""
    rank = case((Delivery.state == states.REFUSED, 3), (Delivery.state == states.WAITING, 2), else_=1)
    rows = session.execute(
        select(Delivery.appointment_id, Delivery.state)
        .join(Delivery.follower)
        .where(
            Follower.kind == states.HIS,
            Delivery.appointment_id.in_(appointments),
            Delivery.state != states.NOT_NEEDED,
        )
        .order_by(rank, Delivery.changed_at)
    )
    return {row.appointment_id: row.state for row in rows}


# -- what was received -------------------------------------------------------------------------------------------


def messages(establishments: Collection[UUID], *, refused_only: bool = False) -> Sequence[SiuMessage]:
    query = _messages(establishments).order_by(SiuMessage.received_at.desc(), SiuMessage.id).limit(A_PAGE)
    return session.scalars(query.where(SiuMessage.answer != "AA") if refused_only else query).all()


def message(message_id: UUID, establishments: Collection[UUID]) -> SiuMessage | None:
    return session.scalar(_messages(establishments).where(SiuMessage.id == message_id))


def refused_lately(establishments: Collection[UUID]) -> int:
    """Messages not taken, of the last seven days."""
    query = select(func.count()).where(
        SiuMessage.establishment_id.in_(establishments),
        SiuMessage.received_at > db.now() - timedelta(days=7),
        SiuMessage.answer != "AA",
    )
    return session.scalar(query) or 0


def _messages(establishments: Collection[UUID]) -> Select[SiuMessage]:
    return select(SiuMessage).where(SiuMessage.establishment_id.in_(establishments))


# -- where both sides differ -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Difference:
    """An appointment of the portal, and what the hospital system holds. kind: `both` (two appointments at one hour)
    or `elsewhere` (the same one, at another time or in another state)."""

    kind: str
    appointment: Appointment
    theirs: SiuAppointment


def differences(establishments: Collection[UUID]) -> Sequence[Difference]:
    """Of today and later, the soonest first. Looked for each time: what was settled on either side is gone."""
    held = (SiuAppointment.establishment_id.in_(establishments), SiuAppointment.end_at > db.now())
    booked = Appointment.state.in_((visit.BOOKED, visit.ARRIVED))
    both = and_(
        SiuAppointment.appointment_id.is_(None),
        SiuAppointment.state == visit.BOOKED,
        Appointment.practitioner_id == SiuAppointment.practitioner_id,
        Appointment.start_at < SiuAppointment.end_at,
        Appointment.end_at > SiuAppointment.start_at,
    )
    elsewhere = and_(
        SiuAppointment.appointment_id == Appointment.id,
        or_(
            SiuAppointment.start_at != Appointment.start_at,
            SiuAppointment.practitioner_id != Appointment.practitioner_id,
        ),
    )
    rows = session.execute(
        select(Appointment, SiuAppointment)
        .join(SiuAppointment, or_(both, elsewhere))
        .where(*held, booked, Appointment.establishment_id == SiuAppointment.establishment_id)
        .order_by(Appointment.start_at, SiuAppointment.id)
        .limit(200)
        .options(joinedload(Appointment.establishment), joinedload(Appointment.practitioner))
        .options(joinedload(Appointment.unit), joinedload(SiuAppointment.practitioner))
    )
    return [Difference("elsewhere" if theirs.appointment_id else "both", ours, theirs) for ours, theirs in rows]


def backlog() -> tuple[int, int, int]:
    """What waits to be told to followers that are not stopped, how many seconds the oldest has waited, and what was
    refused and not settled; of every hospital, as the system."""
    waits = (Delivery.state == states.WAITING) & Follower.stopped_at.is_(None)
    waiting, oldest, refused = session.execute(
        select(
            func.count().filter(waits),
            func.min(Delivery.changed_at).filter(waits),
            func.count().filter(Delivery.state == states.REFUSED),
        )
        .join(Delivery.follower)
        .where(Delivery.state.in_((states.WAITING, states.REFUSED)))
    ).one()
    return waiting, int((db.now() - oldest).total_seconds()) if oldest else 0, refused
