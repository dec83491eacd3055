"""Reads from the address which figures a page shows, and writes the addresses of the other choices."""

from dataclasses import dataclass
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
    """The form that chooses, what it chose, and the ready-made period in use ('' when days were typed)."""

    form: FiguresForm
    choice: Choice
    quick: str

    @property
    def earlier(self) -> spans.Days:
        return spans.before(self.choice.days)

    def address(self, endpoint: str, **values: Any) -> str:
        """Another page with the same choice."""
        return url_for(endpoint, **values, **self._arguments(self.quick))

    def tabs(self) -> list[dict[str, Any]]:
        """The ready-made periods, for the same page and hospital."""
        here, values = request.endpoint or "", request.view_args or {}
        return [
            {"label": label, "href": url_for(here, **values, **self._arguments(name)), "active": name == self.quick}
            for name, label in QUICK.items()
        ]

    def _arguments(self, quick: str) -> dict[str, Any]:
        days, hospital = self.choice.days, self.choice.hospital
        when = {"period": quick} if quick else {"from": days.first.isoformat(), "to": days.last.isoformat()}
        return when | ({"establishment": hospital.finess} if hospital else {})


def chooser() -> Chooser:
    """What this request asks for. 404 for a hospital that the reader does not administer."""
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
    return Chooser(form, Choice(days, mine, hospital), "" if typed else quick)
