"""Hours, closed days and contacts of sites, units and activities, three statements for as many as one likes."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select

from portal import calendar
from portal.db import session
from portal.establishments import Establishment, Site, Unit
from services.offer import openings
from services.offer.models import Activity, Contact, OpeningException, OpeningHours
from services.offer.openings import Days, Range, Schedule, Standing

Owner = Site | Unit | Activity


@dataclass(frozen=True)
class Sheet:
    """What is said of one door. standing: None when its hours are not known. changes: closed days and other hours of
    today and of the days ahead. contacts: in order, those that the reader may see."""

    schedule: Schedule
    visits: Schedule
    standing: Standing | None
    changes: Sequence[Days]
    contacts: Sequence[Contact]

    def reached(self, audience: str, kind: str = "") -> list[Contact]:
        """Contacts for patients or for professionals, of one kind if it matters."""
        return [each for each in self.contacts if each.audience == audience and kind in ("", each.kind)]


@dataclass(frozen=True)
class Surroundings:
    """What was read of several owners, by their ids."""

    hours: Mapping[UUID, Sequence[OpeningHours]] = field(default_factory=dict)
    changes: Mapping[UUID, Sequence[OpeningException]] = field(default_factory=dict)
    contacts: Mapping[UUID, Sequence[Contact]] = field(default_factory=dict)

    def sheet(self, owner: Owner, at: datetime) -> Sheet:
        """At a moment (aware): an activity follows its unit when it has no hours of its own, and whatever closes a
        place closes what is in it."""
        schedule, visits = self._schedule(owner, "open"), self._schedule(owner, "visits")
        today = calendar.civil_day(at, schedule.tz)
        is_known = schedule.is_known or _is_closed_for_long(schedule, today)
        return Sheet(
            schedule,
            visits,
            openings.standing(schedule, at) if is_known else None,
            openings.announced([each for each in schedule.changes if each.kind != "no_more"], today),
            self.contacts.get(owner.id, ()),
        )

    def _schedule(self, owner: Owner, kind: str) -> Schedule:
        house = hospital(owner)
        inner, *outer = _line(owner)
        week = self._week(inner, kind)
        if not week and isinstance(owner, Activity):
            week = self._week(owner.unit, kind)
        made = Schedule(week, house.tz, house.holiday_rules, self._days(inner))
        return made.within([each for place in outer for each in self._days(place)])

    def _week(self, owner: Owner, kind: str) -> tuple[Range, ...]:
        rows = self.hours.get(owner.id, ())
        return tuple(
            sorted(Range(row.weekday, row.opens, row.closes, row.on_holidays) for row in rows if row.kind == kind)
        )

    def _days(self, owner: Owner) -> tuple[Days, ...]:
        rows = self.changes.get(owner.id, ())
        own = [days_of(row) for row in rows]
        return tuple(own + openings.not_outside(owner.opens_on, owner.closes_on))


def days_of(row: OpeningException) -> Days:
    return Days(row.starts_on, row.ends_on, row.opens, row.closes, row.reason)


def hospital(owner: Owner) -> Establishment:
    return owner.establishment


def _line(owner: Owner) -> list[Owner]:
    """Itself, and what it is in."""
    if isinstance(owner, Activity):
        return [owner, owner.unit, owner.unit.site]
    return [owner, owner.site] if isinstance(owner, Unit) else [owner]


def _is_closed_for_long(schedule: Schedule, today: date) -> bool:
    return any(each.kind and each.covers(today) for each in schedule.changes)


def around(owners: Collection[Owner], audiences: Collection[str]) -> Surroundings:
    """Of these, and of the places where they are. audiences: whose contacts (models.AUDIENCES)."""
    ids: dict[str, set[UUID]] = {"site": set(), "unit": set(), "activity": set()}
    for owner in owners:
        for place in _line(owner):
            ids[_kind(place)].add(place.id)
    if not owners:
        return Surroundings()
    contacts = (Contact.audience.in_(audiences),)
    return Surroundings(
        _by_owner(OpeningHours, ids, (), (OpeningHours.weekday, OpeningHours.opens)),
        _by_owner(OpeningException, ids, (), (OpeningException.starts_on, OpeningException.opens)),
        _by_owner(Contact, ids, contacts, (Contact.position, Contact.kind, Contact.value)),
    )


def _by_owner(
    model: Any, ids: Mapping[str, set[UUID]], only: Sequence[ColumnElement[bool]], order: Sequence[Any]
) -> Mapping[UUID, Sequence[Any]]:
    theirs = or_(*(getattr(model, f"{kind}_id").in_(known) for kind, known in ids.items() if known))
    found: dict[UUID, list[Any]] = defaultdict(list)
    for row in session.scalars(select(model).where(theirs, *only).order_by(*order, model.id)):
        found[row.site_id or row.unit_id or row.activity_id].append(row)
    return found


def _kind(owner: Owner) -> str:
    return {Site: "site", Unit: "unit", Activity: "activity"}[type(owner)]
