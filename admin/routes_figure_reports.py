"""The figures of each month: asking to be told, reading them as they were told, taking them away."""

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import format_date, get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin import actions_figure_exports, figure_exports, figure_files, queries_figures
from admin.figure_exports import Export
from auth import guards
from auth.figure_reports import actions, contents, queries
from auth.figure_reports.models import FigureReport
from portal.establishments import Establishment

pages = guards.staff(
    Blueprint("admin_figure_reports", __name__, url_prefix="/admin/chiffres/rapports", template_folder="templates"),
    right="administration",
)
RIGHT = "administration"


@pages.get("")
def reports() -> str:
    """Of which hospitals I am told, and the reports of each month."""
    here = guards.establishments(RIGHT)
    return render_template(
        "admin/figures/reports.html",
        hospitals=queries_figures.hospitals(here),
        mine=queries.mine(),
        reports=queries.reports(here),
        month=lambda report: format_date(report.month, "LLLL y"),
    )


@pages.post("/<finess>/demander")
def ask(finess: str) -> Response:
    """Be told each month."""
    actions.ask(_hospital(finess).id)
    flash(_("You will be told on the first business day of each month."), "success")
    return redirect(url_for(".reports"), 303)


@pages.post("/<finess>/arreter")
def stop(finess: str) -> Response:
    """Be told no more."""
    actions.stop(_hospital(finess).id)
    flash(_("You are not told of this hospital any more."), "success")
    return redirect(url_for(".reports"), 303)


@pages.get("/<uuid:report_id>")
def show(report_id: UUID) -> str:
    """The figures as they were told."""
    report = _report(report_id)
    export = _export(report)
    shown = [export.spans[0], *export.spans[-3:]]
    return render_template(
        "admin/figures/report.html",
        report=report,
        export=export,
        shown=shown,
        words=figure_exports,
        digest=bytes(report.digest).hex(" ", 4),
    )


@pages.get("/<uuid:report_id>/<any(csv, xlsx, pdf):kind>")
def download(report_id: UUID, kind: str) -> Response:
    """The same as a file."""
    report = _report(report_id)
    actions_figure_exports.export_report(report.establishment_id, report.id, kind)
    makers = {"csv": figure_files.csv_file, "xlsx": figure_files.workbook, "pdf": figure_files.pdf_file}
    return makers[kind](_export(report), f"parvis-rapport-{report.establishment.finess}-{report.month:%Y-%m}")


def _hospital(finess: str) -> Establishment:
    mine = queries_figures.hospitals(guards.establishments(RIGHT))
    return next((each for each in mine if each.finess == finess), None) or abort(404)


def _report(report_id: UUID) -> FigureReport:
    return queries.report(report_id, guards.establishments(RIGHT)) or abort(404)


def _export(report: FigureReport) -> Export:
    hospital = report.establishment
    found = contents.read(report.content, hospital.id, str(get_locale() or "fr"))
    figures = [figure for figure, _version in found]
    title = _("Figures of %(month)s", month=format_date(report.month, "LLLL y"))
    versions = {figure.definition.code: version for figure, version in found}
    return Export(
        title, hospital.name, figures, contents.months(report.month), {hospital.id: hospital.name}, versions, False,
        report.made_at, report.made_at,
    )  # fmt: skip
