"""Letters that carry their own words (CDA): a room that can read them offers to, any room may show them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portal import files
from portal.files import StoredFile


@dataclass(frozen=True)
class Part:
    """A section: its title, its level from 1, and its text, made of markup that can do nothing."""

    title: str
    level: int
    html: Any


@dataclass(frozen=True)
class Letter:
    """What a letter says of itself. kind: its type in words; parts: none when it only carries a file; has_file: it
    carries one (`inside`), of which media_type is the type."""

    title: str
    kind: str
    at: datetime
    author: str
    parts: Sequence[Part] = ()
    media_type: str = ""
    inside: bytes = b""


Reader = Callable[[bytes], Letter | None]
"""The bytes of a file → the letter; None when it is none."""
_readers: list[Reader] = []


def offer(reader: Reader) -> None:
    """A room can read letters."""
    if reader not in _readers:
        _readers.append(reader)


def read(stored: StoredFile) -> Letter | None:
    """None for what is no letter. Raises FileNotReadable unless the antivirus accepted it."""
    if stored.media_type != "text/xml":
        return None
    data = b"".join(files.open_(stored))
    return next((letter for reader in _readers if (letter := reader(data))), None)
