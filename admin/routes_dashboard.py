"""The first page of the staff: figures for administrators, the nearest tray for the others."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, abort, redirect, render_template, url_for
from werkzeug.wrappers import Response

from admin import charts_figures, figure_words, queries_figures
from admin.charts_figures import Chart
from admin.figures_chooser import chooser
from admin.queries_figures import Figures, Reading
from auth import guards
from auth.emergencies import queries as emergencies
from portal import catalog, db
from portal.kpi import Definition

dashboard_pages = guards.staff(Blueprint("admin", __name__, url_prefix="/admin", template_folder="templates"))


@dashboard_pages.get("/")
def dashboard() -> tuple[str, int] | Response:
    """The figures, for whoever administers a hospital."""
    actor = db.current_actor()
    if actor.may("administration"):
        return _figures()
    trays = [card.staff_endpoint for card in catalog.staff_cards() if actor.may(card.right)]
    if not trays:
        abort(403)
    return redirect(url_for(trays[0]))


@dataclass(frozen=True)
class Family:
    """Indicators shown together, with the chart of the main one."""

    title: str
    readings: Sequence[Reading]
    chart: Chart | None


def _figures() -> tuple[str, int]:
    chosen = chooser()
    figures = Figures(chosen.choice)
    page = render_template(
        "admin/dashboard.html",
        chooser=chosen,
        form=chosen.form,
        families=[_family(name, group, figures) for name, group in queries_figures.families()],
        rolled_up_at=queries_figures.rolled_up_at(),
        to_judge=emergencies.count_to_judge(guards.establishments("audit")),
    )
    return page, 422 if chosen.form.errors else 200


def _family(name: str, definitions: Sequence[Definition], figures: Figures) -> Family:
    readings = [figures.of(definition) for definition in definitions]
    return Family(figure_words.family(name), readings, charts_figures.of_family(name, figures))
