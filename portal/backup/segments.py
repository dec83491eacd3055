"""Names of the log's segments: timeline, and place in the log; usually of sixteen megabytes."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

SEGMENT: Final = re.compile(r"[0-9A-F]{24}")
HISTORY: Final = re.compile(r"[0-9A-F]{8}\.history")
PARTIAL: Final = ".partial"
_SPACE: Final = 1 << 32


def number(name: str, size: int) -> int:
    """Which segment this is, whatever its timeline. size: of a segment, in bytes."""
    return int(name[8:16], 16) * (_SPACE // size) + int(name[16:24], 16)


def end_lsn(name: str, size: int) -> str:
    """Where the log goes on after this segment."""
    end = (number(name, size) + 1) * size
    return f"{end >> 32:X}/{end % _SPACE:X}"


def position(lsn: str) -> int:
    """Bytes since the beginning of the log."""
    high, _slash, low = lsn.partition("/")
    return (int(high, 16) << 32) + int(low, 16)


def without_gap(names: Sequence[str], first: int, size: int) -> Iterator[str]:
    """The names whose numbers follow `first` without a hole; several timelines may hold the same number."""
    expected = first
    for name in sorted(names, key=lambda each: number(each, size)):
        found = number(name, size)
        if found > expected:
            return
        if found == expected or found == expected - 1:
            expected = found + 1
            yield name
