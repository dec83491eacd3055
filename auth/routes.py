"""The doors: sign-in pages, the trip to the provider and back, sign-out.

One callback for each provider, whoever comes through it: a health professional on the staff leaves for Pro Santé
Connect from the staff's door, and the attempt, not the address, remembers it.
"""

import re
import secrets
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlencode

import structlog
from flask import (
    Blueprint,
    Flask,
    abort,
    current_app,
    flash,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import actions, after_sign_in, guards, providers, refusals, sessions
from auth.account import arrival
from auth.actions import AccountClosed, InvitationRefused, NotInvited
from auth.addresses import inside
from auth.after_sign_in import JustSignedIn
from auth.franceconnect import PivotIdentity
from auth.hospital_providers import doors as hospital_doors
from auth.hospital_providers.doors import ReachesFurther
from auth.identities import IdentityConflict
from auth.models import Account, SignInAttempt
from auth.oidc import SignInFailed, SignInRefused, new_attempt
from auth.oidc.client import SignIn
from auth.proconnect import AgentIdentity
from auth.prosanteconnect import ProfessionalIdentity
from auth.providers import Door
from portal import db, reading_only
from portal.config import PROVIDERS
from portal.establishments import establishments
from portal.web import i18n, read_only
from portal.web.limits import limiter
from portal.web.unit_of_work import OnlyReading

log = structlog.get_logger(__name__)

doors = guards.public(Blueprint("auth", __name__, template_folder="templates"))
_HOMES = {"patient": "pages.home", "professional": "documents.professional_home", "staff": "admin.dashboard"}
_PROVIDER = f"/auth/<any({', '.join(map(repr, PROVIDERS))}):provider>"
_HOSPITAL = "/auth/hospital/<finess>"
_A_HOSPITAL_BEHIND_ONE_ADDRESS = "300 per minute"
_INVITATION = re.compile(r"[A-Za-z0-9_-]{1,100}")
_WRITE = frozenset(
    f"auth.{name}"
    for name in ("sign_in", "sign_in_professional", "sign_in_staff", "start", "start_at_hospital", "callback",
                 "callback_of_hospital")
)  # fmt: skip
_NOBODY: dict[type[Exception], str] = {
    NotInvited: "not_invited",
    InvitationRefused: "invitation_refused",
    AccountClosed: "account_closed",
    IdentityConflict: "identity_conflict",
    ReachesFurther: "other_hospitals",
}


@doors.before_request
def _open_nothing_new() -> None:
    """Nobody signs in while the portal only reads: a session is a row. Whoever is signed in is sent to their pages."""
    if reading_only.is_on() and request.endpoint in _WRITE and db.current_actor().kind == "anonymous":
        raise OnlyReading


@doors.after_request
def _leave_at_least_here(response: Response) -> Response:
    """Signing out while the portal only reads: this browser forgets the session, which no row can be told."""
    if reading_only.is_on() and request.endpoint == "auth.sign_out" and read_only.is_from_our_pages():
        sessions.clear_cookie(response)
    return response


# -- the pages ---------------------------------------------------------------------------------------------------


@doors.get("/connexion")
def sign_in() -> str | Response:
    return _door_page("patient", providers.doors("patient"))


@doors.get("/pro/connexion")
def sign_in_professional() -> str | Response:
    return _door_page("professional", providers.doors("professional"))


@doors.get("/admin/connexion")
def sign_in_staff() -> str | Response:
    if db.current_actor().kind == "staff":
        return _door_page("staff", [])
    professionals = providers.door("prosanteconnect", "staff")
    own = hospital_doors.doors()
    # An invitation is for one hospital: its own door must be found.
    own = own if _invitation() else hospital_doors.shared(own)
    listed = [*providers.doors("staff"), *own, *([professionals] if professionals else [])]
    return _door_page("staff", listed)


def _door_page(audience: str, listed: list[Door]) -> str | Response:
    wanted = inside(request.args.get("next", ""))
    if db.current_actor().kind == audience:
        return redirect(wanted or url_for(_HOMES[audience]))
    return render_template("auth/sign_in.html", audience=audience, doors=listed, next=wanted, invitation=_invitation())


@doors.get("/oidc/jwks")
def encryption_keys() -> Response:
    """The public halves of our keys, for the provider that seals its answers for us (FranceConnect+)."""
    response = jsonify(providers.encryption_keys(current_app.config["SETTINGS"]).published())
    response.cache_control.public, response.cache_control.max_age = True, 3600
    return response


# -- to the provider and back ------------------------------------------------------------------------------------


@doors.get(f"{_PROVIDER}/start")
@limiter.limit(_A_HOSPITAL_BEHIND_ONE_ADDRESS)
def start(provider: str) -> Response:
    # A link of invitation to Pro Santé Connect is only ever sent to somebody who works here.
    as_staff = provider == "prosanteconnect" and bool(request.args.get("audience") == "staff" or _invitation())
    return _leave_for(providers.door(provider, "staff" if as_staff else "") or abort(404))


@doors.get(f"{_HOSPITAL}/start")
@limiter.limit(_A_HOSPITAL_BEHIND_ONE_ADDRESS)
def start_at_hospital(finess: str) -> Response:
    return _leave_for(hospital_doors.door(finess) or abort(404))


def _leave_for(door: Door) -> Response:
    if _from_elsewhere(door):
        return redirect(url_for(guards.DOORS[door.audience], next=inside(request.args.get("next", "")) or None), 303)
    attempt = new_attempt()
    prompt = "login" if request.args.get("prompt") == "login" else None
    try:
        url = door.client.authorization_url(attempt.state, attempt.nonce, attempt.code_verifier, prompt=prompt)
    except SignInFailed as failure:
        return _failed(door, failure)
    browser = sessions.browser_binding() or secrets.token_urlsafe(32)
    wanted = inside(request.args.get("next", ""))
    with db.transaction(db.system("auth.sign_in")):
        actions.begin(door.name, attempt, browser, wanted, audience=door.audience, invitation=_invitation())
    response = redirect(url)
    sessions.bind_browser(response, browser, actions.ATTEMPT_LIFE)
    return response


def _from_elsewhere(door: Door) -> bool:
    """Whether another site sent the browser here: whoever is signed in at their provider would be signed in here
    without asking, and presses the button of our page instead. Agents follow an invitation from a mail: one that is
    false lets nobody in."""
    is_invited = door.audience == "staff" and bool(_invitation())
    return request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site") and not is_invited


@doors.app_template_filter()
def provider_query(facts: Mapping[str, str]) -> str:
    """The query of a door's start, without what is empty."""
    given = {name: value for name, value in facts.items() if value}
    return f"?{urlencode(given)}" if given else ""


def _invitation() -> str:
    invitation = request.args.get("invitation", "")
    return invitation if _INVITATION.fullmatch(invitation) else ""


@doors.get(f"{_PROVIDER}/callback")
@limiter.limit(_A_HOSPITAL_BEHIND_ONE_ADDRESS)
def callback(provider: str) -> Response:
    return _come_back(providers.door(provider) or abort(404))


@doors.get(f"{_HOSPITAL}/callback")
@limiter.limit(_A_HOSPITAL_BEHIND_ONE_ADDRESS)
def callback_of_hospital(finess: str) -> Response:
    return _come_back(hospital_doors.door(finess) or abort(404))


def _come_back(door: Door) -> Response:
    if request.method == "HEAD":  # a link scanner must not spend the attempt
        abort(405)
    answer = request.args
    if any(len(answer.getlist(name)) > 1 for name in answer):
        return _failed(door, SignInRefused("doubled_parameter"))
    with db.transaction(db.system("auth.sign_in")):
        attempt = actions.take(door.name, answer.get("state", ""), sessions.browser_binding())
    if attempt is None:
        return _unknown_attempt(door)
    door = providers.door(door.name, attempt.audience) or door
    try:
        if "error" in answer or "code" not in answer:
            raise door.client.callback_error(answer.get("error", ""), answer.get("iss"))
        vouched = door.client.exchange(answer["code"], attempt.nonce, attempt.code_verifier, answer.get("iss"))
        identity = door.identity_from(vouched.claims)
    except SignInFailed as failure:
        return _failed(door, failure)
    return _welcome(door, vouched, identity, attempt)


def _welcome(door: Door, vouched: SignIn, identity: object, attempt: SignInAttempt) -> Response:
    try:
        with db.transaction(db.system("auth.sign_in")):
            account = _account(door, vouched, identity, attempt.invitation)
            token = actions.open_session(account, door.name, vouched)
    except tuple(_NOBODY) as refused:
        return _failed(door, SignInRefused(_NOBODY[type(refused)]))
    # In the request's own transaction: reading the former session may just have written to its row.
    if former := sessions.signed_in():
        sessions.end(former.session_id)
    after_sign_in.run(_app(), JustSignedIn(door.name, account.id, vouched.access_token))
    response = redirect(inside(attempt.next_path) or url_for(_HOMES[door.audience]))
    sessions.set_cookie(response, token)
    arrival.greet(account, response)
    return response


def _account(door: Door, vouched: SignIn, identity: object, invitation: str) -> Account:
    if door.audience == "patient":
        assert isinstance(identity, PivotIdentity), "each door of patients makes one of the claims"
        return actions.patient_account(vouched, identity)
    if door.audience == "professional":
        assert isinstance(identity, ProfessionalIdentity), "each door of professionals makes one of the claims"
        return actions.professional_account(vouched, identity)
    assert isinstance(identity, AgentIdentity), "each door of the staff makes an agent of the claims"
    kind = "hospital" if door.hospital_id else door.name
    account = actions.staff_account(vouched, identity, invitation, provider=kind, hospital_id=door.hospital_id)
    if door.hospital_id:
        hospital_doors.check_reach(account.id, door.hospital_id)
    return account


def _app() -> Flask:
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # a proxy, whatever Flask says
    return app


def _unknown_attempt(door: Door) -> Response:
    """A second callback (double click, back button) of somebody signed in goes on; anything else starts again."""
    if db.current_actor().kind == door.audience:
        return redirect(url_for(_HOMES[door.audience]))
    return _failed(door, SignInRefused("state_unknown"))


def _failed(door: Door, failure: SignInFailed) -> Response:
    """A friendly page with a way to start again; never the provider's own words."""
    reference = secrets.token_hex(4)
    family = refusals.family(failure)
    level = log.error if family.is_ours else log.warning
    level("sign_in.failed", provider=door.name, reason=failure.reason, reference=reference)
    with db.transaction(db.system("auth.sign_in")):
        actions.refuse(door.name, failure.reason, reference)
    retry = url_for(guards.DOORS[door.audience])
    i18n.stands_at(retry)  # the callback's address holds a code and a state
    if failure.reason == "account_closed" and door.audience == "patient":
        return make_response(render_template("death/closed.html", hospitals=establishments()), 403)
    better = providers.door("franceconnect-plus") if door.name == "franceconnect" else None
    page = render_template(
        "auth/sign_in_failed.html", door=door, family=family, reference=reference, retry=retry, better=better
    )
    response = make_response(page, family.status)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


# -- signing out -------------------------------------------------------------------------------------------------


@doors.post("/deconnexion")
def sign_out() -> Response:
    """End the session here first, whatever the provider answers; then offer to leave the provider too."""
    state, url = secrets.token_urlsafe(32), None
    if current := sessions.signed_in():
        door = _door_of(current.provider)
        url = door.client.logout_url(sessions.id_token_of(current.session_id), state) if door else None
        actions.close_session(current.session_id)
        sessions.forget()
    response = make_response(render_template("auth/signed_out.html", provider_url=url))
    sessions.clear_cookie(response)
    if url:
        sessions.bind_browser(response, state, actions.ATTEMPT_LIFE, name="parvis_logout")
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def _door_of(provider: str) -> Door | None:
    """The door that a session came through, if it is still there."""
    kind, _slash, finess = provider.partition("/")
    return hospital_doors.door(finess) if kind == "hospital" else providers.door(provider)


@doors.get(f"{_PROVIDER}/logout-callback")
def logout_callback(provider: str) -> Response:
    return _signed_out(providers.door(provider) or abort(404))


@doors.get(f"{_HOSPITAL}/logout-callback")
def logout_callback_of_hospital(finess: str) -> Response:
    return _signed_out(hospital_doors.door(finess) or abort(404))


def _signed_out(_door: Door) -> Response:
    expected, state = sessions.browser_binding("parvis_logout"), request.args.get("state", "")
    if expected and secrets.compare_digest(expected.encode(), state.encode()):
        flash(_("You are signed out."), "success")
    response = redirect(url_for("pages.home"))
    sessions.bind_browser(response, "", timedelta(0), name="parvis_logout")
    return response
