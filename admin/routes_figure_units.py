"""The figures of a digital service, unit by unit: a page of its own, and what is taken away of it."""

from dataclasses import replace

from flask import Blueprint, Response, abort, render_template, request
from markupsafe import Markup, escape

from admin import actions_figure_exports, figure_services, figure_unit_files, figure_unit_words
from admin import queries_figure_units as queries
from admin.figure_services import Service
from admin.figure_unit_words import UnitExport
from admin.figures_chooser import Chooser, chooser
from admin.forms_figure_units import UnitFigureForm
from admin.queries_figure_units import UnitFigures
from auth import guards
from portal import db, kpi
from portal.establishments import Establishment
from portal.kpi import Definition
from portal.web.fields import choices

pages = guards.staff(
    Blueprint("admin_figure_units", __name__, url_prefix="/admin/chiffres/services", template_folder="templates"),
    right="administration",
)


@pages.get("/<code>/par-unite")
def show(code: str) -> tuple[str, int]:
    """One figure at each unit of a hospital over the chosen days, beside the days before."""
    service, form, definition = _asked(code)
    chosen, hospital = _at_a_hospital(definition)
    found = queries.by_unit(definition, chosen.choice, hospital)
    page = render_template(
        "admin/figures/units.html",
        chooser=chosen,
        form=chosen.form,
        figure_form=form,
        service=service,
        found=found,
        chart=figure_unit_words.chart(found),
        columns=figure_unit_words.columns(definition),
        rows=figure_unit_words.rows(found, _links(chosen, found)),
        may_be_shared=queries.may_be_shared(definition),
    )
    return page, 422 if chosen.form.errors else 200


@pages.get("/<code>/par-unite/<any(csv, xlsx, pdf):kind>")
def download(code: str, kind: str) -> Response:
    """The same to be taken away: final quarters, masked, that may be shown; or the chosen days, exact, for the
    hospital's own use (`use=internal`)."""
    _service, _form, definition = _asked(code)
    chosen, hospital = _at_a_hospital(definition)
    if chosen.form.errors:
        abort(422)
    exact = request.args.get("use") == "internal"
    if not exact and not queries.may_be_shared(definition):
        abort(404)
    export = _export(definition, chosen, hospital, exact=exact)
    what = f"{definition.code}-units"
    actions_figure_exports.export_figures(hospital.id, what, kind, exact=exact)
    return figure_unit_files.write(export, kind, f"parvis-{definition.code}-par-unite")


def _asked(code: str) -> tuple[Service, UnitFigureForm, Definition]:
    """The page of this name and the figure that is chosen on it. 404 when it has none by unit."""
    service = figure_services.service(code)
    known = {each.code: each for each in queries.definitions(service)} if service else {}
    if service is None or not known:
        abort(404)
    form = UnitFigureForm(formdata=request.args)
    form.offer({each.code: str(each.title) for each in known.values()})
    return service, form, known[form.figure.data]


def _at_a_hospital(definition: Definition) -> tuple[Chooser, Establishment]:
    """What is chosen, at the first of one's hospitals when none is: units are those of one hospital."""
    chosen = chooser(figure=definition.code)
    mine = chosen.choice.hospitals
    hospital = chosen.choice.hospital or mine[0]
    form = chosen.form
    form.establishment.choices = choices((each.finess, each.name) for each in mine)
    form.establishment.data = hospital.finess
    return replace(chosen, choice=replace(chosen.choice, hospital=hospital)), hospital


def _links(chosen: Chooser, found: UnitFigures) -> dict[object, str]:
    """Each unit leads to the figure's own page, of that unit alone."""
    code = found.definition.code
    return {
        unit.id: Markup('<a class="govuk-link" href="{}">{}</a>').format(
            chosen.address("admin_figures.show", code=code, unit=unit.id), escape(figure_unit_words.unit_name(unit))
        )
        for unit, _reading in found.units
    }


def _export(definition: Definition, chosen: Chooser, hospital: Establishment, *, exact: bool) -> UnitExport:
    if exact:
        lines = list(figure_unit_words.exact_lines(queries.by_unit(definition, chosen.choice, hospital)))
    else:
        lines = list(figure_unit_words.shared_lines(queries.shared_by_unit(definition, hospital)))
    return UnitExport(definition, kpi.version_of(definition.code), hospital, lines, exact, db.now())
