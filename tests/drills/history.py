"""What each person asked, and what they were told: invoke, then ok, fail or unknown. Checked later on."""

import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

OK, FAIL, UNKNOWN = "ok", "fail", "unknown"


@dataclass
class Operation:
    """One thing that somebody wanted. tries: requests that it took; lost: those that nobody answered; unavailable:
    those answered 503 or 500. facts: what the portal acknowledged."""

    person: int
    name: str
    asked_at: float
    outcome: str = UNKNOWN
    ended_at: float = 0.0
    tries: int = 0
    lost: int = 0
    unavailable: int = 0
    status: int = 0
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        return self.ended_at - self.asked_at


class History:
    """Everything that was asked; safe to share between threads."""

    def __init__(self) -> None:
        self._operations: list[Operation] = []
        self._lock = threading.Lock()
        self.rudeness: list[str] = []
        self.refusals: dict[str, str] = {}
        """What was asked and its status → what the page said."""
        self.beyond: set[str] = set()
        """What a restored portal cannot know, or has lost: payments (their names at the bank) and files (their keys)
        of the moments after the last one that was kept."""

    @contextmanager
    def invoke(self, person: int, name: str) -> Iterator[Operation]:
        """An operation that is unknown until somebody says otherwise."""
        operation = Operation(person, name, time.monotonic())
        with self._lock:
            self._operations.append(operation)
        try:
            yield operation
        finally:
            operation.ended_at = time.monotonic()

    def rude(self, what: str) -> None:
        """An error page that shows what is inside, or none at all."""
        with self._lock:
            self.rudeness.append(what)

    def told(self, what: str, words: str) -> None:
        """An answer that is not what was asked for, and its words."""
        with self._lock:
            self.refusals[what] = words

    def forget(self, operations: Collection[Operation]) -> None:
        """They were acknowledged within the time that may be lost, and were lost."""
        gone = {id(each) for each in operations}
        with self._lock:
            self._operations = [each for each in self._operations if id(each) not in gone]

    def all(self, name: str = "") -> Sequence[Operation]:
        with self._lock:
            return [each for each in self._operations if each.ended_at and name in ("", each.name)]

    def acknowledged(self, name: str) -> Sequence[Operation]:
        return [each for each in self.all(name) if each.outcome == OK]

    def counts(self) -> dict[str, dict[str, int]]:
        """Name → outcome → how many."""
        found: dict[str, Counter[str]] = {}
        for each in self.all():
            found.setdefault(each.name, Counter())[each.outcome] += 1
        return {name: dict(counter) for name, counter in sorted(found.items())}

    def lost(self) -> int:
        """Requests that nobody answered."""
        return sum(each.lost for each in self.all())

    def unavailable(self) -> int:
        """Requests that were answered 500 or 503."""
        return sum(each.unavailable for each in self.all())

    def seconds(self, name: str, since: float, until: float = float("inf")) -> list[float]:
        """How long each took of those that were asked in that time, the quickest first."""
        return sorted(each.seconds for each in self.all(name) if since <= each.asked_at < until)

    def slowest(self, name: str, since: float = 0.0) -> float:
        return max((each.seconds for each in self.all(name) if each.asked_at >= since), default=0.0)
