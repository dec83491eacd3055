"""A payment site that is slow must not make the portal slow.

A web process has two threads (`parvis web`). One of them at most waits for a provider; whoever comes meanwhile is told
at once to try again, or that the bank has not answered yet, and everybody else is served. Workers wait for nobody.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flask import has_request_context

from portal.gateways import LeftAlone

TURN_SECONDS = 1.0
"""A provider that is well answers in less: two payers at the same instant both get through."""

_front = threading.BoundedSemaphore(1)


class NoTurn(LeftAlone):
    """Another payer of this process is waiting already: nothing was sent."""

    def __init__(self) -> None:
        super().__init__("another payer is waiting for an answer")


@contextmanager
def turn() -> Iterator[None]:
    """Surround a call to a provider. Raises NoTurn, in a web request only."""
    if not has_request_context():
        yield
        return
    if not _front.acquire(timeout=TURN_SECONDS):
        raise NoTurn
    try:
        yield
    finally:
        _front.release()
