"""Errors that readers of the directory reported; pages of the directory's blueprint."""

from uuid import UUID

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from admin import queries_offer as queries
from admin.forms_offer import AnswerForm
from admin.routes_offer import Answer, here, pages
from auth import held_forms
from services.offer import shown, wording
from services.offer.actions import reports
from services.offer.actions.reports import AlreadyEnded
from services.offer.states import REPORT_STATES

GESTURES = {"corriger": "correct", "classer": "decline"}


@pages.get("/signalements")
def tray() -> str:
    """Those that wait, or those that were answered."""
    state = request.args.get("state", "")
    state = state if state in REPORT_STATES else REPORT_STATES[0]
    number = request.args.get("page", "")
    page = int(number) if number.isascii() and number.isdecimal() and 0 < len(number) < 5 else 1
    found, has_next = queries.reports(here(), state, max(1, page))
    return render_template(
        "admin/offer/reports.html", reports=found, state=state, page=max(1, page), has_next=has_next, wording=wording
    )


@pages.route("/signalements/<uuid:report_id>", methods=["GET"])
def report(report_id: UUID) -> str:
    """What was told, and the page that it is about."""
    return _page(report_id, held_forms.take())


@pages.post("/signalements/<uuid:report_id>/<any(corriger,classer):gesture>")
def answer(report_id: UUID, gesture: str) -> Answer:
    """Corrected, or not an error; whoever left an address is told."""
    found = queries.report(report_id, here()) or abort(404)
    form = AnswerForm()
    if not form.validate():
        return _page(report_id, form=form), 422
    try:
        reports.answer(found, GESTURES[gesture], form.words.data or "", _path(found.kind, found.about_id))
        flash(_("Closed: whoever reported it is told, if they left an address."), "success")
    except AlreadyEnded:
        flash(_("Somebody answered this report meanwhile."), "info")
    return redirect(url_for(".tray"), 303)


def _page(report_id: UUID, held: object = None, form: AnswerForm | None = None) -> str:
    found = queries.report(report_id, here()) or abort(404)
    form = form or (AnswerForm(formdata=held) if held else AnswerForm())
    return render_template(
        "admin/offer/report.html", report=found, form=form, wording=wording, path=_path(found.kind, found.about_id),
        editor=_editor(found.kind, found.about_id),
    )  # fmt: skip


def _path(kind: str, about_id: UUID) -> str:
    """Of the public page, or of the search when it is no more."""
    return shown.path_of(kind, about_id)


def _editor(kind: str, about_id: UUID) -> str:
    """Where it is corrected."""
    words = {"site": "sites", "unit": "unites", "activity": "activites"}
    if kind == "practitioner":
        return url_for("admin_places.practitioner", practitioner_id=about_id)
    return url_for(".place", word=words[kind], owner_id=about_id) if kind in words else url_for(".overview")
