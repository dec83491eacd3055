"""The calendar of stays at my hospitals: when a file opens, is best sent and is late, and when it is reminded of."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response
from wtforms import IntegerField, StringField
from wtforms.validators import NumberRange, Optional, ValidationError

from auth import guards
from portal import calendar, db
from portal.establishments import Establishment, establishments
from portal.web.forms import Form
from services.preadmission import wording
from services.preadmission.calendars import actions, queries
from services.preadmission.calendars.actions import Change
from services.preadmission.deadlines import deadlines, overridden
from services.preadmission.kinds import KINDS

RIGHT = "administration"
pages = guards.staff(
    Blueprint(
        "admin_stay_calendars", __name__, url_prefix="/admin/calendrier-des-sejours", template_folder="templates"
    ),
    right=RIGHT,
)
_NUMBERS = ("opens", "recommended", "cut_off", "cut_off_hour", "to_complete_days")
_DAYS = re.compile(r"\s*[0-9]{1,3}(\s*[,;\s]\s*[0-9]{1,3})*\s*", re.ASCII)


class CalendarForm(Form):
    """What a hospital or a unit changes; nothing typed leaves the usual value."""

    opens = IntegerField(_l("Opens, days before the stay"), [Optional(), NumberRange(1, 365)])
    recommended = IntegerField(_l("Best sent, working days before"), [Optional(), NumberRange(0, 60)])
    cut_off = IntegerField(_l("Late after, working days before"), [Optional(), NumberRange(0, 30)])
    cut_off_hour = IntegerField(_l("at, hour of the hospital"), [Optional(), NumberRange(0, 23)])
    to_complete_days = IntegerField(_l("Days to send what is missing"), [Optional(), NumberRange(1, 30)])
    reminders = StringField(_l("Reminders, days before"), description=_l("Such as 14, 7, 3. A single 0: none"))

    def validate_reminders(self, field: Any) -> None:
        if _days(field.data) is None and (field.data or "").strip():
            raise ValidationError(_("Write at most 5 numbers of days, from 1 to 60, such as 14, 7, 3"))

    def change(self) -> Change:
        return Change(**{name: self[name].data for name in _NUMBERS}, reminders=_days(self.reminders.data))


def _days(typed: str | None) -> tuple[int, ...] | None:
    """`14, 7` → (14, 7); `0` → (); None for nothing, and for what is not one."""
    if not _DAYS.fullmatch(typed or ""):
        return None
    found = {int(each) for each in re.findall(r"[0-9]+", typed or "")}
    if found == {0}:
        return ()
    return tuple(sorted(found, reverse=True)) if all(1 <= each <= 60 for each in found) and len(found) <= 5 else None


@pages.get("")
def overview() -> str:
    """Each hospital and its units: what is changed there."""
    mine = _mine()
    rules = queries.rules({each.id for each in mine})
    return render_template(
        "admin/stay_calendars/overview.html",
        hospitals=mine,
        rules=rules,
        units={each.id: queries.units_of(each) for each in mine},
    )


@pages.route("/<finess>", methods=["GET", "POST"])
def change_hospital(finess: str) -> Response | tuple[str, int]:
    """The calendar of a whole hospital."""
    return _change(_hospital(finess), None)


@pages.route("/<finess>/<uuid:unit_id>", methods=["GET", "POST"])
def change_unit(finess: str, unit_id: UUID) -> Response | tuple[str, int]:
    """The calendar of one unit."""
    hospital = _hospital(finess)
    unit = next((each for each in queries.units_of(hospital) if each.id == unit_id), None) or abort(404)
    return _change(hospital, unit)


def _change(hospital: Establishment, unit: Any) -> Response | tuple[str, int]:
    former = queries.rules([hospital.id]).get(unit.id if unit else hospital.id)
    shown = {name: getattr(former, name) for name in _NUMBERS} if former else {}
    if former is not None and former.reminders is not None:
        shown["reminders"] = ", ".join(map(str, former.reminders)) or "0"
    form = CalendarForm(data=shown)
    if form.validate_on_submit():
        actions.change(hospital.id, unit.id if unit else None, form.change())
        flash(_("Saved. It applies to every file that is not sent yet."), "success")
        return redirect(url_for(".overview"), 303)
    page = render_template(
        "admin/stay_calendars/change.html", form=form, hospital=hospital, unit=unit, samples=_samples(hospital, unit)
    )
    return page, 422 if form.errors else 200


def _samples(hospital: Establishment, unit: Any) -> list[dict[str, Any]]:
    """What it gives, for a stay in thirty days, by kind."""
    day = calendar.civil_day(db.now(), hospital.tz) + timedelta(days=30)
    known = queries.rules([hospital.id])
    places: list[UUID] = [hospital.id, unit.id] if unit else [hospital.id]
    changes = [known[place].changes for place in places if place in known]
    return [
        {
            "kind": wording.STAY_KINDS[kind.code],
            "days": deadlines(overridden(kind.calendar, *changes), day, hospital.tz, hospital.holiday_rules),
            "planned_on": day,
        }
        for kind in KINDS.values()
    ]


def _hospital(finess: str) -> Establishment:
    return next((each for each in _mine() if each.finess == finess), None) or abort(404)


def _mine() -> list[Establishment]:
    return [each for each in establishments() if each.id in guards.establishments(RIGHT)]
