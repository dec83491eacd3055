"""Figures to take away: for a board, for a programme, for a spreadsheet; masked unless they stay in the hospital."""

from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from admin import actions_figure_exports, figure_exports, figure_files, figure_services
from admin import queries_figure_exports as queries
from admin.figure_exports import Export
from admin.forms_figure_exports import EVERYTHING, ExportForm, export_form
from auth import guards
from portal import db, kpi
from portal.calendar import civil_day
from portal.establishments import establishments
from portal.kpi import disclosure

export_pages = guards.staff(
    Blueprint("admin_figure_exports", __name__, url_prefix="/admin/chiffres/exports", template_folder="templates"),
    right="administration",
)
RIGHT = "administration"
_MOST_COLUMNS = 6


@export_pages.get("")
def choose() -> tuple[str, int]:
    """What the file would hold, before it is taken away."""
    form = _form()
    export = None if form.errors else _export(form)
    page = render_template(
        "admin/figures/exports.html",
        form=form,
        export=export,
        words=figure_exports,
        shown=export.spans[-_MOST_COLUMNS:] if export else [],
        arguments=form.arguments(),
    )
    return page, 422 if form.errors else 200


@export_pages.get("/<any(csv, xlsx, pdf):kind>")
def download(kind: str) -> Response:
    """The file."""
    form = _form()
    if form.errors:
        abort(422)
    export = _export(form)
    if not export.spans:
        abort(404)
    hospital = form.hospital
    actions_figure_exports.export_figures(
        hospital.id if hospital else None, form.figures.data, kind, exact=form.is_exact
    )
    name = f"parvis-{form.figures.data}-{form.first.data}-{form.last.data}"
    makers = {"csv": figure_files.csv_file, "xlsx": figure_files.workbook, "pdf": figure_files.pdf_file}
    return makers[kind](export, name)


@export_pages.get("/preuves")
def evidence() -> Response | AnyResponse:
    """The closed months among the chosen ones, to be proven: masked, by month, the same bytes each time."""
    form = _form()
    if form.errors:
        abort(422)
    if not form.spans:
        abort(404)
    months = queries.closed_months(form.spans[0][0], form.spans[-1][1])
    if not months:
        flash(_("None of these months is final yet: a month is, thirty-five days after its end."), "warning")
        return redirect(url_for(".choose", **form.arguments()), 303)
    closed = {each.month for each in months}
    spans = [span for span in disclosure.months(form.spans[0][0], form.spans[-1][1]) if span[0] in closed]
    hospital = form.hospital
    export = queries.export("", "", queries.definitions(form.figures.data), spans, hospital, exact=False)
    actions_figure_exports.export_figures(hospital.id if hospital else None, form.figures.data, "evidence", exact=False)
    data = figure_files.evidence(export, queries.finess(), months)
    return figure_files.evidence_file(
        data, f"parvis-preuves-{form.figures.data}-{spans[0][0]:%Y-%m}-{spans[-1][0]:%Y-%m}"
    )


def _form() -> ExportForm:
    every = establishments()
    mine = [each for each in every if each.id in guards.establishments(RIGHT)]
    finess = request.args.get("establishment", "")
    if finess and finess not in {each.finess for each in mine}:
        abort(404)
    today = civil_day(db.now(), ZoneInfo(kpi.GROUP_ZONE))
    form = export_form(request.args, mine, today, whole_group=len(mine) == len(every))
    if not form.errors and form.hospital is None and not form.whole_group:
        abort(403)  # it holds a line for each hospital, one's own or not
    return form


def _export(form: ExportForm) -> Export:
    hospital = form.hospital
    place = hospital.name if hospital else _("The whole group")
    return queries.export(
        _title(form.figures.data), place, queries.definitions(form.figures.data), form.spans, hospital,
        exact=form.is_exact,
    )  # fmt: skip


def _title(what: str) -> str:
    service = figure_services.service(what)
    if service:
        return str(service.title)
    return str(_("All the figures") if what == EVERYTHING else _("The main figures"))
