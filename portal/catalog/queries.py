"""What is open where, and what was changed."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from portal import calendar, db, establishments
from portal.catalog.cards import Card
from portal.catalog.cards import cards as cards_for
from portal.catalog.models import CatalogChange, LinkHost, PublishedService, ServiceLink
from portal.db import session
from portal.establishments import Establishment

GROUP_ZONE = calendar.GROUP_ZONE
CHANGES = 30


def publish(establishment_id: UUID, code: str, opened_on: date) -> None:
    """Open a service at a hospital, without a word in the history: for structures that are being set up."""
    session.merge(PublishedService(establishment_id=establishment_id, code=code, opened_on=opened_on, closed_on=None))


def open_codes(establishment_id: UUID | None = None) -> frozenset[str]:
    """Services open today at the hospital, or at any hospital of the group."""
    return frozenset(each.code for each, _hospital in _open(establishment_id))


def _open(establishment_id: UUID | None) -> Sequence[tuple[PublishedService, Establishment]]:
    """Open by the clock of each hospital."""
    query = select(PublishedService, Establishment).join(
        Establishment, Establishment.id == PublishedService.establishment_id
    )
    if establishment_id:
        query = query.where(PublishedService.establishment_id == establishment_id)
    return [(each, hospital) for each, hospital in session.execute(query.order_by(Establishment.name))
            if is_open(each, calendar.civil_day(db.now(), hospital.tz))]  # fmt: skip


def is_open(published: PublishedService | ServiceLink | None, day: date) -> bool:
    """Whether it is open on that day."""
    if published is None or published.opened_on > day:
        return False
    return published.closed_on is None or published.closed_on > day


def open_on(
    day: ColumnElement[date] | date, published: type[PublishedService] = PublishedService
) -> ColumnElement[bool]:
    """The same, for statements: whether what the row publishes is open on that day. published: PublishedService, or an
    alias of it."""
    return (published.opened_on <= day) & (published.closed_on.is_(None) | (published.closed_on > day))


def open_at(code: str, establishment_id: ColumnElement[UUID] | InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
    """Whether a service is open today at the hospital of a row, by the clock of that hospital; for statements."""
    published, there = aliased(PublishedService), aliased(Establishment)
    return exists().where(
        published.establishment_id == establishment_id,
        published.code == code,
        there.id == published.establishment_id,
        open_on(establishments.today_in(there.time_zone), published),
    )


# -- what the front desk shows -----------------------------------------------------------------------------------


@dataclass
class Shown:
    """A service or a link on a public page. card: of a room; link: to somebody else's. where: the hospitals that
    offer it, none for a link of the whole group."""

    code: str
    position: int
    card: Card | None = None
    link: ServiceLink | None = None
    where: list[Establishment] = field(default_factory=list)
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def audience(self) -> str:
        if self.link:
            return self.link.audience
        return self.card.audience if self.card else ""


def shown(audience: str, establishment_id: UUID | None = None) -> Sequence[Shown]:
    """What is open today for these people (`patient` or `professional`; "" for all), in the hospitals' order.

    The hospitals of the group share a card: it says what they all say of the service, and the usual words when they
    say different things.
    """
    found = [*_services(audience, establishment_id), *shown_links(audience, establishment_id)]
    return sorted(found, key=lambda each: each.position)


def _services(audience: str, establishment_id: UUID | None) -> Sequence[Shown]:
    opened: dict[str, list[tuple[PublishedService, Establishment]]] = defaultdict(list)
    for each, hospital in _open(establishment_id):
        opened[each.code].append((each, hospital))
    wanted = (audience,) if audience else ("patient", "professional")
    return [
        Shown(
            card.code,
            min(each.position for each, _hospital in opened[card.code]),
            card=card,
            where=[hospital for _each, hospital in opened[card.code]],
            texts=_agreed([each for each, _hospital in opened[card.code]]),
        )
        for kind in wanted
        for card in cards_for(kind)
        if card.code in opened
    ]


def _agreed(published: Sequence[PublishedService]) -> Mapping[str, Mapping[str, str]]:
    first = published[0].texts
    return first if all(each.texts == first for each in published) else {}


def shown_links(audience: str, establishment_id: UUID | None = None) -> Sequence[Shown]:
    """Links to the services of others that are open today for these people."""
    query = select(ServiceLink, Establishment).outerjoin(
        Establishment, Establishment.id == ServiceLink.establishment_id
    )
    if audience:
        query = query.where(ServiceLink.audience.in_((audience, "everybody")))
    if establishment_id:
        query = query.where(
            or_(ServiceLink.establishment_id == establishment_id, ServiceLink.establishment_id.is_(None))
        )
    return [
        Shown(link.code, link.position, link=link, where=[hospital] if hospital else [], texts=link.texts)
        for link, hospital in session.execute(query.order_by(ServiceLink.position, ServiceLink.code))
        if is_open(link, day_of(hospital))
    ]


def day_of(hospital: Establishment | None) -> date:
    """Today, by the clock of the hospital or of the group."""
    return calendar.civil_day(db.now(), hospital.tz if hospital else GROUP_ZONE)


# -- for those who run it ----------------------------------------------------------------------------------------


def published(here: frozenset[UUID]) -> Mapping[tuple[UUID, str], PublishedService]:
    """(hospital, code) → what these hospitals have published, open or not."""
    rows = session.scalars(select(PublishedService).where(PublishedService.establishment_id.in_(here)))
    return {(row.establishment_id, row.code): row for row in rows}


def links(here: frozenset[UUID]) -> Sequence[ServiceLink]:
    """Links of the group and of these hospitals, in their order."""
    mine = or_(ServiceLink.establishment_id.is_(None), ServiceLink.establishment_id.in_(here))
    return session.scalars(select(ServiceLink).where(mine).order_by(ServiceLink.position, ServiceLink.code)).all()


def link(link_id: UUID, here: frozenset[UUID]) -> ServiceLink | None:
    """One of those."""
    found = session.get(ServiceLink, link_id)
    return found if found and (found.establishment_id is None or found.establishment_id in here) else None


def link_of_code(code: str) -> ServiceLink | None:
    """By the name in its address."""
    return session.scalar(select(ServiceLink).where(ServiceLink.code == code))


def hosts(establishment_id: UUID | None) -> Sequence[LinkHost]:
    """Names that links of this hospital may lead to, the group's included."""
    return session.scalars(
        select(LinkHost)
        .where(or_(LinkHost.establishment_id.is_(None), LinkHost.establishment_id == establishment_id))
        .order_by(LinkHost.host)
    ).all()


def hosts_at(here: frozenset[UUID]) -> Sequence[LinkHost]:
    """Names that these hospitals, or the group, have added."""
    mine = or_(LinkHost.establishment_id.is_(None), LinkHost.establishment_id.in_(here))
    return session.scalars(select(LinkHost).where(mine).order_by(LinkHost.host)).all()


def changes(kind: str, subject: str, establishment_id: UUID | None, limit: int = CHANGES) -> Sequence[CatalogChange]:
    """The latest changes of one service at one hospital, or of one link, newest first."""
    return session.scalars(
        select(CatalogChange)
        .where(_about(kind, subject, establishment_id))
        .order_by(CatalogChange.at.desc())
        .limit(limit)
    ).all()


def _about(kind: str, subject: str, establishment_id: UUID | None) -> Any:
    where = CatalogChange.establishment_id
    place = where == establishment_id if establishment_id else where.is_(None)
    return and_(CatalogChange.kind == kind, CatalogChange.subject == subject, place)


def change(change_id: UUID) -> CatalogChange | None:
    """One change, when the actor may read it."""
    return session.get(CatalogChange, change_id)


def administers_all() -> bool:
    """Whether the actor administers every hospital: then they speak for the group."""
    mine = db.current_actor().rights.get("administration", frozenset())
    if not mine:
        return False
    return session.scalar(select(func.count()).where(Establishment.id.not_in(mine))) == 0
