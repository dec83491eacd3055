"""What a scanner does."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the scanner says of one file. `scanned` is False when no scanner is configured: clean by default.

    `signature` names what was found, in the scanner's words; empty when clean.
    """

    clean: bool
    signature: str = ""
    scanned: bool = True

    @property
    def infected(self) -> bool:
        return not self.clean


class Scanner(Protocol):
    """Something that reads a file and says whether it is harmful."""

    def scan(self, chunks: Iterable[bytes]) -> Verdict:
        """Read all the chunks. Raises `Unavailable` (no verdict: the file stays unreadable), `Refused` ("size")."""

    def check(self) -> None:
        """Return if the scanner answers; raise `Unavailable` if not."""
