"""What a template makes of the months to come: sessions to open, to change, to remove, and whom that leaves stranded.

Sessions that somebody needs (an appointment, even a past one, or a time kept) stay where they are, cell for cell;
what the rule opens beside them becomes new sessions. All the others are replaced when they are not as wanted.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ARRAY, Uuid, cast, exists, func, or_, select

from portal import calendar, db
from portal.db import session
from portal.establishments import Establishment, Unit
from services.appointments import slots, states
from services.appointments.agendas import rules
from services.appointments.agendas.models import Absence, SchoolHoliday, SessionTemplate
from services.appointments.agendas.rules import Place, Rule, Span
from services.appointments.models import Appointment, ConsultationSession, Hold

MONTHS_AHEAD = 13
AHEAD = timedelta(days=MONTHS_AHEAD * 31)


@dataclass
class Plan:
    """Rows of sessions to open and to change, ids to remove, ids of appointments that would have no room any more;
    and, for whoever decides, the days that this opens, changes and closes."""

    new: list[dict[str, Any]] = field(default_factory=list)
    changed: list[dict[str, Any]] = field(default_factory=list)
    kept: list[UUID] = field(default_factory=list)
    gone: list[UUID] = field(default_factory=list)
    stranded: list[UUID] = field(default_factory=list)
    widened: list[UUID] = field(default_factory=list)
    days_opened: list[date] = field(default_factory=list)
    days_changed: list[date] = field(default_factory=list)
    days_closed: list[date] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Grows with whatever is to do."""
        return len(self.new) + len(self.changed) + len(self.gone)


def place_of(establishment: Establishment) -> Place:
    """The hospital's clock and holidays."""
    zone = establishment.school_zone
    query = select(SchoolHoliday.first_on, SchoolHoliday.last_on).where(SchoolHoliday.zone == zone)
    school = [(row.first_on, row.last_on) for row in session.execute(query)] if zone else []
    return Place(establishment.tz, establishment.holiday_rules, school)


class Absences:
    """Absences of a hospital that are not over, by whom or what they close."""

    def __init__(self, establishment_id: UUID, since: datetime) -> None:
        query = select(Absence).where(Absence.establishment_id == establishment_id, Absence.end_at > since)
        self._of: dict[UUID, list[Span]] = {}
        for each in session.scalars(query):
            whom = each.practitioner_id or each.unit_id or each.room_id
            assert whom is not None, "a constraint says so"
            self._of.setdefault(whom, []).append((each.start_at, each.end_at))

    def closed(self, opened: Any) -> int:
        """Bits of a session's cells that an absence touches; opened: a row with whose and when it is."""
        parts = [
            part for whom in (opened.practitioner_id, opened.unit_id, opened.room_id) for part in self._of.get(whom, ())
        ]
        return rules.meeting(opened.start_at, opened.step_min, opened.n_cells, parts) if parts else 0


def of_templates(templates: Sequence[SessionTemplate], establishment: Establishment) -> Plan:
    """The plan of some templates of one hospital, from now until thirteen months ahead. Nothing is written."""
    now, plan = db.now(), Plan()
    today = calendar.civil_day(now, establishment.tz)
    place, absences = place_of(establishment), Absences(establishment.id, now)
    existing = _existing([each.id for each in templates], today)
    taken = _taken(existing.values())
    units = select(Unit.id, Unit.site_id).where(Unit.establishment_id == establishment.id)
    sites = {row.id: row.site_id for row in session.execute(units)}
    for template in templates:
        maker = _Maker(template, template.rule, place, absences, sites[template.unit_id], now, taken, plan)
        mine = existing.get(template.id, {})
        maker.plan(mine, today, today + AHEAD)
    return plan


Existing = dict[UUID, dict[date, list[Any]]]
Taken = Mapping[UUID, list[tuple[UUID, int]]]


def _existing(templates: Collection[UUID], today: date) -> Existing:
    """Template → day → its sessions, and whether somebody needs them."""
    table = ConsultationSession
    needed = or_(exists().where(Appointment.session_id == table.id), exists().where(Hold.session_id == table.id))
    query = select(
        table.id, table.template_id, table.practitioner_id, table.unit_id, table.room_id, table.start_at,
        table.local_date, table.step_min, table.n_cells, table.planned, table.open, table.for_web, table.for_city,
        table.released_at, table.capacity, needed.label("is_needed"),
    ).where(table.template_id.in_(templates), table.local_date >= today)  # fmt: skip
    found: Existing = {}
    for row in session.execute(query.order_by(table.start_at)):
        found.setdefault(row.template_id, {}).setdefault(row.local_date, []).append(row)
    return found


def _taken(existing: Collection[dict[date, list[Any]]]) -> Taken:
    """Session → appointments expected in it, and their bits."""
    needed = [row.id for days in existing for rows in days.values() for row in rows if row.is_needed]
    query = select(Appointment.id, Appointment.session_id, Appointment.first_cell, Appointment.n_cells).where(
        Appointment.session_id == func.any(cast(needed, ARRAY(Uuid))),
        Appointment.state == states.BOOKED,
        Appointment.start_at > db.now(),
    )
    found: dict[UUID, list[tuple[UUID, int]]] = {}
    for row in session.execute(query) if needed else ():
        found.setdefault(row.session_id, []).append((row.id, slots.mask(row.first_cell, row.n_cells)))
    return found


@dataclass(frozen=True)
class _Maker:
    template: SessionTemplate
    rule: Rule
    place: Place
    absences: Absences
    site_id: UUID
    now: datetime
    taken: Taken
    into: Plan

    def plan(self, existing: Mapping[date, Sequence[Any]], since: date, until: date) -> None:
        rule, one_days = self.rule, self.template.one_days
        wanted = set(rules.days(rule, since, until, self.place, one_days))
        for day in sorted(wanted | set(existing)):
            whole = rules.span(rule, day, self.place.tz, one_days.get(day)) if day in wanted else None
            before = self.into.size
            self._plan_day(day, whole, existing.get(day, ()))
            if self.into.size > before:
                self._tell_day(day, any(row.planned for row in existing.get(day, ())), whole is not None)

    def _tell_day(self, day: date, was_open: bool, is_open: bool) -> None:
        plan = self.into
        kind = plan.days_changed if was_open and is_open else plan.days_opened if is_open else plan.days_closed
        kind.append(day)

    def _plan_day(self, day: date, whole: Span | None, existing: Sequence[Any]) -> None:
        staying = [row for row in existing if row.is_needed or row.start_at <= self.now]
        spans = [(row.start_at, _ends(row)) for row in staying]
        wanted = rules.pieces(whole, self.rule.step_min, spans) if whole else []
        is_group, step_min = self.rule.capacity > 1, self.rule.step_min
        others = {_shape(row): row for row in existing if row not in staying}
        for start_at, n_cells in wanted:
            same = others.pop((start_at, step_min, n_cells, is_group), None)
            if same is not None:
                self._keep(same, whole, self.rule.capacity)
            elif start_at > self.now:
                self._open(day, start_at, n_cells)
        self.into.gone += [row.id for row in others.values()]
        for row in staying:
            if row.start_at > self.now:
                self._keep(row, whole, max(row.capacity, self.rule.capacity) if row.capacity > 1 else 1)

    def _open(self, day: date, start_at: datetime, n_cells: int) -> None:
        made = _New(
            uuid4(), self.template.practitioner_id, self.template.unit_id, self.template.room_id, start_at,
            self.rule.step_min, n_cells, day,
        )  # fmt: skip
        planned = slots.mask(0, n_cells)
        row = self._masks(made, planned, self.rule.capacity)
        row |= {
            "establishment_id": self.template.establishment_id,
            "template_id": self.template.id,
            "site_id": self.site_id,
            "unit_id": made.unit_id,
            "practitioner_id": made.practitioner_id,
            "start_at": start_at,
            "local_date": day,
            "step_min": made.step_min,
            "n_cells": n_cells,
        }
        self.into.new.append(row)

    def _keep(self, row: Any, whole: Span | None, capacity: int) -> None:
        planned = rules.within(row.start_at, row.step_min, row.n_cells, whole) if whole else 0
        wanted = self._masks(row, planned, capacity)
        self.into.kept.append(row.id)
        if any(getattr(row, name) != value for name, value in wanted.items()):
            self.into.changed.append(wanted)
        if wanted["open"] & ~row.open:
            self.into.widened.append(row.id)
        self.into.stranded += [
            appointment_id
            for appointment_id, cells in self.taken.get(row.id, ())
            if row.open & cells == cells and wanted["open"] & cells != cells
        ]

    def _masks(self, row: Any, planned: int, capacity: int) -> dict[str, Any]:
        rule, day, tz = self.rule, row.local_date, self.place.tz
        own = _New(row.id, row.practitioner_id, row.unit_id, self.template.room_id, row.start_at, row.step_min,
                   row.n_cells, day)  # fmt: skip
        return {
            "id": row.id,
            "room_id": self.template.room_id,
            "planned": planned,
            "open": planned & ~self.absences.closed(own),
            "for_web": _part(row, rules.meant_for(rule.online, (rule.online_from, rule.online_until), rule, day, tz)),
            "for_city": _part(row, rules.meant_for(rule.city, (rule.city_from, rule.city_until), rule, day, tz)),
            "released_at": rules.released_at(rule, day, tz),
            "capacity": capacity,
        }


@dataclass(frozen=True)
class _New:
    id: UUID
    practitioner_id: UUID
    unit_id: UUID
    room_id: UUID | None
    start_at: datetime
    step_min: int
    n_cells: int
    local_date: date


def _part(row: Any, part: Span | None) -> int | None:
    return None if part is None else rules.within(row.start_at, row.step_min, row.n_cells, part)


def _shape(row: Any) -> tuple[datetime, int, int, bool]:
    """What never changes in place: somebody may be booking what they saw of it."""
    return row.start_at, row.step_min, row.n_cells, row.capacity > 1


def _ends(row: Any) -> datetime:
    ends: datetime = row.start_at + timedelta(minutes=row.step_min * row.n_cells)
    return ends


def recount(rows: Sequence[Any], absences: Absences) -> Iterator[tuple[UUID, int, int]]:
    """Sessions that absences open or close: id, cells open before, cells open now."""
    for row in rows:
        planned = slots.mask(0, row.n_cells) if row.planned is None else row.planned
        wanted = planned & ~absences.closed(row)
        if wanted != row.open:
            yield row.id, row.open, wanted
