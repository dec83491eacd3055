"""The relying party: sends a person to a provider and takes back who they are, or nobody.

The caller keeps `Attempt` bound to the browser and to the provider, compares `state` itself
(single use, ten minutes) and then calls `exchange`. Nothing here knows Flask or the database.
"""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from auth.oidc import discovery as published
from auth.oidc.claims import check_id_token, check_userinfo
from auth.oidc.discovery import Discovery
from auth.oidc.errors import ProviderUnavailable, SignInFailed, SignInRefused, callback_error
from auth.oidc.http import ProviderSession, json_object, provider_errors, successful
from auth.oidc.keys import KeyRing, Keys, usable_keys
from auth.oidc.provider import Provider
from auth.oidc.remembered import Remembered

# FranceConnect demands 22 characters of nonce and Authlib's own default has 20; ours have 43.
SECRET_BYTES = 32
MIN_SECRET_LENGTH = 43


@dataclass(frozen=True)
class Attempt:
    """The three secrets of one sign-in attempt; used once, kept on our side."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)


@dataclass(frozen=True)
class SignIn:
    """A person as the provider vouches for them.

    `auth_time` is in seconds since 1970, as in the token; `amr` is empty when not told.
    `id_token_raw` is only for `Client.logout_url`: keep it on the server.
    """

    issuer: str
    subject: str
    acr: str
    amr: tuple[str, ...]
    auth_time: int | None
    claims: Mapping[str, Any] = field(repr=False)
    id_token_raw: str = field(repr=False)
    access_token: str = field(repr=False)


def new_attempt() -> Attempt:
    """Fresh secrets of 256 bits each."""
    return Attempt(*(secrets.token_urlsafe(SECRET_BYTES) for _ in range(3)))


class Client:
    """Speaks to one provider; thread-safe, one per process and provider. `now` is in seconds."""

    def __init__(self, provider: Provider, now: Callable[[], float] = time.time) -> None:
        self.provider = provider
        self._now = now
        self._discovery = Remembered(self._fetch_discovery, now)
        self._keys = KeyRing(self._fetch_keys, provider.signing_alg, now)

    def authorization_url(
        self, state: str, nonce: str, code_verifier: str | None = None, *, prompt: str | None = None
    ) -> str:
        """Where to send the browser. Raises `ProviderUnavailable`.

        `prompt="login"` asks the provider to authenticate the person again.
        """
        if min(len(state), len(nonce)) < MIN_SECRET_LENGTH:
            raise ValueError("state and nonce must come from new_attempt()")
        discovery = self._discovery.read()
        params = {"nonce": nonce, "acr_values": self.provider.acr_values, "prompt": prompt or ""}
        with ProviderSession(self.provider) as session:
            url, _ = session.create_authorization_url(
                discovery.authorization_endpoint,
                state=state,
                code_verifier=self._verifier(discovery, code_verifier),
                **{name: value for name, value in params.items() if value},
                **self.provider.authorization_params,
            )
        return str(url)

    def exchange(self, code: str, nonce: str, code_verifier: str | None = None, iss: str | None = None) -> SignIn:
        """Who came back with `code`, every check passed. Raises a `SignInFailed`.

        `nonce` and `code_verifier` are those of the attempt; `iss` is the callback's parameter.
        """
        if len(nonce) < MIN_SECRET_LENGTH:
            raise ValueError("nonce must come from new_attempt()")
        # Before the code leaves us: a mixed-up provider must not receive another one's code.
        self._check_callback_issuer(iss, required=self.provider.callback_iss_required)
        discovery = self._discovery.read()
        with ProviderSession(self.provider) as session:
            token = self._fetch_token(session, discovery, code, code_verifier)
            id_token = self._verified_id_token(token, nonce)
            userinfo = self._verified_userinfo(session, discovery, id_token["sub"])
        return _sign_in(token, id_token, userinfo)

    def callback_error(self, error: str, iss: str | None = None) -> SignInFailed:
        """The fact to raise when the callback carries `error` instead of a code."""
        try:
            self._check_callback_issuer(iss, required=False)
        except SignInRefused as refused:
            return refused
        return callback_error(error)

    def logout_url(self, id_token: str, state: str) -> str | None:
        """Where to send the browser to leave the provider too; None if it cannot be asked to.

        Never raises for an outage: signing out of our side must always succeed.
        """
        try:
            endpoint = self._discovery.read().end_session_endpoint
        except ProviderUnavailable:
            return None
        if endpoint is None or not id_token:
            return None
        params = {
            "id_token_hint": id_token,
            "state": state,
            "post_logout_redirect_uri": self.provider.post_logout_redirect_uri,
        }
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(params)}"

    def check(self) -> list[str]:
        """What is wrong between our configuration and what the provider publishes; [] is good."""
        try:
            problems = published.mismatches(self._discovery.read(), self.provider)
            if not self._fetch_keys():
                problems.append(f"no usable {self.provider.signing_alg} key in the provider's JWKS")
        except ProviderUnavailable as error:
            return [f"provider unavailable: {error.reason}"]
        return problems

    def _fetch_discovery(self) -> Discovery:
        with ProviderSession(self.provider) as session:
            document = session.get_json(self.provider.discovery_url)
        return published.read_discovery(document, self.provider)

    def _fetch_keys(self) -> Keys:
        jwks_uri = self._discovery.read().jwks_uri
        with ProviderSession(self.provider) as session:
            return usable_keys(session.get_json(jwks_uri), self.provider.signing_alg)

    def _verifier(self, discovery: Discovery, code_verifier: str | None) -> str | None:
        # FranceConnect answers 400 to any parameter it does not know, PKCE's included.
        return code_verifier if self.provider.pkce and discovery.accepts_pkce else None

    def _check_callback_issuer(self, iss: str | None, *, required: bool) -> None:
        """RFC 9207: the answer must come from the provider that this attempt was sent to."""
        if iss is None and not required:
            return
        if iss != self.provider.issuer:
            raise SignInRefused("callback_issuer")

    def _fetch_token(
        self, session: ProviderSession, discovery: Discovery, code: str, code_verifier: str | None
    ) -> Mapping[str, Any]:
        verifier = self._verifier(discovery, code_verifier)
        pkce = {"code_verifier": verifier} if verifier else {}
        with provider_errors():
            token: Mapping[str, Any] = session.fetch_token(
                discovery.token_endpoint, grant_type="authorization_code", code=code, **pkce
            )
        if not _is_bearer(token):
            raise ProviderUnavailable("answer_unreadable")
        return token

    def _verified_id_token(self, token: Mapping[str, Any], nonce: str) -> Mapping[str, Any]:
        if not token.get("id_token"):
            raise SignInRefused("id_token_missing")
        claims = self._keys.verify(token["id_token"], "id_token")
        check_id_token(claims, self.provider, nonce, token["access_token"], self._now())
        return claims

    def _verified_userinfo(self, session: ProviderSession, discovery: Discovery, subject: str) -> Mapping[str, Any]:
        with provider_errors():
            body = successful(session.get(discovery.userinfo_endpoint)).content
        if self.provider.userinfo_mode == "jwt":
            claims = self._keys.verify(body.decode("ascii", "replace"), "userinfo")
        else:
            claims = json_object(body)
        check_userinfo(claims, self.provider, subject, self._now())
        return claims


def _is_bearer(token: Mapping[str, Any]) -> bool:
    access_token, token_type = token.get("access_token"), token.get("token_type")
    return isinstance(access_token, str) and access_token != "" and str(token_type).lower() == "bearer"


def _sign_in(token: Mapping[str, Any], id_token: Mapping[str, Any], userinfo: Mapping[str, Any]) -> SignIn:
    amr, auth_time = id_token.get("amr"), id_token.get("auth_time")
    return SignIn(
        issuer=id_token["iss"],
        subject=id_token["sub"],
        acr=id_token["acr"],
        # Pro Santé Connect may send null.
        amr=tuple(str(method) for method in amr) if isinstance(amr, list) else (),
        auth_time=auth_time if isinstance(auth_time, int) else None,
        claims=userinfo,
        id_token_raw=token["id_token"],
        access_token=token["access_token"],
    )
