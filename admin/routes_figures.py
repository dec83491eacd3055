"""One figure: its curve, its table, its definition, and the same as a file for a spreadsheet."""

from collections.abc import Iterator

from flask import Blueprint, Response, abort, render_template
from flask_babel import format_decimal, get_locale
from flask_babel import gettext as _

from admin import actions_figure_exports, charts_figures, figure_drawings, figure_services, figure_words
from admin.figures_chooser import Chooser, chooser
from admin.queries_figures import Figures, Reading
from auth import guards
from portal import kpi
from portal.kpi import Definition, Figure
from portal.web import spreadsheets

figure_pages = guards.staff(
    Blueprint("admin_figures", __name__, url_prefix="/admin/chiffres", template_folder="templates"),
    right="administration",
)


@figure_pages.get("/<code>")
def show(code: str) -> tuple[str, int]:
    """One indicator over the chosen days."""
    chosen, reading = _read(code)
    page = render_template(
        "admin/figures/show.html",
        chooser=chosen,
        form=chosen.form,
        reading=reading,
        chart=charts_figures.chart(reading) if reading.figure.fed else None,
        service=figure_services.service_of(reading.definition),
        versions=kpi.stored(code, str(get_locale() or "fr")),
    )
    return page, 422 if chosen.form.errors else 200


@figure_pages.get("/<code>/telecharger")
def download(code: str) -> Response:
    """The indicator's bars as CSV: what is shown, with the definition's version, so that it can be checked."""
    chosen, reading = _read(code)
    if chosen.form.errors:
        abort(422)
    days, hospital = chosen.choice.days, chosen.choice.hospital
    # Exact numbers leave, by any days: written down as other files of figures are.
    actions_figure_exports.export_figures(hospital.id if hospital else None, reading.definition.code, "csv", exact=True)
    headers = [
        _("Code"), _("Figure"), _("Version"), _("Hospital"), _("From"), _("To"),
        _("Numerator"), _("Denominator"), _("Value"),
    ]  # fmt: skip
    return spreadsheets.csv_response(f"{code}-{days.first}-{days.last}", headers, _rows(chosen, reading))


def _read(code: str) -> tuple[Chooser, Reading]:
    try:
        definition = kpi.definition(code)
    except KeyError:
        abort(404)
    chosen = chooser()
    return chosen, Figures(chosen.choice, figure_drawings.events((), [definition])).of(definition)


def _rows(chosen: Chooser, reading: Reading) -> Iterator[list[object]]:
    definition = reading.definition
    place, version = figure_words.place(definition, chosen.choice), kpi.version_of(definition.code)
    for cut in reading.cuts:
        named = [definition.code, str(definition.title), version, place, cut.days.first, cut.days.last]
        yield [*named, *_numbers(definition, cut.figure)]


def _numbers(definition: Definition, figure: Figure) -> list[object]:
    value = figure.value
    if value is not None and definition.unit == "cents":
        value = value / 100
    # As spreadsheets of the reader's country read it: `0,375` in French, and no space between thousands.
    written = "" if value is None else str(format_decimal(value, "0.######"))
    return [figure.numerator, figure.denominator, written]
