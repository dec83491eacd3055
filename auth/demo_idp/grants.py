"""What has been granted: codes to be used once, then access tokens, all in memory."""

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass

from auth.demo_idp.audiences import Audience
from auth.demo_idp.people import Person


@dataclass(frozen=True)
class Grant:
    """A person's agreement to tell one service who they are."""

    audience: Audience
    person: Person
    redirect_uri: str
    scopes: frozenset[str]
    nonce: str
    wants_amr: bool
    code_challenge: str


class Grants:
    """Codes and access tokens with their expiry, in seconds of `clock`; thread-safe."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._codes: dict[str, tuple[Grant, float]] = {}
        self._tokens: dict[str, tuple[Grant, float]] = {}
        self._token_of_code: dict[str, str] = {}

    def new_code(self, grant: Grant) -> str:
        code = secrets.token_urlsafe(32)
        with self._lock:
            self._forget_expired()
            self._codes[code] = (grant, self._clock() + grant.audience.code_seconds)
        return code

    def use_code(self, code: str, audience: Audience) -> tuple[Grant, str] | None:
        """The grant and its access token, or None for a code unknown, expired or already used.

        A code used twice has leaked: its access token dies (RFC 6749 section 4.1.2).
        """
        with self._lock:
            self._tokens.pop(self._token_of_code.pop(code, ""), None)
            grant, expires_at = self._codes.pop(code, (None, 0.0))
            if grant is None or grant.audience is not audience or expires_at <= self._clock():
                return None
            token = secrets.token_urlsafe(32)
            self._tokens[token] = (grant, self._clock() + audience.access_token_seconds)
            self._token_of_code[code] = token
        return grant, token

    def of_token(self, token: str, audience: Audience) -> Grant | None:
        """The grant behind a living access token of this audience."""
        with self._lock:
            grant, expires_at = self._tokens.get(token, (None, 0.0))
        alive = grant is not None and grant.audience is audience and expires_at > self._clock()
        return grant if alive else None

    def _forget_expired(self) -> None:
        now = self._clock()
        self._codes = {code: kept for code, kept in self._codes.items() if kept[1] > now}
        self._tokens = {token: kept for token, kept in self._tokens.items() if kept[1] > now}
        self._token_of_code = {c: t for c, t in self._token_of_code.items() if t in self._tokens}
