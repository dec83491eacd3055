"""What hospitals say of themselves, which some figures need: month by month on screen, or by file."""

from datetime import date, timedelta
from typing import Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin import queries_figures, total_words
from admin.forms_totals import MAX_BYTES, FileForm, MonthForm
from auth import guards
from portal import calendar, db
from portal.delimited import NotSuchAFile
from portal.establishments import Establishment
from portal.kpi import hospital_totals, totals_file
from portal.kpi.hospital_totals import CODES, Entry
from portal.kpi.totals_file import Report
from portal.web import uploads

total_pages = guards.staff(
    Blueprint("admin_totals", __name__, url_prefix="/admin/totaux", template_folder="templates"),
    right="administration",
)
_MONTHS_SHOWN: Final = 13
_LAST_PAGE: Final = 20


@total_pages.get("")
def overview() -> str:
    """A year of one of my hospitals, month by month: what is told, what lacks. By address: etablissement, page."""
    mine = queries_figures.hospitals(guards.establishments("administration"))
    asked = request.args.get("etablissement", "")
    hospital = next((each for each in mine if each.finess == asked), mine[0])
    page = min(max(request.args.get("page", 1, type=int), 1), _LAST_PAGE)
    months = _months(hospital, page)
    return render_template(
        "admin/totals/overview.html",
        hospital=hospital,
        hospitals=mine,
        months=months,
        told=hospital_totals.by_month(hospital.id, months[-1], hospital_totals.last_day(months[0], "month")),
        codes=CODES,
        words=total_words,
        page=page,
        last_page=_LAST_PAGE,
    )


@total_pages.route("/<finess>/<month>", methods=["GET", "POST"])
def show(finess: str, month: str) -> Response | tuple[str, int]:
    """One month (`2026-10`) of a hospital: its totals, to be written, and all that was said of it."""
    hospital, first = _hospital(finess), _month(month)
    if first not in _months(hospital, 1, _MONTHS_SHOWN * _LAST_PAGE):
        abort(404)
    told = hospital_totals.by_month(hospital.id, first, first)
    form = MonthForm(data={code: month.own for (_when, code), month in told.items()})
    if form.validate_on_submit():
        entries = [Entry(hospital.id, code, first, "month", value) for code, value in form.totals()]
        received = hospital_totals.receive(entries, "screen")
        _say(received.added + received.changed)
        return redirect(url_for(".overview", etablissement=hospital.finess), 303)
    last = hospital_totals.last_day(first, "month")
    page = render_template(
        "admin/totals/month.html",
        hospital=hospital,
        first=first,
        form=form,
        codes=CODES,
        history=hospital_totals.words(hospital.id, first, last),
        words=total_words,
    )
    return page, 422 if form.errors else 200


@total_pages.route("/fichier", methods=["GET", "POST"])
def send() -> Response | tuple[str, int]:
    """Load a file: lines of my hospitals are taken, the others refused with their reason. Twice changes nothing."""
    form, report = FileForm(), None
    if form.validate_on_submit():
        report = _load(form)
        if report is not None and not report.refused:
            flash(total_words.outcome(report), "success")
            return redirect(url_for(".overview"), 303)
    page = render_template("admin/totals/file.html", form=form, report=report, words=total_words, codes=CODES)
    return page, 422 if form.errors else 200


def _load(form: FileForm) -> Report | None:
    """What became of the file; None when it was not read, and the form says why."""
    arriving = uploads.arriving(form.file.data)
    if arriving is None or arriving.size == 0:
        form.file.errors = [_("Choose a file of totals that is not empty.")]
    elif arriving.size > MAX_BYTES:
        form.file.errors = [_("This file is larger than 2 MB: ask your operator to load it from the command line.")]
    else:
        try:
            return totals_file.take_here(arriving.read(), guards.establishments("administration"))
        except NotSuchAFile as error:
            form.file.errors = [_("This is not a file of totals: %(why)s.", why=str(error))]
    return None


def _say(changed: int) -> None:
    if changed:
        flash(_("Saved: the figures count with it at once."), "success")
    else:
        flash(_("Nothing was changed."), "info")


def _hospital(finess: str) -> Establishment:
    mine = queries_figures.hospitals(guards.establishments("administration"))
    return next((each for each in mine if each.finess == finess), None) or abort(404)


def _month(written: str) -> date:
    try:
        return date.fromisoformat(f"{written}-01")
    except ValueError:
        abort(404)


def _months(hospital: Establishment, page: int, count: int = _MONTHS_SHOWN) -> list[date]:
    """The first days of months that are over, latest first."""
    month = calendar.civil_day(db.now(), hospital.tz).replace(day=1)
    months = []
    for _each in range(page * count):
        month = (month - timedelta(days=1)).replace(day=1)
        months.append(month)
    return months[(page - 1) * count :]
