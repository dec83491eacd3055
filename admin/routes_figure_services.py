"""The page of a digital service: its figures, what became of things there, how long they took."""

from flask import Blueprint, abort, render_template

from admin import charts_figures, figure_drawings, figure_services
from admin.figures_chooser import chooser
from admin.queries_figures import Figures
from auth import guards

pages = guards.staff(
    Blueprint("admin_figure_services", __name__, url_prefix="/admin/chiffres/services", template_folder="templates"),
    right="administration",
)


@pages.get("/<code>")
def show(code: str) -> tuple[str, int]:
    """All the figures of a service over the chosen days, its charts, and the targets of its hospitals."""
    service = figure_services.service(code)
    if service is None:
        abort(404)
    chosen = chooser()
    drawings = figure_drawings.OF_SERVICES.get(code, ())
    figures = Figures(chosen.choice, figure_drawings.events(drawings, service.definitions))
    readings = {each.code: figures.of(each) for each in service.definitions}
    rates = [
        readings[each.code] for each in service.drawn if readings[each.code].figure.fed and readings[each.code].known
    ]
    page = render_template(
        "admin/figures/service.html",
        chooser=chosen,
        form=chosen.form,
        service=service,
        readings=list(readings.values()),
        charts=[chart for each in drawings if (chart := each.draw(figures))]
        + [charts_figures.chart(reading) for reading in rates],
        others=[each for each in figure_services.services() if each.code != code],
    )
    return page, 422 if chosen.form.errors else 200
