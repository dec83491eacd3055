"""Requests about data, with their legal dates: the identity unit of a hospital reads and answers them."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards, held_forms
from auth.account import actions, queries
from auth.account.actions.requests import TransitionRefused, UnknownRequest
from auth.account.forms import AnswerForm, ExtendForm
from auth.account.models import DataRequest
from auth.account.wording import REQUEST_KINDS, REQUEST_STATES
from portal import calendar, db
from portal.web.spreadsheets import csv_response

RIGHT = "identity"
request_pages = guards.staff(
    Blueprint("admin_data_requests", __name__, url_prefix="/admin/demandes", template_folder="templates"), right=RIGHT
)


@request_pages.get("")
def tray() -> str:
    """Requests to answer, the most urgent first; `etat=closes` for those that are over."""
    mine = guards.establishments(RIGHT)
    is_open = request.args.get("etat") != "closes"
    found = queries.requests_at(mine, is_open=is_open)
    return render_template(
        "admin/data_requests/tray.html",
        requests=found,
        is_open=is_open,
        urgency={each.id: _urgency(each) for each in found},
    )


@request_pages.get("/registre.csv")
def register_file() -> Response:
    """The register of requests, for the data protection officer."""
    rows = [
        [each.number, each.establishment.finess, str(REQUEST_KINDS[each.kind]), _day(each.received_at, each),
         each.due_on.isoformat(), str(REQUEST_STATES[each.state][0]), _day(each.answered_at, each)]
        for each in queries.register_at(guards.establishments(RIGHT))
    ]  # fmt: skip
    headers = [_("Number"), _("Hospital"), _("Request"), _("Received"), _("Answer due by"), _("State"), _("Answered")]
    return csv_response(_("requests-register"), headers, rows)


def _day(moment: datetime | None, of: DataRequest) -> str:
    return calendar.civil_day(moment, of.establishment.tz).isoformat() if moment else ""


@request_pages.route("/<uuid:request_id>", methods=["GET", "POST"])
def show(request_id: UUID) -> Response | tuple[str, int]:
    """One request, and the answer: accept, accept in part, refuse. The person is told that something waits."""
    asked = _asked(request_id)
    held = held_forms.take()
    form = AnswerForm(formdata=held) if held else AnswerForm()
    if form.validate_on_submit():
        mine = guards.establishments(RIGHT)
        return _done(asked, lambda: actions.answer_request(asked.id, mine, form.decision.data, form.answer.data or ""))
    if not form.is_submitted():
        actions.open_request(asked)
    page = render_template("admin/data_requests/show.html", asked=asked, urgency=_urgency(asked), form=form)
    return page, 422 if form.is_submitted() else 200


@request_pages.route("/<uuid:request_id>/prolonger", methods=["GET", "POST"])
def extend(request_id: UUID) -> Response | tuple[str, int]:
    """Take two more months; the person is told why."""
    asked, form = _asked(request_id), ExtendForm()
    if form.validate_on_submit():
        mine = guards.establishments(RIGHT)
        return _done(asked, lambda: actions.extend_request(asked.id, mine, form.reason.data or ""))
    until = queries.extended_until(asked)
    page = render_template("admin/data_requests/extend.html", asked=asked, form=form, until=until)
    return page, 422 if form.is_submitted() else 200


def _done(asked: DataRequest, act: Callable[[], None]) -> Response:
    try:
        act()
        flash(_("It is done, and the person is told by mail that something waits for them."), "success")
    except UnknownRequest:
        abort(404)
    except TransitionRefused:
        flash(_("Somebody changed this request meanwhile: nothing was done."), "warning")
    return redirect(url_for("admin_data_requests.show", request_id=asked.id), 303)


def _asked(request_id: UUID) -> DataRequest:
    return queries.request_at(guards.establishments(RIGHT), request_id) or abort(404)


def _urgency(asked: DataRequest) -> str:
    return queries.urgency(asked, calendar.civil_day(db.now(), asked.establishment.tz))
