"""Passwords that thieves try first: the commonest ones, which come with the portal, and those known from leaks, which
an operator fetches.

Both are SHA-1 digests in hexadecimal, sorted, one a line, with or without `:` and a number after them: the format in
which Have I Been Pwned publishes Pwned Passwords. `PORTAL_LEAKED_PASSWORDS` is that one file, or the folder of its
ranges (`21BD1.txt`, or without `.txt`: what follows those five digits, one a line). Nothing is asked outside. What
cannot be read refuses nobody: it is told in the log, and `parvis check` says what is wrong.
"""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import structlog

log = structlog.get_logger(__name__)

COMMON: Final = Path(__file__).parent / "common_passwords.txt"
"""The five thousand commonest ones of twelve characters or more (see `common_passwords.LICENSE`)."""
_PREFIX: Final = 5
_SAMPLES: Final = 64
_LONGEST: Final = 100
_LINE: Final = re.compile(rb"([0-9A-Fa-f]+)(?::\d+)?\r?\n?")
_WELL_KNOWN: Final = ("password", "azerty")
"""Every set of leaked passwords holds these."""


class Unreadable(Exception):
    """Not a file in this format. The message says why, for operators."""


class _Place:
    leaked: Path | None = None


def configure(leaked: str) -> None:
    """Where the leaked passwords are; "" when there are none."""
    _Place.leaked = Path(leaked) if leaked else None


def known(password: str) -> str:
    """`common`, `leaked`, or "" for a password that is in neither set."""
    if any(_is_in(COMMON, each) for each in {password, password.casefold()}):
        return "common"
    if _Place.leaked is None:
        return ""
    try:
        return "leaked" if _is_in(_Place.leaked, password) else ""
    except (OSError, Unreadable) as error:
        log.error("leaked_passwords.unreadable", error=type(error).__name__)
        return ""


def trouble(leaked: str) -> str:
    """What is wrong with the file or the folder of leaked passwords, for `parvis check`; "" when nothing is."""
    place = Path(leaked)
    try:
        if place.is_file():
            _check_order(place)
        missing = [each for each in _WELL_KNOWN if not _is_in(place, each)]
    except OSError as error:
        return f"cannot be read ({error.strerror or type(error).__name__})"
    except Unreadable as error:
        return str(error)
    return f"not whole: “{missing[0]}” is not in it" if missing else ""


def digest(password: str) -> str:
    """As these sets write it. No trust rests on SHA-1 here: what is looked for is public."""
    return hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()


def _is_in(place: Path, password: str) -> bool:
    wanted = digest(password)
    if not place.is_dir():
        return _holds(place, wanted, len(wanted))
    start = wanted[:_PREFIX]
    found = next((each for each in (place / f"{start}.txt", place / start) if each.is_file()), None)
    if found is None:
        raise Unreadable("a range is missing in this folder: fetch it again, whole")
    return _holds(found, wanted[_PREFIX:], len(wanted) - _PREFIX)


def _holds(path: Path, wanted: str, width: int) -> bool:
    """By halves, on the disk: the whole file has a thousand million lines."""
    with path.open("rb") as file:
        low, high = 0, file.seek(0, 2)
        while low < high:
            middle = (low + high) // 2
            found = _at_or_after(file, middle, width)
            if found and found < wanted:
                low = middle + 1
            else:
                high = middle
        return _at_or_after(file, low, width) == wanted


def _at_or_after(file: BinaryIO, position: int, width: int) -> str:
    """The digest of the first line that begins there or further; "" after the last one. Raises Unreadable."""
    file.seek(max(position - 1, 0))
    if position:
        file.readline(_LONGEST)
    line = file.readline(_LONGEST)
    if not line:
        return ""
    read = _LINE.fullmatch(line)
    if read is None or len(read[1]) != width:
        raise Unreadable("not sorted SHA-1 digests, one a line, as Pwned Passwords are published")
    return read[1].decode().upper()


def _check_order(path: Path) -> None:
    with path.open("rb") as file:
        read = list(_sampled(file))
    if not read:
        raise Unreadable("empty")
    if read != sorted(read):
        raise Unreadable("not sorted by digest: take the file “ordered by hash”")


def _sampled(file: BinaryIO) -> Iterator[str]:
    size = file.seek(0, 2)
    for part in range(_SAMPLES):
        if read := _at_or_after(file, size * part // _SAMPLES, 40):
            yield read
