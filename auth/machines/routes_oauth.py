"""The addresses of RFC 6749 for machines: a pass against their credentials, and who a pass says one is."""

import base64
import binascii
from urllib.parse import unquote_plus

from flask import Blueprint, current_app, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from auth import guards, tries
from auth.machines import actions, callers, keys
from auth.machines.actions import Credentials, InvalidClient, InvalidScope
from auth.machines.callers import answer, as_json
from auth.tries import Counter, TooManyTries
from portal import db
from portal.establishments import Establishment
from portal.web.security import csrf

token_pages = guards.machines(Blueprint("oauth", __name__, url_prefix="/oauth"))
whoami_pages = guards.machines(Blueprint("oauth_whoami", __name__, url_prefix="/oauth"), token=True)
csrf.exempt(token_pages)
csrf.exempt(whoami_pages)

_WRONG_AT_MOST = 20


class _InvalidRequest(Exception):
    """The request is not one of RFC 6749."""


@token_pages.post("/token")
def token() -> Response:
    """Client credentials (RFC 6749, 4.4), by `client_secret_basic`, `client_secret_post` or `private_key_jwt`."""
    form = request.form
    try:
        shown = _shown(form)
    except _InvalidRequest:
        return answer(400, "invalid_request")
    except InvalidClient:
        return _invalid_client()
    if form.get("grant_type") != "client_credentials":
        return answer(400, "unsupported_grant_type" if form.get("grant_type") else "invalid_request")
    counters = _counters(shown.client_id)
    try:
        tries.spend(*counters)
    except TooManyTries as wait:
        left = max(1, int((wait.until - db.now()).total_seconds()))
        return answer(429, "too_many_requests", {"Retry-After": str(left)})
    return _issue(shown, form.get("scope", ""), counters)


def _issue(shown: Credentials, scope: str, counters: tuple[Counter, Counter]) -> Response:
    try:
        with db.transaction(db.system("machines.token")):
            issued, given = actions.issue(shown, scope)
    except InvalidScope:
        return answer(400, "invalid_scope")
    except InvalidClient as refused:
        with db.transaction(db.system("machines.token")):
            actions.refuse(refused)
        return _invalid_client()
    tries.succeed(*counters)
    return as_json(
        {
            "access_token": issued,
            "token_type": "Bearer",
            "expires_in": int(actions.TOKEN_LIFE.total_seconds()),
            "scope": " ".join(given),
        }
    )


@whoami_pages.get("/whoami")
def whoami() -> Response:
    """Who the pass says one is: a call to try a connection with."""
    found = callers.caller()
    if found is None:
        return answer(401, "invalid_token")
    place = db.session.get_one(Establishment, found.establishment_id)
    return as_json(
        {
            "name": found.name,
            "establishment": {"finess": place.finess, "name": place.name},
            "scope": " ".join(sorted(found.scopes)),
            "expires_at": found.expires_at.isoformat(),
        }
    )


def _shown(form: MultiDict[str, str]) -> Credentials:
    """The credentials of the request, shown in one way. Raises _InvalidRequest, InvalidClient when there are none."""
    if any(len(form.getlist(name)) > 1 for name in form) or request.args:
        raise _InvalidRequest
    header = request.headers.get("Authorization", "")
    ways = [bool(header), "client_secret" in form, "client_assertion" in form]
    if sum(ways) > 1:
        raise _InvalidRequest
    if header:
        client_id, secret = _basic(header)
        if form.get("client_id", client_id) != client_id:
            raise _InvalidRequest
        return Credentials(_printable(client_id), secret)
    if "client_assertion" in form:
        return _asserted(form)
    if "client_secret" not in form or not form.get("client_id"):
        raise InvalidClient("none")
    return Credentials(_printable(form["client_id"]), form["client_secret"])


def _asserted(form: MultiDict[str, str]) -> Credentials:
    if form.get("client_assertion_type") != keys.ASSERTION_TYPE:
        raise _InvalidRequest
    assertion = form["client_assertion"]
    client_id = keys.claimed_by(assertion)
    if form.get("client_id", client_id) != client_id:
        raise InvalidClient("client_id")
    base = current_app.config["SETTINGS"].base_url.rstrip("/")
    audiences = frozenset({f"{base}/oauth/token", base})
    return Credentials(_printable(client_id), assertion=assertion, audiences=audiences)


def _basic(header: str) -> tuple[str, str]:
    """RFC 6749, 2.3.1: both halves are form-encoded before they are joined."""
    scheme, _space, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        raise InvalidClient("scheme")
    try:
        client_id, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError) as error:
        raise InvalidClient("basic") from error
    if not colon:
        raise InvalidClient("basic")
    return unquote_plus(client_id), unquote_plus(secret)


def _printable(client_id: str) -> str:
    """What may be looked up; anything else names nobody."""
    return client_id if client_id.isascii() and client_id.isprintable() and len(client_id) <= 100 else ""


def _invalid_client() -> Response:
    """The same answer whatever was wrong: nobody learns which machines exist."""
    return answer(401, "invalid_client", {"WWW-Authenticate": 'Basic realm="parvis"'})


def _counters(client_id: str) -> tuple[Counter, Counter]:
    """Wrong answers, counted by machine and place: nobody can shut a hospital's machine out from elsewhere."""
    where = tries.address_range(request.remote_addr or "")
    here = Counter(f"machine {client_id} from {where}", _WRONG_AT_MOST, tries.of_range("", "").window)
    return here, tries.of_range(request.remote_addr or "", "machine")
