"""The yearly plan of accessibility, and the reports of those who could not use a page."""

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin.forms_legal import STATE_WORDS, ActionForm, ActionStateForm, AnswerForm
from auth import guards, held_forms
from portal import calendar, db
from portal.catalog import queries as catalog_queries
from portal.catalog.legal import actions, queries
from portal.catalog.legal.actions import AlreadyAnswered
from portal.catalog.legal.models import REPORT_STATES
from portal.web.repeated_posts import once

RIGHT = "administration"
accessibility_pages = guards.staff(
    Blueprint("admin_accessibility", __name__, url_prefix="/admin/accessibilite", template_folder="templates"),
    right=RIGHT,
)
Answer = str | Response | tuple[str, int]


@accessibility_pages.route("/plan", methods=["GET", "POST"])
@once
def plan() -> Answer:
    """What will be done each year, and where it stands."""
    may_change = catalog_queries.administers_all()
    held = held_forms.take()
    form = ActionForm(formdata=held) if held else ActionForm()
    if not form.is_submitted() and not held:
        form.year.data = calendar.civil_day(db.now(), catalog_queries.GROUP_ZONE).year
    if form.is_submitted() and not may_change:
        abort(403)
    if form.validate_on_submit():
        actions.plan(form.year.data or 0, form.title.data or "")
        flash(_("Added to the plan: everybody reads it."), "success")
        return redirect(url_for(".plan"), 303)
    page = render_template(
        "admin/catalogue/plan.html", form=form, plan=queries.plan(), states=STATE_WORDS, may_change=may_change
    )
    return page, 422 if form.errors else 200


@accessibility_pages.post("/plan/<uuid:action_id>")
def advance(action_id: UUID) -> Response:
    """Say where a line of the plan stands."""
    if not catalog_queries.administers_all():
        abort(403)
    found = queries.planned(action_id) or abort(404)
    form = ActionStateForm()
    if not form.validate():
        abort(422)
    actions.advance(found, form.state.data)
    flash(_("Saved: everybody reads it at once."), "success")
    return redirect(url_for(".plan"), 303)


@accessibility_pages.get("/signalements")
def reports() -> str:
    """Those that wait, the oldest first; or those that were answered."""
    state = request.args.get("state", "")
    state = state if state in REPORT_STATES else REPORT_STATES[0]
    number = request.args.get("page", "")
    page = int(number) if number.isascii() and number.isdecimal() and 0 < len(number) < 5 else 1
    found, has_next = queries.reports(state, max(1, page))
    return render_template(
        "admin/catalogue/reports.html", reports=found, state=state, page=max(1, page), has_next=has_next
    )


@accessibility_pages.route("/signalements/<uuid:report_id>", methods=["GET", "POST"])
def report(report_id: UUID) -> Answer:
    """What somebody could not do, and the answer."""
    found = queries.report(report_id) or abort(404)
    held = held_forms.take()
    form = AnswerForm(formdata=held) if held else AnswerForm()
    may_answer = catalog_queries.administers_all()
    if form.is_submitted() and not may_answer:
        abort(403)
    if form.validate_on_submit():
        try:
            actions.answer(found, form.words.data or "")
            flash(_("Closed: whoever reported it is told, if they left an address."), "success")
        except AlreadyAnswered:
            flash(_("Somebody answered this report meanwhile."), "info")
        return redirect(url_for(".reports"), 303)
    page = render_template("admin/catalogue/report.html", form=form, report=found, may_answer=may_answer)
    return page, 422 if form.errors else 200


@accessibility_pages.post("/signalements/<uuid:report_id>/prendre")
def take_on(report_id: UUID) -> Response:
    """Say that one looks into it."""
    if not catalog_queries.administers_all():
        abort(403)
    found = queries.report(report_id) or abort(404)
    try:
        actions.take_on(found)
        flash(_("It is yours: your colleagues see it."), "success")
    except AlreadyAnswered:
        flash(_("Somebody answered this report meanwhile."), "info")
    return redirect(url_for(".report", report_id=report_id), 303)
