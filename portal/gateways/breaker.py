"""A circuit breaker: a counterpart that fails again and again is left alone for a while.

Without it every request of the portal would wait for the same time limit, and a counterpart
that is coming back would be hit by everybody at once.
"""

from collections.abc import Callable
from enum import StrEnum


class BreakerState(StrEnum):
    CLOSED = "closed"  # calls pass
    OPEN = "open"  # calls are refused at once
    HALF_OPEN = "half_open"  # one call at a time is let through to try


class Breaker:
    """Closed, then open after `open_after` failures in a row, then half-open after `retry_after_seconds`.

    Not thread-safe by itself: `Door` holds the lock. `clock` gives seconds that never go back.
    """

    def __init__(self, open_after: int, retry_after_seconds: float, clock: Callable[[], float]) -> None:
        self._open_after = open_after
        self._retry_after_seconds = retry_after_seconds
        self._clock = clock
        self._failures_in_a_row = 0
        self._opened_at: float | None = None
        self._trying = False

    @property
    def state(self) -> BreakerState:
        if self._opened_at is None:
            return BreakerState.CLOSED
        if self._clock() - self._opened_at < self._retry_after_seconds:
            return BreakerState.OPEN
        return BreakerState.HALF_OPEN

    def lets_pass(self) -> bool:
        """Whether a call may go now. When half-open, only one at a time: the caller must then report on it."""
        state = self.state
        if state is BreakerState.HALF_OPEN and not self._trying:
            self._trying = True
            return True
        return state is BreakerState.CLOSED

    def succeeded(self) -> None:
        self._failures_in_a_row = 0
        self._opened_at = None
        self._trying = False

    def failed(self) -> None:
        self._failures_in_a_row += 1
        self._trying = False
        if self._opened_at is not None or self._failures_in_a_row >= self._open_after:
            self._opened_at = self._clock()

    def told_nothing(self) -> None:
        """The call ended for a reason that says nothing about the counterpart (our own bug, an interrupt)."""
        self._trying = False
