"""The relying party: sends a person to a provider and takes back who they are, or nobody.

The caller keeps `Attempt` bound to the browser and to the provider, compares `state` itself
(single use, ten minutes) and then calls `exchange`. Nothing here knows Flask or the database.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from auth.oidc import discovery as published
from auth.oidc.claims import LEEWAY_SECONDS, check_id_token, check_identity, check_userinfo
from auth.oidc.discovery import Discovery
from auth.oidc.errors import ProviderUnavailable, SignInFailed, SignInRefused, callback_error
from auth.oidc.http import ProviderSession, json_object, provider_errors, successful
from auth.oidc.keys import KeyRing, Keys, usable_keys
from auth.oidc.provider import Provider
from auth.oidc.remembered import Remembered
from portal import clocks

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
    `id_token_raw`, signed and no longer sealed, is only for `Client.logout_url`: keep it on the server.
    """

    issuer: str
    subject: str
    acr: str
    amr: tuple[str, ...]
    auth_time: int | None
    claims: Mapping[str, Any] = field(repr=False)
    id_token_raw: str = field(repr=False)
    access_token: str = field(repr=False)


@dataclass(frozen=True)
class Finding:
    """One thing looked at by `Client.examine`; `trouble` says what is wrong, or nothing."""

    what: str
    trouble: str = ""


def new_attempt() -> Attempt:
    """Fresh secrets of 256 bits each."""
    return Attempt(*(secrets.token_urlsafe(SECRET_BYTES) for _ in range(3)))


class Client:
    """Speaks to one provider; thread-safe, one per process and provider. `now` is in seconds."""

    def __init__(self, provider: Provider, now: Callable[[], float] = clocks.timestamp) -> None:
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
            signed = self._opened(token.get("id_token"), "id_token")
            id_token = self._verified_id_token(signed, token["access_token"], nonce)
            claims = self._identity(session, discovery, id_token)
        return _sign_in(id_token, claims, signed, token["access_token"])

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
        return [finding.trouble for finding in self.examine() if finding.trouble]

    def examine(self) -> list[Finding]:
        """Each thing that a sign-in stands on, asked afresh, with what is wrong with it."""
        try:
            with ProviderSession(self.provider) as session:
                document = session.get_json(self.provider.discovery_url)
                drift = _drift(session.answered_at, self._now())
            discovery = published.read_discovery(document, self.provider)
        except ProviderUnavailable as error:
            return [Finding("discovery", f"provider unavailable: {error.reason}")]
        findings = [
            Finding("discovery", "; ".join(published.mismatches(discovery, self.provider))),
            Finding("keys", self._key_trouble(discovery)),
            Finding("clock", drift),
        ]
        if keys := self.provider.encryption_keys:
            findings.append(Finding(f"encryption keys ({len(keys)})"))
        return findings

    def _key_trouble(self, discovery: Discovery) -> str:
        try:
            found = self._keys_at(discovery.jwks_uri)
        except ProviderUnavailable as error:
            return f"provider unavailable: {error.reason}"
        return "" if found else f"no usable {self.provider.signing_alg} key in the provider's JWKS"

    def _fetch_discovery(self) -> Discovery:
        with ProviderSession(self.provider) as session:
            document = session.get_json(self.provider.discovery_url)
        return published.read_discovery(document, self.provider)

    def _fetch_keys(self) -> Keys:
        return self._keys_at(self._discovery.read().jwks_uri)

    def _keys_at(self, jwks_uri: str) -> Keys:
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

    def _opened(self, token: object, what: str) -> str:
        """The signed token: as it came, or taken out of what was sealed for us (FranceConnect+)."""
        if not token:
            raise SignInRefused(f"{what}_missing")
        if self.provider.encryption_keys is None:
            return str(token)
        return self.provider.encryption_keys.open(str(token), what)

    def _verified_id_token(self, signed: str, access_token: str, nonce: str) -> Mapping[str, Any]:
        claims = self._keys.verify(signed, "id_token")
        check_id_token(claims, self.provider, nonce, access_token, self._now())
        return claims

    def _identity(
        self, session: ProviderSession, discovery: Discovery, id_token: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Who the person is: their userinfo, over what the id_token says of them where it may."""
        claims = dict(id_token) if self.provider.id_token_identifies else {}
        if self.provider.userinfo_mode != "none":
            claims |= self._verified_userinfo(session, discovery, id_token["sub"])
        check_identity(claims, self.provider)
        return claims

    def _verified_userinfo(self, session: ProviderSession, discovery: Discovery, subject: str) -> Mapping[str, Any]:
        with provider_errors():
            body = successful(session.get(discovery.userinfo_endpoint)).content
        if self.provider.userinfo_mode == "json":
            claims = json_object(body)
        else:
            # An empty body is an answer that nobody signed, not one that is missing.
            signed = self._opened(body.decode("ascii", "replace") or "-", "userinfo")
            claims = self._keys.verify(signed, "userinfo")
        check_userinfo(claims, self.provider, subject, self._now())
        return claims


def _drift(theirs: datetime | None, ours: float) -> str:
    """How far our clock is from the provider's when tokens could be refused for it."""
    seconds = round(ours - theirs.timestamp()) if theirs else 0
    if abs(seconds) <= LEEWAY_SECONDS:
        return ""
    return f"our clock is {abs(seconds)} s {'ahead of' if seconds > 0 else 'behind'} the provider's: sign-ins will fail"


def _is_bearer(token: Mapping[str, Any]) -> bool:
    access_token, token_type = token.get("access_token"), token.get("token_type")
    return isinstance(access_token, str) and access_token != "" and str(token_type).lower() == "bearer"


def _sign_in(id_token: Mapping[str, Any], claims: Mapping[str, Any], signed: str, access_token: str) -> SignIn:
    auth_time = id_token.get("auth_time")
    return SignIn(
        issuer=id_token["iss"],
        subject=id_token["sub"],
        # A hospital's own provider may prove two factors by amr alone, and give no acr.
        acr=_text(id_token.get("acr")),
        amr=_methods(id_token.get("amr")),
        auth_time=auth_time if isinstance(auth_time, int) else None,
        claims=claims,
        id_token_raw=signed,
        access_token=access_token,
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _methods(amr: object) -> tuple[str, ...]:
    # Pro Santé Connect may send null, and ADFS one text.
    listed = amr if isinstance(amr, list) else [amr]
    return tuple(method for method in listed if isinstance(method, str) and method)
