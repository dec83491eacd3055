"""What the staff see of exchanges, always of their hospitals."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, false, func, select, true
from sqlalchemy.orm import contains_eager, joinedload

from portal import db
from portal.db import session
from portal.establishments import Establishment, EstablishmentSetting
from portal.gateways import his
from services.exchanges import states, subjects
from services.exchanges.dialect import ADDRESS
from services.exchanges.models import Delivery, Follower, HisMessage

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
    return {row.establishment_id: address for row in rows if not his.is_none(address := row.opened)}


def lines(establishments: Collection[UUID], kind: str = "") -> Sequence[Line]:
    """Every follower of these hospitals: their systems first, then subscriptions by name. kind: count these alone."""
    of_kind = Delivery.subject_kind.in_(("", kind)) if kind else true()
    counted = (
        select(
            Delivery.follower_id,
            func.count().filter(Delivery.state == states.WAITING).label("waiting"),
            func.count().filter(Delivery.state == states.REFUSED).label("refused"),
            func.min(Delivery.changed_at).filter(Delivery.state == states.WAITING).label("oldest"),
        )
        .where(Delivery.state.in_((states.WAITING, states.REFUSED)), Delivery.establishment_id.in_(establishments))
        .where(of_kind)
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


@dataclass(frozen=True)
class Which:
    """What to look for: of one kind, one state, one follower, or about the thing that bears this reference.

    refused_first: what waits for an agent, before what is new.
    """

    kind: str = ""
    state: str = ""
    follower_id: UUID | None = None
    reference: str = ""
    refused_first: bool = False


def deliveries(establishments: Collection[UUID], which: Which) -> Sequence[Delivery]:
    """The newest first, a page at most."""
    query = (
        select(Delivery)
        .join(Delivery.follower)
        .where(Delivery.establishment_id.in_(establishments))
        .order_by(Delivery.changed_at.desc(), Delivery.id)
        .limit(A_PAGE)
        .options(contains_eager(Delivery.follower))
    )
    if which.refused_first:
        rank = (Delivery.state == states.REFUSED).desc()
        query = query.order_by(None).order_by(rank, Delivery.changed_at.desc(), Delivery.id)
    if which.kind:
        query = query.where(Delivery.subject_kind == which.kind)
    if which.state:
        query = query.where(Delivery.state == which.state)
    if which.follower_id:
        query = query.where(Delivery.follower_id == which.follower_id)
    if which.reference:
        query = query.where(Delivery.subject_id.in_(_about(establishments, which)))
    return session.scalars(query).all()


def _about(establishments: Collection[UUID], which: Which) -> Sequence[UUID]:
    wanted = which.reference.strip().upper()
    of = [each for each in subjects.every() if which.kind in ("", each.kind)]
    return [found for each in of for found in each.find(establishments, wanted)]


def delivery(delivery_id: UUID, establishments: Collection[UUID], kind: str) -> Delivery | None:
    """One of a kind; what is about nothing (a test of the line) is of every kind."""
    query = select(Delivery).where(Delivery.id == delivery_id, Delivery.establishment_id.in_(establishments))
    query = query.where(Delivery.subject_kind.in_(("", kind)))
    return session.scalar(query.options(joinedload(Delivery.follower)))


# -- what was received -------------------------------------------------------------------------------------------


def messages(establishments: Collection[UUID], kind: str, *, refused_only: bool = False) -> Sequence[HisMessage]:
    """The newest first. Those of a type that no room takes are of every kind."""
    query = _messages(establishments, kind).order_by(HisMessage.received_at.desc(), HisMessage.id).limit(A_PAGE)
    return session.scalars(query.where(_waits(kind)) if refused_only else query).all()


def message(message_id: UUID, establishments: Collection[UUID], kind: str) -> HisMessage | None:
    return session.scalar(_messages(establishments, kind).where(HisMessage.id == message_id))


def refused_lately(establishments: Collection[UUID], kind: str) -> int:
    """Messages not taken, of the last seven days."""
    query = select(func.count()).where(
        HisMessage.establishment_id.in_(establishments),
        HisMessage.subject_kind.in_(("", kind)),
        HisMessage.received_at > db.now() - timedelta(days=7),
        _waits(kind),
    )
    return session.scalar(query) or 0


def _waits(kind: str) -> ColumnElement[bool]:
    """Not taken, or taken and left to an agent; and nobody has said that it is settled."""
    subject = subjects.of(kind)
    left = HisMessage.told.in_(subject.to_do) if subject else false()
    return HisMessage.settled_at.is_(None) & ((HisMessage.answer != "AA") | left)


def _messages(establishments: Collection[UUID], kind: str) -> Select[HisMessage]:
    return select(HisMessage).where(
        HisMessage.establishment_id.in_(establishments), HisMessage.subject_kind.in_(("", kind))
    )


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
