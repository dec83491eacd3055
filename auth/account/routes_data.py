"""My data: a copy of all of it, and requests to correct, delete, restrict or stop using some of it."""

from collections.abc import Sequence
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards, held_forms, sessions
from auth.account import actions, queries
from auth.account.actions.exports import NoSuchExport, NotOneself
from auth.account.actions.requests import TransitionRefused, UnknownRequest
from auth.account.forms import DataRequestForm, hospital_choices
from auth.account.wording import REQUEST_KIND_HINTS
from portal import db, establishments
from portal.establishments import Establishment
from portal.web.downloads import file_response
from portal.web.repeated_posts import once

data_pages = guards.patients(
    Blueprint("account_data", __name__, url_prefix="/mon-compte/donnees", template_folder="templates"), "account"
)


@data_pages.get("")
def mine() -> str:
    """My copies and my requests."""
    current = sessions.signed_in()
    return render_template(
        "account/data.html",
        is_mine=current is not None and not current.is_for_somebody_else,
        exports=queries.exports(),
        requests=queries.requests_of(guards.patient_id()),
    )


@data_pages.post("/copie")
def prepare() -> Response:
    """Ask for the copy; the worker prepares it."""
    current = sessions.signed_in() or abort(403)
    try:
        actions.ask_for_export(current.own_id, guards.patient_id())
    except NotOneself:
        abort(403)
    flash(_("Your copy is being prepared. We will write to you when it is ready."), "success")
    return redirect(url_for("account_data.mine"), 303)


@data_pages.get("/copie/<uuid:export_id>")
def copy(export_id: UUID) -> Response:
    """The zip, for seven days, to the person themselves."""
    current = sessions.signed_in() or abort(403)
    try:
        found = actions.hand_over_export(export_id, None if current.is_for_somebody_else else current.own_id)
    except NoSuchExport:
        abort(404)
    assert found.file is not None, "a copy that is handed over has a file"
    return file_response(found.file)


@data_pages.route("/demandes/nouvelle", methods=["GET", "POST"])
@once
def ask_hospital() -> Response | tuple[str, int]:
    """Ask a hospital about data; answered with a number and a date."""
    if guards.patient_id() not in db.current_actor().people("administrative"):
        abort(403)
    hospitals = establishments.establishments()
    held = held_forms.take()
    form = DataRequestForm(formdata=held) if held else DataRequestForm()
    form.establishment.choices = hospital_choices([(each.finess, each.name) for each in hospitals])
    if form.validate_on_submit():
        asked = actions.ask_hospital(
            guards.patient_id(), _chosen(hospitals, form.establishment.data), form.kind.data, form.what.data or "",
            form.why.data or "",
        )  # fmt: skip
        return redirect(url_for("account_data.request_page", request_id=asked.id, nouvelle=1), 303)
    page = render_template("account/request_new.html", form=form, hints=REQUEST_KIND_HINTS)
    return page, 422 if form.is_submitted() else 200


def _chosen(hospitals: Sequence[Establishment], finess: str) -> Establishment:
    return next(each for each in hospitals if each.finess == finess)


@data_pages.get("/demandes/<uuid:request_id>")
def request_page(request_id: UUID) -> str:
    """One request: its number, its date, what became of it."""
    asked = queries.request_of(guards.patient_id(), request_id) or abort(404)
    return render_template("account/request.html", asked=asked)


@data_pages.post("/demandes/<uuid:request_id>/retirer")
def withdraw(request_id: UUID) -> Response:
    """No longer ask."""
    try:
        actions.withdraw_request(request_id, guards.patient_id())
        flash(_("Your request is withdrawn."), "success")
    except UnknownRequest:
        abort(404)
    except TransitionRefused:
        flash(_("The hospital has answered meanwhile."), "info")
    return redirect(url_for("account_data.request_page", request_id=request_id), 303)
