"""The doors: sign-in pages, the trip to the provider and back, sign-out."""

import re
import secrets
from datetime import timedelta

import structlog
from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import actions, guards, providers, sessions
from auth.account import arrival
from auth.actions import AccountClosed, IdentityConflict, InvitationRefused, NotInvited
from auth.addresses import inside
from auth.models import Account
from auth.oidc import Attempt, SignInCancelled, SignInFailed, SignInRefused, new_attempt
from auth.oidc.client import SignIn
from auth.providers import Door
from portal import db
from portal.config import PROVIDERS
from portal.web import i18n
from portal.web.limits import limiter

log = structlog.get_logger(__name__)

doors = guards.public(Blueprint("auth", __name__, template_folder="templates"))
_HOMES = {"patient": "pages.home", "professional": "documents.professional_home", "staff": "admin.dashboard"}
_PROVIDER = f"/auth/<any({', '.join(map(repr, PROVIDERS))}):provider>"
_INVITATION = re.compile(r"[A-Za-z0-9_-]{1,100}")
_NOBODY: dict[type[Exception], str] = {
    NotInvited: "not_invited",
    InvitationRefused: "invitation_refused",
    AccountClosed: "account_closed",
    IdentityConflict: "identity_conflict",
}
_FORBIDDEN = frozenset({"not_invited", "invitation_refused", "account_closed"})


# -- the pages ---------------------------------------------------------------------------------------------------


@doors.get("/connexion")
def sign_in() -> str | Response:
    return _door_page("patient")


@doors.get("/pro/connexion")
def sign_in_professional() -> str | Response:
    return _door_page("professional")


@doors.get("/admin/connexion")
def sign_in_staff() -> str | Response:
    return _door_page("staff")


def _door_page(audience: str) -> str | Response:
    if db.current_actor().kind == audience:
        return redirect(inside(request.args.get("next", "")) or url_for(_HOMES[audience]))
    return render_template(
        "auth/sign_in.html",
        audience=audience,
        doors=providers.doors(audience),
        next=inside(request.args.get("next", "")),
    )


# -- to the provider and back ------------------------------------------------------------------------------------


@doors.get(f"{_PROVIDER}/start")
@limiter.limit("30 per minute")
def start(provider: str) -> Response:
    door = providers.door(provider) or abort(404)
    attempt = new_attempt()
    try:
        url = door.client.authorization_url(attempt.state, attempt.nonce, attempt.code_verifier)
    except SignInFailed as failure:
        return _failed(door, failure)
    browser = sessions.browser_binding() or secrets.token_urlsafe(32)
    _begin(door, attempt, browser)
    response = redirect(url)
    sessions.bind_browser(response, browser, actions.ATTEMPT_LIFE)
    return response


def _begin(door: Door, attempt: Attempt, browser: str) -> None:
    invitation = request.args.get("invitation", "")
    if not _INVITATION.fullmatch(invitation):
        invitation = ""
    wanted = inside(request.args.get("next", ""))
    with db.transaction(db.system("auth.sign_in")):
        actions.begin(door.name, attempt, browser, f"{invitation} {wanted}")


@doors.get(f"{_PROVIDER}/callback")
@limiter.limit("30 per minute")
def callback(provider: str) -> Response:
    door = providers.door(provider) or abort(404)
    if request.method == "HEAD":  # a link scanner must not spend the attempt
        abort(405)
    answer = request.args
    if any(len(answer.getlist(name)) > 1 for name in answer):
        return _failed(door, SignInRefused("doubled_parameter"))
    with db.transaction(db.system("auth.sign_in")):
        attempt = actions.take(provider, answer.get("state", ""), sessions.browser_binding())
    if attempt is None:
        return _unknown_attempt(door)
    try:
        if "error" in answer or "code" not in answer:
            raise door.client.callback_error(answer.get("error", ""), answer.get("iss"))
        vouched = door.client.exchange(answer["code"], attempt.nonce, attempt.code_verifier, answer.get("iss"))
        identity = door.identity_from(vouched.claims)
    except SignInFailed as failure:
        return _failed(door, failure)
    invitation, _space, wanted = attempt.next_path.partition(" ")
    return _welcome(door, vouched, identity, invitation, wanted)


def _welcome(door: Door, vouched: SignIn, identity: object, invitation: str, wanted: str) -> Response:
    try:
        with db.transaction(db.system("auth.sign_in")):
            account = _account(door, vouched, identity, invitation)
            token = actions.open_session(account, door.name, vouched)
    except tuple(_NOBODY) as refused:
        return _failed(door, SignInRefused(_NOBODY[type(refused)]))
    # In the request's own transaction: reading the former session may just have written to its row.
    if former := sessions.signed_in():
        sessions.end(former.session_id)
    response = redirect(inside(wanted) or url_for(_HOMES[door.audience]))
    sessions.set_cookie(response, token)
    arrival.greet(account, response)
    return response


def _account(door: Door, vouched: SignIn, identity: object, invitation: str) -> Account:
    if door.audience == "patient":
        return actions.patient_account(vouched, identity)  # type: ignore[arg-type]
    if door.audience == "professional":
        return actions.professional_account(vouched, identity)  # type: ignore[arg-type]
    return actions.staff_account(vouched, identity, invitation, provider=door.name)  # type: ignore[arg-type]


def _unknown_attempt(door: Door) -> Response:
    """A second callback (double click, back button) of somebody signed in goes on; anything else starts again."""
    if db.current_actor().kind == door.audience:
        return redirect(url_for(_HOMES[door.audience]))
    return _failed(door, SignInRefused("state_unknown"))


def _failed(door: Door, failure: SignInFailed) -> Response:
    """A friendly page with a way to start again; never the provider's own words."""
    reference = secrets.token_hex(4)
    log.warning("sign_in.failed", provider=door.name, reason=failure.reason, reference=reference)
    with db.transaction(db.system("auth.sign_in")):
        actions.refuse(door.name, failure.reason)
    status = 200 if isinstance(failure, SignInCancelled) else 400 if isinstance(failure, SignInRefused) else 503
    forbidden = failure.reason in _FORBIDDEN
    retry = url_for(guards.DOORS[door.audience])
    i18n.stands_at(retry)  # the callback's address holds a code and a state
    page = render_template(
        "auth/sign_in_failed.html",
        door=door,
        failure=failure,
        reference=reference,
        cancelled=isinstance(failure, SignInCancelled),
        not_invited=failure.reason in ("not_invited", "invitation_refused"),
        closed=failure.reason == "account_closed",
        too_weak=failure.reason == "acr_not_accepted",
        retry=retry,
    )
    return make_response(page, 403 if forbidden else status)


# -- signing out -------------------------------------------------------------------------------------------------


@doors.post("/deconnexion")
def sign_out() -> Response:
    """End the session here first, whatever the provider answers; then offer to leave the provider too."""
    state, url = secrets.token_urlsafe(32), None
    if current := sessions.signed_in():
        door = providers.door(current.provider)
        url = door.client.logout_url(sessions.id_token_of(current.session_id), state) if door else None
        actions.close_session(current.session_id)
        sessions.forget()
    response = make_response(render_template("auth/signed_out.html", provider_url=url))
    sessions.clear_cookie(response)
    if url:
        sessions.bind_browser(response, state, actions.ATTEMPT_LIFE, name="parvis_logout")
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@doors.get(f"{_PROVIDER}/logout-callback")
def logout_callback(provider: str) -> Response:
    providers.door(provider) or abort(404)
    expected, state = sessions.browser_binding("parvis_logout"), request.args.get("state", "")
    if expected and secrets.compare_digest(expected.encode(), state.encode()):
        flash(_("You are signed out."), "success")
    response = redirect(url_for("pages.home"))
    sessions.bind_browser(response, "", timedelta(0), name="parvis_logout")
    return response
