"""My account: who I am, for whom I act, what I can do about it; my open sessions and known devices."""

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from auth import account_sections, guards, queries, sessions
from auth import actions as sign_in
from auth.account import actions
from auth.account import queries as own
from auth.account.actions.devices import UnknownDevice
from auth.support import queries as support
from portal import db

account_pages = guards.signed_in(Blueprint("account", __name__, url_prefix="/mon-compte", template_folder="templates"))


@account_pages.get("")
def show() -> str:
    """The hub: who is signed in, for whom they act, and the pages of the account."""
    actor = db.current_actor()
    return render_template(
        "account/hub.html",
        people=queries.people() if actor.kind == "patient" else [],
        sections=account_sections.sections(actor.kind),
        current=sessions.signed_in(),
        support=support.of_account(actor.account_id) if actor.kind == "patient" else (),
    )


@account_pages.post("/agir-pour")
def act_for() -> Response:
    """Choose for whom the person acts."""
    try:
        sessions.act_for(UUID(request.form.get("patient_id", "")))
    except (LookupError, ValueError):
        abort(404)
    return redirect(url_for("account.show"), 303)


@account_pages.get("/sessions")
def my_sessions() -> str:
    """The sessions that are open now, and the browsers the account was opened with."""
    return render_template(
        "account/sessions.html",
        sessions=queries.open_sessions(),
        devices=own.devices(),
        current=sessions.signed_in(),
    )


@account_pages.post("/sessions/<uuid:session_id>/fermer")
def close_session(session_id: UUID) -> Response:
    """End another open session of mine."""
    if session_id not in {each.id for each in queries.open_sessions()}:
        abort(404)
    sign_in.close_session(session_id)
    flash(_("This session is closed."), "success")
    return redirect(url_for("account.my_sessions"), 303)


@account_pages.post("/sessions/fermer-les-autres")
def close_others() -> Response:
    """End every session of mine but this one."""
    current = sessions.signed_in() or abort(403)
    closed = actions.close_other_sessions(current.session_id)
    flash(ngettext("%(num)d session is closed.", "%(num)d sessions are closed.", closed), "success")
    return redirect(url_for("account.my_sessions"), 303)


@account_pages.post("/appareils/<uuid:device_id>/oublier")
def forget_device(device_id: UUID) -> Response:
    """Be warned again when this browser comes back."""
    try:
        actions.forget_device(device_id)
    except UnknownDevice:
        abort(404)
    flash(_("We will write to you if this device comes back."), "success")
    return redirect(url_for("account.my_sessions"), 303)


@account_pages.post("/rester")
def stay() -> Response:
    """The person is still there: reading the session has just put its end off. Nothing to show."""
    return Response(status=204, mimetype="text/plain")
