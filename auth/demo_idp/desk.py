"""What the running providers hold in common: their one client, their keys, what they granted."""

import hmac
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from auth.demo_idp.audiences import AUDIENCES, Audience
from auth.demo_idp.faults import Faults
from auth.demo_idp.grants import Grants
from auth.demo_idp.signing import SigningKey, new_key, sign, sign_badly


@dataclass(frozen=True, kw_only=True)
class IdpConfig:
    """The one client of every audience. `redirect_bases` are the portal's base URLs."""

    client_id: str
    client_secret: str = field(repr=False)
    redirect_bases: tuple[str, ...]
    clock: Callable[[], float] = time.time

    def redirect_uris(self, audience: Audience) -> tuple[str, ...]:
        """Where people may come back, compared to the letter."""
        return tuple(f"{base}/auth/{audience.name}/callback" for base in self.redirect_bases)

    def logout_uris(self, audience: Audience) -> tuple[str, ...]:
        """Where people may come back after signing out, compared to the letter."""
        return tuple(f"{base}/auth/{audience.name}/logout-callback" for base in self.redirect_bases)

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

    def nonce_to_sign(self, audience: Audience, nonce: str) -> str:
        """This attempt's nonce, or the previous attempt's when replay is the fault of the day."""
        previous = self._last_nonces.get(audience.name, "")
        self._last_nonces[audience.name] = nonce
        return previous if self.faults.has(audience.name, "replayed_nonce") else nonce
