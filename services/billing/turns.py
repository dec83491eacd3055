"""A payment site that is slow must not make the portal slow.

A web process has two threads (`parvis web`). One of them at most waits for a provider; whoever comes meanwhile is told
at once to try again, or that the bank has not answered yet, and everybody else is served. Workers wait for nobody.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from flask import has_request_context

from portal.gateways import LeftAlone

TURN_SECONDS = 1.0
"""A provider that is well answers in less: two payers at the same instant both get through."""


class NoTurn(LeftAlone):
    """Another payer of this process is waiting already: nothing was sent."""

    def __init__(self) -> None:
        super().__init__("another payer is waiting for an answer")


class Turns:
    """One at a time; nobody queues behind somebody who has been waiting for long."""

    def __init__(self) -> None:
        self._front = threading.Lock()
        self._since = 0.0

    @contextmanager
    def one(self) -> Iterator[None]:
        """Raises NoTurn."""
        is_slow = self._front.locked() and time.monotonic() - self._since > TURN_SECONDS
        if not self._front.acquire(timeout=0 if is_slow else TURN_SECONDS):
            raise NoTurn
        self._since = time.monotonic()
        try:
            yield
        finally:
            self._front.release()


_turns = Turns()


@contextmanager
def turn() -> Iterator[None]:
    """Surround a call to a provider. Raises NoTurn, in a web request only."""
    with _turns.one() if has_request_context() else nullcontext():
        yield
