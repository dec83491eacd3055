"""The first page of the staff: figures for administrators, the nearest tray for the others."""

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from admin import (
    figure_drawings,
    figure_services,
    figure_view_pages,
    queries_figure_alerts,
    queries_figures,
)
from admin.figures_chooser import chooser
from admin.queries_figures import Figures
from auth import guards
from auth.figure_views import queries as views
from portal import catalog, db

dashboard_pages = guards.staff(Blueprint("admin", __name__, url_prefix="/admin", template_folder="templates"))


@dashboard_pages.get("/")
def dashboard() -> tuple[str, int] | Response:
    """The figures, for whoever administers a hospital; by the view they start with, when the address asks nothing."""
    actor = db.current_actor()
    if actor.may("administration"):
        return _start() or _figures()
    trays = [card.staff_endpoint for card in catalog.staff_cards() if actor.may(card.right)]
    if not trays:
        abort(403)
    return redirect(url_for(trays[0]))


def _start() -> Response | None:
    if set(request.args) - {"lang"}:
        return None
    view = views.start()
    if view is None or not figure_view_pages.is_known(view.page, view.subject):
        return None  # the figure is not in the catalogue any more
    if not queries_figures.may_look_at(view.choice.get("establishment", "")):
        return None
    return redirect(figure_view_pages.address(view))


def _figures() -> tuple[str, int]:
    chosen = chooser()
    shown = figure_services.home()
    definitions = [each for pair in shown for each in pair if each]
    figures = Figures(chosen.choice, figure_drawings.events(figure_drawings.HOME, definitions))
    tiles = [(figures.of(main), figures.of(rate) if rate else None) for main, rate in shown]
    readings = [each for pair in tiles for each in pair if each]
    health = queries_figure_alerts.health()
    audited = guards.establishments("audit")
    page = render_template(
        "admin/dashboard.html",
        chooser=chosen,
        form=chosen.form,
        tiles=tiles,
        charts=[chart for each in figure_drawings.HOME if (chart := each.draw(figures))],
        alerts=list(queries_figure_alerts.alerts(readings, health, audited, db.current_actor().rights)),
        services=figure_services.services(),
        rolled_up_at=health.rolled_up_at,
    )
    return page, 422 if chosen.form.errors else 200
