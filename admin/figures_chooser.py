"""Reads from the address which figures a page shows, and writes the addresses of the other choices."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from flask import abort, request, url_for

from admin import forms_figures, queries_figures, spans
from admin.forms_figures import DEFAULT, QUICK, FiguresForm
from admin.queries_figures import Choice
from auth import guards
from portal import db, kpi
from portal.calendar import civil_day


@dataclass(frozen=True)
class Chooser:
    """The form that chooses, what it chose, and the ready-made period in use ('' when days were typed).

    more: what else the address of this page says.
    """

    form: FiguresForm
    choice: Choice
    quick: str
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def earlier(self) -> spans.Days:
        return self.choice.earlier

    def address(self, endpoint: str, **values: Any) -> str:
        """Another page with the same choice."""
        return url_for(endpoint, **(self.arguments() | values))

    def arguments(self) -> dict[str, Any]:
        """What names this choice in an address: a ready-made period, or the days that were typed."""
        return self._arguments(self.quick)

    def tabs(self) -> list[dict[str, Any]]:
        """The ready-made periods, for the same page and hospital."""
        here, values = request.endpoint or "", {**(request.view_args or {}), **self.more}
        return [
            {
                "label": label,
                "href": url_for(here, **(values | self._arguments(name))),
                "active": name == self.quick,
            }
            for name, label in QUICK.items()
        ]

    def _arguments(self, quick: str) -> dict[str, Any]:
        days, hospital = self.choice.days, self.choice.hospital
        when = {"period": quick} if quick else {"from": days.first.isoformat(), "to": days.last.isoformat()}
        how = {"grain": self.choice.asked_grain, "compared": "year" if self.choice.comparison == "year" else ""}
        where = {"establishment": hospital.finess if hospital else ""}
        return when | {name: value for name, value in (how | where).items() if value}


def chooser(**more: str) -> Chooser:
    """What this request asks for. 404 for a hospital that the reader does not administer. more: what else its
    address says, to be kept when another period is chosen."""
    mine = queries_figures.hospitals(guards.establishments("administration"))
    finess = request.args.get("establishment", "")
    hospital = next((each for each in mine if each.finess == finess), None)
    if finess and hospital is None:
        abort(404)
    today = civil_day(db.now(), hospital.tz if hospital else ZoneInfo(kpi.GROUP_ZONE))
    form = forms_figures.figures_form(request.args, {each.finess: each.name for each in mine}, today)
    asked = request.args.get("period", DEFAULT)
    typed, quick = form.days(), asked if asked in QUICK else DEFAULT
    days = typed or forms_figures.quick_days(quick, today)
    if not form.errors:
        form.first.data, form.last.data = days.first, days.last
    choice = Choice(days, mine, hospital, form.comparison, form.asked_grain)
    return Chooser(form, choice, "" if typed else quick, more)
