"""The endpoints of all the providers: one path prefix each, one set of views for all."""

import base64
import hashlib
import secrets
from typing import Any

from flask import Blueprint, Response, current_app, g, jsonify, redirect, render_template, request
from werkzeug.routing import BaseConverter, ValidationError
from werkzeug.wrappers import Response as BaseResponse

from auth.demo_idp.audiences import AUDIENCES, Audience
from auth.demo_idp.authorization import (
    AuthorizationRequest,
    RequestRefused,
    SentBack,
    callback_url,
    read_authorization,
)
from auth.demo_idp.desk import Desk
from auth.demo_idp.grants import Grant
from auth.demo_idp.people import Person
from auth.demo_idp.signing import is_ours

endpoints = Blueprint("demo_idp", __name__, url_prefix="/<audience:audience>")

TOKEN_PARAMETERS = frozenset({"grant_type", "code", "redirect_uri", "client_id", "client_secret"})


class AudienceConverter(BaseConverter):
    """`/franceconnect/…` gives the view the FranceConnect audience; anything else is a 404."""

    def to_python(self, value: str) -> Audience:
        if value not in AUDIENCES:
            raise ValidationError
        return AUDIENCES[value]

    def to_url(self, value: Audience) -> str:
        return value.name


def desk() -> Desk:
    """The state of the providers in this process."""
    found: Desk = current_app.extensions["demo_idp"]
    return found


@endpoints.before_request
def answer_like_a_broken_network() -> Response | None:
    """The faults of transport, when a test has switched one on for this endpoint."""
    audience, endpoint = (request.view_args or {}).get("audience"), (request.endpoint or "").split(".")[-1]
    return desk().faults.transport(audience.name, endpoint) if audience else None


# Pro Santé Connect publishes the right document under the second name.
@endpoints.get("/.well-known/openid-configuration")
@endpoints.get("/.well-known/wallet-openid-configuration")
def discovery(audience: Audience) -> Response:
    """OpenID Connect Discovery 1.0; the issuer is constant, the endpoints are where we listen."""
    base, has = f"{request.host_url}{audience.name}", desk().faults.has
    document: dict[str, Any] = {
        "issuer": audience.issuer,
        "authorization_endpoint": f"{base}/authorize",
        "token_endpoint": f"{base}/token",
        "userinfo_endpoint": f"{base}/userinfo",
        "jwks_uri": f"{base}/jwks",
        "end_session_endpoint": f"{base}/session/end",
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["pairwise"],
        "scopes_supported": list(audience.scopes),
        "acr_values_supported": list(audience.acr_values),
        "id_token_signing_alg_values_supported": [audience.signing_alg],
        "token_endpoint_auth_methods_supported": list(audience.auth_methods),
        "authorization_response_iss_parameter_supported": audience.tells_issuer,
    }
    if audience.userinfo_signed:
        document["userinfo_signing_alg_values_supported"] = [audience.signing_alg]
    if audience.seals:
        for what in ("id_token", "userinfo"):
            document[f"{what}_encryption_alg_values_supported"] = ["RSA-OAEP", "RSA-OAEP-256", "ECDH-ES"]
            document[f"{what}_encryption_enc_values_supported"] = ["A256GCM"]
    if audience.accepts_pkce and not has(audience.name, "discovery_no_pkce"):
        document["code_challenge_methods_supported"] = ["S256"]
    if has(audience.name, "discovery_wrong_issuer"):
        document["issuer"] = "https://evil.exemple.test"
    if has(audience.name, "discovery_http_endpoint"):
        document |= {"token_endpoint": "http://evil.exemple.test/token"}
    if has(audience.name, "discovery_no_logout"):
        del document["end_session_endpoint"]
    return jsonify(document)


@endpoints.get("/jwks")
def jwks(audience: Audience) -> Response:
    """The public key. A second, useless one comes first: no client may take "the first key"."""
    decoy = {"kty": "oct", "kid": "decoy", "k": base64.urlsafe_b64encode(b"decoy" * 8).decode().rstrip("=")}
    has_keys = not desk().faults.has(audience.name, "jwks_no_keys")
    keys = [decoy, desk().key(audience).as_dict(private=False)] if has_keys else [decoy]
    return jsonify({"keys": keys})


@endpoints.get("/authorize")
def authorize(audience: Audience) -> BaseResponse | str:
    """The page where one chooses whom to be."""
    asked = read_authorization(request.args, audience, desk().config)
    if error := desk().faults.callback_error(audience.name):
        raise SentBack(error, asked.redirect_uri, asked.state)
    if audience.seals:
        # Now, while the portal waits for nothing: a single worker could not answer us during its own exchange.
        desk().portal_key(asked.redirect_uri)
    return render_template("choose.html", audience=audience, people=audience.people)


@endpoints.post("/authorize")
def choose(audience: Audience) -> BaseResponse:
    """Someone was chosen, or nobody. The request is still in the URL and is read again."""
    asked = read_authorization(request.args, audience, desk().config)
    person = audience.person(request.form.get("person"))
    if person is None:
        raise SentBack("access_denied", asked.redirect_uri, asked.state)
    code = desk().grants.new_code(_grant(audience, person, asked))
    params = {"code": code, "state": asked.state}
    if not audience.userinfo_signed:
        params["session_state"] = secrets.token_hex(16)
    return _back(audience, asked.redirect_uri, params)


@endpoints.post("/token")
def token(audience: Audience) -> tuple[Response, int]:
    """The code against an access token and an id_token (RFC 6749 section 4.1.3)."""
    form, config = request.form, desk().config
    if not config.is_client(*_client_credentials(audience)):
        return _error("invalid_client", 401)
    if audience.parameters is not None and not set(form) <= TOKEN_PARAMETERS:
        return _error("invalid_request")
    if form.get("grant_type") != "authorization_code":
        return _error("unsupported_grant_type")
    granted = desk().grants.use_code(form.get("code", ""), audience)
    if granted is None or not _matches(granted[0]):
        return _error("invalid_grant")
    return jsonify(_token_answer(*granted)), 200


@endpoints.route("/userinfo", methods=["GET", "POST"])
def userinfo(audience: Audience) -> Response | tuple[Response, int]:
    """Who the person is: a signed JWT, or JSON for Pro Santé Connect."""
    kind, _, access_token = request.headers.get("Authorization", "").partition(" ")
    grant = desk().grants.of_token(access_token, audience) if kind.lower() == "bearer" else None
    if grant is None:
        return _error("invalid_token", 401)
    claims = {"sub": grant.person.subject} | audience.claims_of(grant.person, grant.scopes)
    if not audience.userinfo_signed or desk().faults.has(audience.name, "userinfo_json"):
        return jsonify(desk().faults.bend_claims(audience.name, claims, "userinfo_"))
    body = desk().signed(audience, _protocol(audience) | claims, "userinfo_")
    return Response(desk().sealed(audience, body, grant.redirect_uri, "userinfo_"), content_type="application/jwt")


@endpoints.get("/session/end")
def end_session(audience: Audience) -> BaseResponse:
    """RP-initiated logout: a hint that we signed and a return address known to the letter."""
    hint, back_to = request.args.get("id_token_hint", ""), request.args.get("post_logout_redirect_uri", "")
    if back_to not in desk().config.logout_uris(audience):
        raise RequestRefused("Y030111", "post_logout_redirect_uri non déclarée pour ce service")
    if not is_ours(hint, desk().key(audience), audience.signing_alg):
        # Our keys die with the process, so a restart makes every former hint unknown.
        g.way_back = back_to
        raise RequestRefused("Y030116", "id_token_hint absent, ou d’une session précédente de ce démonstrateur")
    state = request.args.get("state")
    return redirect(callback_url(back_to, {"state": state} if state else {}), 303)


@endpoints.errorhandler(RequestRefused)
def show_refusal(refused: RequestRefused) -> tuple[str, int]:
    """The provider's own error page."""
    audience = (request.view_args or {})["audience"]
    return render_template("refused.html", audience=audience, refused=refused, way_back=g.get("way_back")), 400


@endpoints.errorhandler(SentBack)
def send_back(sent: SentBack) -> BaseResponse:
    """The error, told to the service."""
    params = {"error": sent.error, "error_description": "demonstration", "state": sent.state}
    return _back((request.view_args or {})["audience"], sent.redirect_uri, params)


def _back(audience: Audience, redirect_uri: str, params: dict[str, str]) -> BaseResponse:
    if audience.tells_issuer:
        params = params | {"iss": audience.issuer}
    return redirect(callback_url(redirect_uri, desk().faults.bend_callback(audience.name, params)), 303)


def _grant(audience: Audience, person: Person, asked: AuthorizationRequest) -> Grant:
    return Grant(
        audience=audience,
        person=person,
        redirect_uri=asked.redirect_uri,
        scopes=asked.scopes,
        nonce=asked.nonce,
        wants_amr=asked.wants_amr,
        code_challenge=asked.code_challenge,
    )


def _client_credentials(audience: Audience) -> tuple[str, str]:
    basic = request.authorization
    if basic and basic.type == "basic" and "client_secret_basic" in audience.auth_methods:
        return basic.username or "", basic.password or ""
    return request.form.get("client_id", ""), request.form.get("client_secret", "")


def _matches(grant: Grant) -> bool:
    """Whether the exchange comes from where the code was asked (redirect URI, PKCE)."""
    verifier = request.form.get("code_verifier", "")
    challenge = _base64url(hashlib.sha256(verifier.encode()).digest()) if verifier else ""
    return request.form.get("redirect_uri") == grant.redirect_uri and challenge == grant.code_challenge


def _token_answer(grant: Grant, access_token: str) -> dict[str, Any]:
    audience, has = grant.audience, desk().faults.has
    answer: dict[str, Any] = {
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": audience.access_token_seconds,
        "scope": " ".join(sorted(grant.scopes)),
        "id_token": desk().sealed(
            audience, desk().signed(audience, _id_token(grant, access_token)), grant.redirect_uri
        ),
    }
    if not audience.userinfo_signed:
        answer |= {"refresh_expires_in": 1800, "not-before-policy": 0, "session_state": secrets.token_hex(16)}
    if has(audience.name, "no_id_token"):
        del answer["id_token"]
    if has(audience.name, "no_access_token"):
        del answer["access_token"]
    if has(audience.name, "wrong_token_type"):
        answer |= {"token_type": "mac"}
    return answer


def _id_token(grant: Grant, access_token: str) -> dict[str, Any]:
    audience = grant.audience
    claims = _protocol(audience) | {
        "sub": grant.person.subject,
        "acr": grant.person.acr,
        "auth_time": int(desk().config.clock()),
        "at_hash": _base64url(hashlib.sha256(access_token.encode()).digest()[:16]),
    }
    if grant.nonce:
        claims["nonce"] = desk().nonce_to_sign(audience, grant.nonce)
    if grant.wants_amr or audience.tells_all_in_id_token:
        claims["amr"] = list(grant.person.amr)
    if audience.tells_all_in_id_token:
        claims |= audience.claims_of(grant.person, grant.scopes)
    return claims


def _protocol(audience: Audience) -> dict[str, Any]:
    now = int(desk().config.clock())
    return {
        "iss": audience.issuer,
        "aud": desk().config.client_id,
        "iat": now,
        "exp": now + audience.id_token_seconds,
    }


def _error(error: str, status: int = 400) -> tuple[Response, int]:
    response = jsonify({"error": error, "error_description": "demonstration", "error_uri": ""})
    if status == 401:
        response.headers["WWW-Authenticate"] = f'Bearer error="{error}"'
    return response, status


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
