"""Sites and practitioners, for whoever administers their hospital."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import contains_eager, joinedload

from portal.db import session
from portal.establishments import Establishment, Practitioner, Site, Unit
from services.appointments.reasons.models import RemoteRoom


def sites(establishments: Collection[UUID]) -> Sequence[Site]:
    """By hospital and name."""
    query = (
        select(Site)
        .join(Site.establishment)
        .options(contains_eager(Site.establishment))
        .where(Site.establishment_id.in_(establishments))
    )
    return session.scalars(query.order_by(Establishment.name, Site.name)).all()


def site(site_id: UUID, establishments: Collection[UUID]) -> Site | None:
    return session.scalar(
        select(Site)
        .options(joinedload(Site.establishment))
        .where(Site.id == site_id, Site.establishment_id.in_(establishments))
    )


def practitioners(establishments: Collection[UUID]) -> Sequence[tuple[Practitioner, bool]]:
    """By hospital, unit and name, each with whether they have a room of their own at a distance."""
    query = (
        select(Practitioner, RemoteRoom.link.is_not(None))
        .join(Practitioner.unit)
        .join(Unit.establishment)
        .outerjoin(RemoteRoom, RemoteRoom.practitioner_id == Practitioner.id)
        .options(contains_eager(Practitioner.unit).contains_eager(Unit.establishment))
        .where(Practitioner.establishment_id.in_(establishments))
    )
    rows = session.execute(
        query.order_by(Establishment.name, Unit.name, Practitioner.family_name, Practitioner.given_name)
    )
    return [(row[0], row[1]) for row in rows]


def practitioner(practitioner_id: UUID, establishments: Collection[UUID]) -> Practitioner | None:
    return session.scalar(
        select(Practitioner)
        .options(joinedload(Practitioner.unit))
        .where(Practitioner.id == practitioner_id, Practitioner.establishment_id.in_(establishments))
    )


def link_of(practitioner: Practitioner) -> str:
    """The room where they receive at a distance; empty when they have none."""
    room = session.get(RemoteRoom, practitioner.id)
    return room.link if room else ""
