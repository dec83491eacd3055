"""What a collector of security events does."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Entry:
    """One event. at: aware. kind: ASCII, such as `document.opened`; sequence: grows by one's own count, above zero;
    is_warning: worth a look; json: one line, ASCII."""

    at: datetime
    kind: str
    sequence: int
    is_warning: bool
    json: str


class Collector(Protocol):
    """Something that keeps what it is given, in the order it is given."""

    name: str
    """What our own records call it; no password. "" when nothing is collected."""

    def send(self, entries: Iterable[Entry]) -> int:
        """Hand all of them over, in order, and return how many.

        Raises `Unavailable` (nothing left) and `OutcomeUnknown` (some left: the same are sent again, and the collector
        knows them by their sequence).
        """

    def check(self) -> None:
        """Return if the counterpart answers; raise `Unavailable` if not."""
