"""One figure: its curve, its table, its definition, and the same as a file for a spreadsheet."""

from collections.abc import Iterator
from dataclasses import replace

from flask import Blueprint, Response, abort, render_template, request
from flask_babel import format_decimal, get_locale
from flask_babel import gettext as _

from admin import (
    actions_figure_exports,
    charts_figures,
    figure_drawings,
    figure_services,
    figure_unit_words,
    figure_words,
    queries_figure_units,
)
from admin.figures_chooser import Chooser, chooser
from admin.forms_figure_units import UnitForm
from admin.queries_figures import Figures, Reading
from auth import guards
from portal import kpi
from portal.kpi import Definition, Figure
from portal.web import spreadsheets
from portal.web.fields import choices

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
        unit_form=_unit_form(reading.definition, chosen),
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
    chosen = _at_a_unit(definition, chooser(**({"unit": request.args["unit"]} if request.args.get("unit") else {})))
    return chosen, Figures(chosen.choice, figure_drawings.events((), [definition])).of(definition)


def _at_a_unit(definition: Definition, chosen: Chooser) -> Chooser:
    """The same at the unit that the address names, unless another hospital was just chosen. 404 for a unit of none of
    the reader's hospitals, or when the figure is not kept by unit."""
    if not (asked := chosen.more.get("unit")):
        return chosen
    choice = chosen.choice
    unit = queries_figure_units.unit(choice.among, asked) if queries_figure_units.has_units(definition) else None
    if unit is None:
        abort(404)
    if choice.hospital and choice.hospital.id != unit.establishment_id:
        return replace(chosen, more={})
    hospital = next(each for each in choice.hospitals if each.id == unit.establishment_id)
    chosen.form.establishment.data = hospital.finess
    return replace(chosen, choice=replace(choice, hospital=hospital, unit=unit))


def _unit_form(definition: Definition, chosen: Chooser) -> UnitForm | None:
    """Which unit is looked at, where that can be chosen: at one hospital, of a figure that is kept by unit."""
    choice = chosen.choice
    hospital = choice.hospital or (choice.hospitals[0] if len(choice.hospitals) == 1 else None)
    if hospital is None or not queries_figure_units.has_units(definition):
        return None
    form = UnitForm()
    named = [(str(each.id), figure_unit_words.unit_name(each)) for each in queries_figure_units.every_unit(hospital.id)]
    form.unit.choices = choices([("", _("All units")), *named])
    form.unit.data = str(choice.unit.id) if choice.unit else ""
    return form


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
