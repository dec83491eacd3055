"""Services on offer at the hospitals that one administers, with how often they were opened from the home page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from flask import abort
from sqlalchemy import func, select

from auth import guards
from portal import calendar, catalog, db
from portal.catalog import Card, PublishedService, ServiceLink, queries
from portal.db import session
from portal.establishments import Establishment, establishments
from portal.kpi import KpiDay, searches
from portal.kpi.searches import Missed

OPENED, ARRIVED = "service_opened", "service_arrived"
"""Events: somebody clicked the card; they reached the page of the service (after signing in, when it asks for it)."""
DAYS = 30
MISSED_DAYS = 90


@dataclass(frozen=True)
class Line:
    """One service at one hospital. state: open, coming, closed or never."""

    card: Card
    hospital: Establishment
    published: PublishedService | None
    state: str


@dataclass(frozen=True)
class Traffic:
    """Code of a service or of a link → how often, over the last DAYS days."""

    opened: Mapping[str, int] = field(default_factory=dict)
    arrived: Mapping[str, int] = field(default_factory=dict)


def mine() -> Sequence[Establishment]:
    """The hospitals that the agent administers, by name."""
    return [each for each in establishments() if each.id in guards.establishments("administration")]


def mine_by_finess(finess: str) -> Establishment:
    """404 for another one."""
    return next((each for each in mine() if each.finess == finess), None) or abort(404)


def offered() -> Sequence[Card]:
    """Every service that the portal has, for patients then for professionals."""
    return [*catalog.cards("patient"), *catalog.cards("professional")]


def lines(hospitals: Sequence[Establishment]) -> Sequence[Line]:
    """Each service at each hospital."""
    known = queries.published(frozenset(each.id for each in hospitals))
    return [
        Line(card, hospital, found := known.get((hospital.id, card.code)), state_of(found, hospital))
        for hospital in hospitals
        for card in offered()
    ]


def state_of(known: PublishedService | ServiceLink | None, hospital: Establishment | None) -> str:
    """open, coming, closed or never, by the hospital's clock."""
    if known is None:
        return "never"
    today = queries.day_of(hospital)
    if queries.is_open(known, today):
        return "open"
    return "coming" if known.opened_on > today and not _is_over(known, today) else "closed"


def _is_over(known: PublishedService | ServiceLink, today: date) -> bool:
    return known.closed_on is not None and known.closed_on <= max(today, known.opened_on)


def traffic() -> Traffic:
    """How often cards were opened, over the group: it is the group's home page that leads there."""
    today = calendar.civil_day(db.now(), queries.GROUP_ZONE)
    rows: Any = session.execute(
        select(KpiDay.event, KpiDay.dimension, func.sum(KpiDay.events))
        .where(KpiDay.event.in_((OPENED, ARRIVED)), KpiDay.day > today - timedelta(days=DAYS))
        .group_by(KpiDay.event, KpiDay.dimension)
    )
    found: dict[str, dict[str, int]] = {OPENED: {}, ARRIVED: {}}
    for event, code, number in rows:
        found[event][code] = int(number)
    return Traffic(found[OPENED], found[ARRIVED])


def missed() -> Sequence[Missed]:
    """What public searches of this month and the three before looked for most, and did not find."""
    today = calendar.civil_day(db.now(), queries.GROUP_ZONE)
    return searches.top(today - timedelta(days=MISSED_DAYS), today)


def place_of(hospitals: Sequence[Establishment], establishment_id: UUID | None) -> Establishment | None:
    """The hospital of that id among these."""
    return next((each for each in hospitals if each.id == establishment_id), None)
