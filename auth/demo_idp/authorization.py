"""Reading an authorization request as severely as the real provider does."""

import json
from dataclasses import dataclass
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from auth.demo_idp.audiences import Audience
from auth.demo_idp.desk import IdpConfig

# S256 of anything is 43 characters of base64url.
CODE_CHALLENGE_LENGTH = 43
PROMPTS = frozenset({"", "login", "consent"})


class RequestRefused(Exception):
    """A request so wrong that nobody is sent back: the provider shows its own error page."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class SentBack(Exception):
    """A request refused by an error on the redirect URI (RFC 6749 section 4.1.2.1)."""

    def __init__(self, error: str, redirect_uri: str, state: str) -> None:
        super().__init__(error)
        self.error = error
        self.redirect_uri = redirect_uri
        self.state = state


@dataclass(frozen=True)
class AuthorizationRequest:
    """What a service asks for, once found acceptable."""

    redirect_uri: str
    state: str
    nonce: str
    scopes: frozenset[str]
    wants_amr: bool
    code_challenge: str


def read_authorization(args: "MultiDict[str, str]", audience: Audience, config: IdpConfig) -> AuthorizationRequest:
    """The request; raises `RequestRefused` or `SentBack`."""
    _check_client(args, audience, config)
    _check_shape(args, audience)
    redirect_uri, state = args["redirect_uri"], args["state"]
    if args.get("response_type") != "code":
        raise SentBack("unsupported_response_type", redirect_uri, state)
    scopes = frozenset(args.get("scope", "").split())
    if "openid" not in scopes or not scopes <= set(audience.scopes):
        raise SentBack("invalid_scope", redirect_uri, state)
    return AuthorizationRequest(
        redirect_uri, state, args.get("nonce", ""), scopes, _wants_amr(args), _challenge(args, audience)
    )


def callback_url(redirect_uri: str, params: dict[str, str]) -> str:
    """The redirect URI with its answer."""
    return f"{redirect_uri}?{urlencode(params)}" if params else redirect_uri


def _check_client(args: "MultiDict[str, str]", audience: Audience, config: IdpConfig) -> None:
    if args.get("client_id") != config.client_id:
        raise RequestRefused("Y030031", "client_id inconnu")
    if args.get("redirect_uri") not in config.redirect_uris(audience):
        raise RequestRefused("Y030031", "redirect_uri non déclarée pour ce service")


def _check_shape(args: "MultiDict[str, str]", audience: Audience) -> None:
    """The checks after which FranceConnect shows its page Y030007 (its DTO forbids the unknown)."""
    repeated = [name for name in args if len(args.getlist(name)) > 1]
    unknown = [] if audience.parameters is None else sorted(set(args) - audience.parameters)
    faults = {
        f"paramètre répété : {', '.join(repeated)}": repeated,
        f"paramètre inconnu : {', '.join(unknown)}": unknown,
        "state trop court": len(args.get("state", "")) < audience.min_state_length,
        "nonce trop court": len(args.get("nonce", "")) < audience.min_nonce_length,
        "acr_values inconnu ou absent": not _is_acr_known(args, audience),
        "prompt inconnu": args.get("prompt", "") not in PROMPTS,
    }
    for detail, is_wrong in faults.items():
        if is_wrong:
            raise RequestRefused("Y030007", detail)


def _is_acr_known(args: "MultiDict[str, str]", audience: Audience) -> bool:
    asked = args.get("acr_values", "").split()
    return set(asked) <= set(audience.acr_values) and (bool(asked) or not audience.acr_values_required)


def _wants_amr(args: "MultiDict[str, str]") -> bool:
    try:
        return "amr" in json.loads(args.get("claims", "{}")).get("id_token", {})
    except (ValueError, AttributeError, TypeError) as error:
        raise RequestRefused("Y030007", "claims illisible") from error


def _challenge(args: "MultiDict[str, str]", audience: Audience) -> str:
    challenge, method = args.get("code_challenge", ""), args.get("code_challenge_method", "")
    if not challenge or not audience.accepts_pkce:
        return ""
    if method != "S256" or len(challenge) != CODE_CHALLENGE_LENGTH:
        raise SentBack("invalid_request", args["redirect_uri"], args["state"])
    return challenge
