"""What the running providers hold in common: their one client, their keys, what they granted."""

import hmac
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

from auth.demo_idp.audiences import AUDIENCES, Audience
from auth.demo_idp.faults import Faults
from auth.demo_idp.grants import Grants
from auth.demo_idp.sealing import EncryptionKey, encryption_key, seal, seal_badly
from auth.demo_idp.signing import SigningKey, new_key, sign, sign_badly

ASKED_AGAIN_AFTER_SECONDS = 60.0


def fetched_keys(base: str) -> Mapping[str, Any]:
    """The JWK Set that the portal publishes."""
    answer = requests.get(f"{base}/oidc/jwks", timeout=5)
    answer.raise_for_status()
    published: Mapping[str, Any] = answer.json()
    return published


@dataclass(frozen=True, kw_only=True)
class IdpConfig:
    """The one client of every audience. `redirect_bases` are the portal's base URLs.

    `portal_keys` gives the JWK Set that the portal at a base URL publishes; tests have no server.
    """

    client_id: str
    client_secret: str = field(repr=False)
    redirect_bases: tuple[str, ...]
    portal_keys: Callable[[str], Mapping[str, Any]] = fetched_keys
    clock: Callable[[], float] = time.time

    def redirect_uris(self, audience: Audience) -> tuple[str, ...]:
        """Where people may come back, compared to the letter."""
        return self._addresses(audience, "callback")

    def logout_uris(self, audience: Audience) -> tuple[str, ...]:
        """Where people may come back after signing out, compared to the letter."""
        return self._addresses(audience, "logout-callback")

    def _addresses(self, audience: Audience, page: str) -> tuple[str, ...]:
        return tuple(f"{base}/auth/{door}/{page}" for base in self.redirect_bases for door in audience.callbacks)

    def is_client(self, client_id: str, client_secret: str) -> bool:
        return client_id == self.client_id and hmac.compare_digest(client_secret.encode(), self.client_secret.encode())


class Desk:
    """The state of all the demonstration's providers; thread-safe."""

    def __init__(self, config: IdpConfig, faults: Faults) -> None:
        self.config = config
        self.faults = faults
        self.grants = Grants(config.clock)
        self._keys: dict[str, SigningKey] = {}
        self._keys_lock = threading.Lock()
        self._last_nonces: dict[str, str] = {}
        self._portal_keys: dict[str, tuple[EncryptionKey, float]] = {}

    def key(self, audience: Audience) -> SigningKey:
        """The signing key, made when first needed: an RSA key takes a while."""
        with self._keys_lock:
            if audience.name not in self._keys:
                self._keys[audience.name] = new_key(audience)
            return self._keys[audience.name]

    def rotate_key(self, audience_name: str) -> None:
        """From now on another key signs, and it alone is published."""
        with self._keys_lock:
            self._keys[audience_name] = new_key(AUDIENCES[audience_name])

    def signed(self, audience: Audience, claims: dict[str, Any], prefix: str = "") -> str:
        """`claims` as a JWT; `prefix` tells a userinfo's faults from an id_token's."""
        claims = self.faults.bend_claims(audience.name, claims, prefix)
        key = self.key(audience)
        if fault := self.faults.signature_fault(audience.name, prefix):
            return sign_badly(claims, key, audience, self.config.client_secret, fault)
        return sign(claims, key, audience.signing_alg)

    def sealed(self, audience: Audience, token: str, redirect_uri: str, prefix: str = "") -> str:
        """`token` for the portal's eyes alone, where this provider encrypts."""
        if not audience.seals:
            return token
        key = self.portal_key(redirect_uri)
        if fault := self.faults.sealing_fault(audience.name, prefix):
            return seal_badly(token, key, fault)
        return seal(token, key, {"iss": audience.issuer, "aud": self.config.client_id})

    def portal_key(self, redirect_uri: str) -> EncryptionKey:
        """The portal's current encryption key, asked for once a minute at most."""
        base = redirect_uri.partition("/auth/")[0]
        key, asked_at = self._portal_keys.get(base, (None, 0.0))
        if key is None or self.config.clock() - asked_at > ASKED_AGAIN_AFTER_SECONDS:
            key = encryption_key(self.config.portal_keys(base))
            self._portal_keys[base] = (key, self.config.clock())
        return key

    def forget_portal_keys(self) -> None:
        """The next answer is sealed with what the portal publishes then."""
        self._portal_keys.clear()

    def nonce_to_sign(self, audience: Audience, nonce: str) -> str:
        """This attempt's nonce, or the previous attempt's when replay is the fault of the day."""
        previous = self._last_nonces.get(audience.name, "")
        self._last_nonces[audience.name] = nonce
        return previous if self.faults.has(audience.name, "replayed_nonce") else nonce
