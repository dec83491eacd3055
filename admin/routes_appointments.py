"""The day and the week of a unit: who is expected, who is there, what is free; also on paper and in a spreadsheet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, render_template, request, url_for
from flask import session as cookie
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards
from auth.agents import queries as agent_units
from portal import calendar, db
from portal.establishments import Unit
from portal.web.spreadsheets import csv_response
from services.appointments import actions, queries
from services.appointments.desk import queries as desk
from services.appointments.desk import wording
from services.appointments.desk.agenda import MAY_ARRIVE_BEFORE, Agenda, Free, Visit
from services.appointments.desk.queries import Span
from services.appointments.forms import day_asked

pages = guards.staff(
    Blueprint("admin_appointments", __name__, url_prefix="/admin/rendez-vous", template_folder="templates"),
    right="appointments",
)
STATES = ("expected", "waiting", "done", "missed", "cancelled", "free")
"""What a day may be narrowed to; otherwise everything but what was cancelled."""
_UNIT = "desk_unit"
_WEEK = 7


def here() -> frozenset[UUID]:
    """The hospitals where the agent takes appointments."""
    return guards.establishments("appointments")


# -- which unit, which day, whom ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """What an address asks to see."""

    units: Sequence[Unit]
    unit: Unit
    day: date
    today: date
    practitioner_id: UUID | None
    state: str

    def address(self, endpoint: str = ".day", **changes: Any) -> str:
        """The same, elsewhere or otherwise."""
        asked: dict[str, Any] = {"unit": self.unit.id, "day": self.day.isoformat()}
        asked |= {"practitioner": self.practitioner_id, "state": self.state or None}
        return url_for(endpoint, **asked | changes)


def asked() -> Asked | None:
    """None when no unit takes appointments."""
    units = queries.units_at(here())
    unit = _asked_unit(units)
    if unit is None:
        return None
    today = calendar.civil_day(db.now(), unit.establishment.tz)
    day = day_asked(request.args.get("day", "")) or today
    state = request.args.get("state", "")
    return Asked(units, unit, day, today, _id(request.args.get("practitioner", "")), state if state in STATES else "")


def _asked_unit(units: Sequence[Unit]) -> Unit | None:
    """The unit of the address, else the last one looked at, else the first one where the agent works; 404 for a unit
    of another hospital."""
    if "unit" in request.args:
        unit = next((unit for unit in units if str(unit.id) == request.args["unit"]), None) or abort(404)
        if cookie.get(_UNIT) != str(unit.id):
            cookie[_UNIT] = str(unit.id)
        return unit
    if last := next((unit for unit in units if str(unit.id) == cookie.get(_UNIT)), None):
        return last
    mine = agent_units.my_units()
    return next((unit for unit in units if unit.id in mine), units[0] if units else None)


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


# -- the day -----------------------------------------------------------------------------------------------------


@pages.get("")
def day() -> str:
    """Who is expected in a unit on a day (today in the hospital's calendar when none is asked for)."""
    wanted = asked()
    if wanted is None:
        return render_template("admin/appointments/no_unit.html")
    agendas = desk.agendas(Span(wanted.unit, wanted.day, wanted.day))
    actions.open_day(wanted.unit, wanted.day)
    return render_template(
        "admin/appointments/day.html",
        asked=wanted,
        practitioners=[(each.practitioner_id, each.name) for each in agendas],
        agendas=_narrowed(agendas, wanted),
        counts=_counts(agendas),
        unanswered=desk.unanswered(wanted.unit),
        said=wording.Said(wanted.unit.establishment.tz),
        now=db.now(),
        soon=db.now() + MAY_ARRIVE_BEFORE,
        states=STATES,
        before=wanted.day - timedelta(days=1),
        after=wanted.day + timedelta(days=1),
    )


def _narrowed(agendas: Sequence[Agenda], wanted: Asked) -> Sequence[Agenda]:
    """The agendas and lines that were asked for."""
    shown = [each for each in agendas if wanted.practitioner_id in (None, each.practitioner_id)]
    for agenda in shown:
        agenda.lines = [line for line in agenda.lines if _is_shown(line, wanted.state)]
    return [each for each in shown if each.lines or not wanted.state]


def _is_shown(line: Any, state: str) -> bool:
    if isinstance(line, Visit):
        group = {"booked": "expected", "arrived": "waiting"}.get(line.state, line.state)
        return group == state if state else group != "cancelled"
    return not state or (state == "free" and isinstance(line, Free))


def _counts(agendas: Sequence[Agenda]) -> dict[str, int]:
    """Step → how many visits are there; and the free times."""
    found: dict[str, int] = {}
    for visit in (visit for agenda in agendas for visit in agenda.visits):
        found[visit.step] = found.get(visit.step, 0) + 1
    return found | {"free": sum(agenda.starts for agenda in agendas)}


# -- on paper and in a spreadsheet -------------------------------------------------------------------------------


@pages.get("/imprimer")
def print_day() -> str:
    """A sheet for each practitioner, for the day when the portal does not answer."""
    wanted = asked() or abort(404)
    agendas = desk.agendas(Span(wanted.unit, wanted.day, wanted.day, wanted.practitioner_id))
    actions.print_day(wanted.unit, wanted.day)
    return render_template(
        "admin/appointments/print_day.html",
        asked=wanted,
        agendas=_narrowed(agendas, wanted),
        said=wording.Said(wanted.unit.establishment.tz),
        printed_by=db.current_actor().name,
        printed_at=db.now(),
    )


@pages.get("/tableur")
def spreadsheet() -> Response:
    """The day's visits, cancelled ones included, a line each."""
    wanted = asked() or abort(404)
    tz = wanted.unit.establishment.tz
    agendas = desk.agendas(Span(wanted.unit, wanted.day, wanted.day, wanted.practitioner_id))
    actions.take_out_day(wanted.unit, wanted.day)
    headers = [
        _("Day"), _("Time"), _("End"), _("Practitioner"), _("IPP"), _("Birth name"), _("Used name"), _("First name"),
        _("Born on"), _("Phone"), _("Reason"), _("Channel"), _("State"), _("Reference"),
    ]  # fmt: skip
    rows = [_cells(agenda, visit, tz) for agenda in agendas for visit in agenda.visits]
    return csv_response(f"{_('appointments')}-{wanted.unit.uf}-{wanted.day.isoformat()}", headers, rows)


def _cells(agenda: Agenda, visit: Visit, tz: Any) -> Sequence[str]:
    begins, ends = visit.at.astimezone(tz), visit.until.astimezone(tz)
    return (
        begins.date().isoformat(), f"{begins:%H:%M}", f"{ends:%H:%M}", agenda.name, visit.number, visit.birth_name,
        visit.used_name, visit.first_name, visit.birth_on.isoformat(), wording.phone(visit.mobile), visit.reason,
        str(wording.CHANNELS[visit.channel]), str(wording.STEPS[visit.step][0]), visit.reference,
    )  # fmt: skip


# -- the week ----------------------------------------------------------------------------------------------------


@pages.get("/semaine")
def week() -> str:
    """How full a unit's week is, and the agenda of one practitioner when one is chosen."""
    wanted = asked()
    if wanted is None:
        return render_template("admin/appointments/no_unit.html")
    monday = wanted.day - timedelta(days=wanted.day.weekday())
    whole = Span(wanted.unit, monday, monday + timedelta(days=_WEEK - 1))
    loads = desk.week(whole)
    agendas: Sequence[Agenda] = []
    if wanted.practitioner_id in loads.names:
        agendas = desk.agendas(Span(whole.unit, whole.first, whole.last, wanted.practitioner_id))
        actions.open_week(wanted.unit, whole.days)
    return render_template(
        "admin/appointments/week.html",
        asked=wanted,
        week=loads,
        agendas=_narrowed(agendas, wanted),
        said=wording.Said(wanted.unit.establishment.tz),
        now=db.now(),
        before=monday - timedelta(days=_WEEK),
        after=monday + timedelta(days=_WEEK),
    )
