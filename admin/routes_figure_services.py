"""The page of a digital service: its figures, what became of things there, how long they took."""

from flask import Blueprint, Response, abort, render_template

from admin import (
    actions_figure_exports,
    charts_figures,
    figure_drawings,
    figure_hours,
    figure_services,
    queries_figure_units,
)
from admin.figures_chooser import chooser
from admin.queries_figures import Figures
from auth import guards
from portal.web import spreadsheets

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
        has_hours=bool(figure_hours.drawn(drawings)),
        has_units=bool(queries_figure_units.definitions(service)),
        others=[each for each in figure_services.services() if each.code != code],
    )
    return page, 422 if chosen.form.errors else 200


@pages.get("/<code>/heures.csv")
def hours(code: str) -> Response:
    """When in the week it happens there, in the months that are final: masked, since a file goes anywhere."""
    drawings = figure_hours.drawn(figure_drawings.OF_SERVICES.get(code, ()))
    if not drawings:
        abort(404)
    chosen = chooser()
    if chosen.form.errors:
        abort(422)
    hospital = chosen.choice.hospital
    actions_figure_exports.export_figures(hospital.id if hospital else None, f"{code}-hours", "csv", exact=False)
    name = f"parvis-{code}-heures"
    return spreadsheets.csv_response(name, figure_hours.columns(), figure_hours.lines(drawings, chosen.choice))
