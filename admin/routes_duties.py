"""Who is on duty, for those who administer a hospital: the roster of a week, entry, the copy of a week, a file."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from auth import guards
from auth.agents import queries as agent_units
from portal import calendar, db
from portal.db import session
from portal.establishments import Practitioner, Unit
from portal.web.repeated_posts import once
from services.lines import actions, queries, roster
from services.lines.actions import DutyTaken
from services.lines.forms import DutyForm, told_of
from services.lines.models import Duty, Line
from services.lines.roster import Moments
from services.lines.wording import ROLES, span

RIGHT = "administration"
pages = guards.staff(
    Blueprint("admin_duties", __name__, url_prefix="/admin/gardes", template_folder="templates"), right=RIGHT
)
Answer = str | Response | tuple[str, int]
_WEEK = timedelta(days=7)
_FEW = 3


def _here() -> frozenset[UUID]:
    return guards.establishments(RIGHT)


@dataclass(frozen=True)
class Row:
    """A line of the roster: of a direct line, or (None) of the whole unit. cells: the duties of each day."""

    line: Line | None
    cells: Sequence[Sequence[Duty]]
    holes: Sequence[Moments]

    @property
    def is_empty(self) -> bool:
        """Nobody is written down for this line: saying so once is enough."""
        return not any(self.cells) and len(self.holes) > _FEW


@pages.get("")
def week() -> str:
    """The roster of a unit in a week: who, where, and when nobody is."""
    units = queries.units_at(_here())
    unit = _asked_unit(units)
    if unit is None:
        return render_template("admin/duties/no_unit.html")
    return _roster(units, unit, _monday(unit))


def _roster(units: Sequence[Unit], unit: Unit, first: date) -> str:
    tz = unit.establishment.tz
    within = roster.week_of(first, tz)
    duties, lines = queries.duties(unit.id, within), queries.lines_of(unit.id)
    days = [first + timedelta(days=n) for n in range(7)]
    rows = [Row(each, _cells(each, duties, days, tz), queries.holes(each, duties, within)) for each in lines]
    rows.append(Row(None, _cells(None, duties, days, tz), ()))
    return render_template(
        "admin/duties/week.html",
        units=units,
        unit=unit,
        rows=rows,
        days=days,
        duties=duties,
        first=first,
        previous=first - _WEEK,
        following=first + _WEEK,
        tz=tz,
    )


def _cells(line: Line | None, duties: Sequence[Duty], days: Sequence[date], tz: ZoneInfo) -> list[list[Duty]]:
    """Each duty on the day when it begins; on the first one when it began before."""
    cells: list[list[Duty]] = [[] for _day in days]
    for each in duties:
        if each.line_id == (line.id if line else None):
            begins = calendar.civil_day(each.from_at, tz)
            cells[max(0, (begins - days[0]).days)].append(each)
    return cells


def _monday(unit: Unit) -> date:
    today = calendar.civil_day(db.now(), unit.establishment.tz)
    try:
        asked = date.fromisoformat(request.args.get("from", ""))
    except ValueError:
        asked = today
    # Far weeks are nobody's, and dates have an end.
    return roster.monday(asked if abs((asked - today).days) < 3660 else today)


@pages.get("/ajouter")
def new() -> str:
    unit = _unit(request.args.get("unit", ""))
    form = DutyForm(MultiDict(), from_time="08:00", until_time="08:00", line=request.args.get("line", ""))
    return _form_page(unit, form)


@pages.post("/ajouter")
@once
def add() -> Answer:
    unit, form = _unit(request.args.get("unit", "")), DutyForm()
    _offer(form, unit)
    if not form.validate():
        return _form_page(unit, form), 422
    try:
        duty = actions.enter(form.wanted(unit))
    except DutyTaken as taken:
        return _taken(unit, form, taken)
    flash(_("Written down."), "success")
    return redirect(_week_of(duty, unit), 303)


@pages.get("/<uuid:duty_id>")
def show(duty_id: UUID) -> str:
    duty = _one(duty_id)
    form = DutyForm(MultiDict(), data=told_of(duty, duty.unit.establishment.tz))
    return _form_page(duty.unit, form, duty)


@pages.post("/<uuid:duty_id>")
@once
def change(duty_id: UUID) -> Answer:
    duty, form = _one(duty_id), DutyForm()
    unit = duty.unit
    _offer(form, unit)
    if not form.validate():
        return _form_page(unit, form, duty), 422
    try:
        actions.change(duty, form.wanted(unit))
    except DutyTaken as taken:
        return _taken(unit, form, taken, duty)
    flash(_("Saved."), "success")
    return redirect(_week_of(duty, unit), 303)


@pages.post("/<uuid:duty_id>/supprimer")
def remove(duty_id: UUID) -> Response:
    duty = _one(duty_id)
    back = _week_of(duty, duty.unit)
    actions.remove_duty(duty)
    flash(_("Removed."), "success")
    return redirect(back, 303)


@pages.post("/copier")
def copy() -> Response:
    """The roster of a week, again the week after."""
    unit = _unit(request.args.get("unit", ""))
    first, tz = _monday(unit), unit.establishment.tz
    within = roster.week_of(first, tz)
    begun = [each for each in queries.duties(unit.id, within) if each.from_at >= within[0]]
    done = actions.copy_week(begun, first, first + _WEEK, tz)
    flash(ngettext("%(num)d duty was copied.", "%(num)d duties were copied.", done.copied), "success")
    if done.left:
        left = ngettext(
            "%(num)d was not: somebody is on duty there already.",
            "%(num)d were not: somebody is on duty there already.",
            done.left,
        )
        flash(left, "info")
    return redirect(_address(unit, first + _WEEK), 303)


def _taken(unit: Unit, form: DutyForm, taken: DutyTaken, duty: Duty | None = None) -> tuple[str, int]:
    """409: the page says who is there already, in the same place."""
    other = taken.other
    moments = span((other.from_at, other.until_at), unit.establishment.tz)
    why = _("%(name)s: %(when)s (%(place)s).", name=other.name, when=moments, place=str(ROLES[other.role]).lower())
    return _form_page(unit, form, duty, why), 409


def _form_page(unit: Unit, form: DutyForm, duty: Duty | None = None, why: str = "") -> str:
    _offer(form, unit)
    return render_template("admin/duties/duty.html", unit=unit, form=form, duty=duty, why=why)


def _offer(form: DutyForm, unit: Unit) -> None:
    people = session.scalars(
        select(Practitioner).where(Practitioner.unit_id == unit.id).order_by(Practitioner.family_name, Practitioner.id)
    ).all()
    form.offer(queries.lines_of(unit.id), people)


def _week_of(duty: Duty, unit: Unit) -> str:
    begins = calendar.civil_day(duty.from_at, unit.establishment.tz)
    return _address(unit, roster.monday(begins))


def _address(unit: Unit, first: date) -> str:
    """Of the week that begins on this Monday."""
    week: dict[str, Any] = {"unit": unit.id, "from": first.isoformat()}
    return url_for(".week", **week)


def _asked_unit(units: Sequence[Unit]) -> Unit | None:
    """The unit of the address, else the first one where the agent works; 404 for a unit of another hospital."""
    if "unit" not in request.args:
        mine = agent_units.my_units()
        return next((unit for unit in units if unit.id in mine), units[0] if units else None)
    return next((unit for unit in units if str(unit.id) == request.args["unit"]), None) or abort(404)


def _unit(asked: str) -> Unit:
    return next((unit for unit in queries.units_at(_here()) if str(unit.id) == asked), None) or abort(404)


def _one(duty_id: UUID) -> Duty:
    return queries.duty(duty_id, _here()) or abort(404)
