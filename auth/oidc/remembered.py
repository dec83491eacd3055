"""What a provider publishes, kept at hand so that its outage is not ours."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from auth.oidc.errors import ProviderUnavailable

Document = TypeVar("Document")

FRESH_SECONDS = 3600.0
# Also the most often that a forged token with an unknown key can make us call the provider.
RETRY_SECONDS = 10.0


class Remembered(Generic[Document]):
    """One published document: read again every hour, kept when the provider is down.

    Thread-safe: one thread fetches, the others wait for its result.
    """

    def __init__(self, fetch: Callable[[], Document], now: Callable[[], float]) -> None:
        self._fetch = fetch
        self._now = now
        self._lock = threading.Lock()
        self._document: Document | None = None
        self._fresh_until = 0.0
        self._next_attempt_at = 0.0

    def read(self) -> Document:
        """The document; raises `ProviderUnavailable` if it was never obtained."""
        document = self._document
        if document is not None and self._now() < self._fresh_until:
            return document
        return self.read_again()

    def read_again(self) -> Document:
        """The document as published now, or as last seen if we asked a moment ago."""
        with self._lock:
            if self._now() >= self._next_attempt_at:
                self._next_attempt_at = self._now() + RETRY_SECONDS
                self._attempt()
            if self._document is None:
                raise ProviderUnavailable("unreachable")
            return self._document

    def _attempt(self) -> None:
        try:
            self._document = self._fetch()
        except ProviderUnavailable:
            if self._document is None:
                raise
        else:
            self._fresh_until = self._now() + FRESH_SECONDS
