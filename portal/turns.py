"""A counterpart that is slow must not make the portal slow.

A web process has two threads (`parvis web`). One of them at most waits for a counterpart; what the others came with is
done later, or they are told at once to try again, and everybody else is served. Workers wait for nobody.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from flask import has_request_context

from portal.gateways import LeftAlone

TURN_SECONDS = 1.0
"""A counterpart that is well answers in less: two people at the same instant both get through."""
is_hurried = has_request_context
"""Whether somebody waits for a page."""
_Given = ParamSpec("_Given")
_Found = TypeVar("_Found")


class NoTurn(LeftAlone):
    """Somebody else of this process is waiting already: nothing was sent."""

    def __init__(self) -> None:
        super().__init__("somebody else is waiting for an answer")


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

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Surround a call to the counterpart. Raises NoTurn, in a web request only."""
        if not is_hurried():
            yield
            return
        with self.one():
            yield

    def call(self, function: Callable[_Given, _Found], *given: _Given.args, **named: _Given.kwargs) -> _Found:
        """What the function gives, in its turn. Raises NoTurn, in a web request only."""
        with self.turn():
            return function(*given, **named)


of_scanner = Turns()
"""Who gets no turn leaves the file to the worker, which scans it as soon as it can."""
