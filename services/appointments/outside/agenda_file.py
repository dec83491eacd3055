"""The hospital agenda's CSV files, read line by line: UTF-8, `;`, one session or one busy time a line. Pure.

A file that is neither (a column is missing, another encoding) is refused as a whole; a line that is wrong is refused
alone, with the reason. docs/appointments-imports.md describes both files.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path

from portal import delimited
from portal.delimited import Delimited, Row
from services.appointments import slots

TIMES = ("finess", "external_id", "rpps", "start_at", "end_at", "state", "said_at")
SESSIONS = (
    "finess", "external_id", "uf", "rpps", "day", "opens", "closes", "step_min", "reasons", "capacity", "state",
    "said_at",
)  # fmt: skip
_LONGEST_ID = 100
_LONGEST_TEXT = 2000

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_CLOCK = re.compile(r"[0-9]{2}:[0-9]{2}", re.ASCII)
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})?", re.ASCII)
_YEARS = range(2020, 2100)


class Wrong(Exception):
    """One line is wrong; the text says why."""


@dataclass(frozen=True)
class TimeLine:
    """A practitioner is busy, or not any more. start_at, end_at: with an offset, or the hospital's wall clock."""

    line: int
    finess: str
    external_id: str
    rpps: str
    start_at: datetime
    end_at: datetime
    is_busy: bool
    said_at: datetime

    @property
    def key(self) -> tuple[str, str]:
        return self.finess, self.external_id


@dataclass(frozen=True)
class SessionLine:
    """A practitioner receives, or not any more, between two wall-clock times of the hospital."""

    line: int
    finess: str
    external_id: str
    uf: str
    rpps: str
    day: date
    opens: time
    closes: time
    step_min: int
    reasons: tuple[str, ...]
    capacity: int
    is_open: bool
    said_at: datetime

    @property
    def key(self) -> tuple[str, str]:
        return self.finess, self.external_id


@dataclass(frozen=True)
class Refusal:
    """A line that was left out, and why."""

    line: int
    external_id: str
    why: str


Line = TimeLine | SessionLine


def read(path: Path) -> Iterator[Line | Refusal]:
    """The file's lines, one at a time. Raises NotSuchAFile before the first line when the file is not one."""
    with delimited.opened(path) as file:
        reader = _kind(file)
        for row in file:
            yield _line(row, reader)


_Reader = Callable[[int, dict[str, str]], Line]


def _kind(file: Delimited) -> _Reader:
    """Which of the two files it is, by its columns."""
    wanted, reader = (SESSIONS, _session) if "opens" in file.header else (TIMES, _time)
    file.need(wanted)
    return reader


def _line(row: Row, reader: _Reader) -> Line | Refusal:
    try:
        if row.wrong:
            raise Wrong(row.wrong)
        if any("\x00" in cell or len(cell) > _LONGEST_TEXT for cell in row.cells.values()):
            raise Wrong("a cell is too long, or not a text")
        return reader(row.number, row.cells)
    except Wrong as wrong:
        return Refusal(row.number, row.cells.get("external_id", "")[:_LONGEST_ID], str(wrong))


# -- the two kinds of lines --------------------------------------------------------------------------------------


def _time(number: int, found: dict[str, str]) -> TimeLine:
    _need(found, TIMES)
    line = TimeLine(
        number,
        found["finess"],
        _external_id(found),
        found["rpps"],
        _moment(found, "start_at"),
        _moment(found, "end_at"),
        _one_of(found, "state", {"busy": True, "free": False}),
        _said_at(found),
    )
    if (line.start_at.tzinfo is None) != (line.end_at.tzinfo is None):
        raise Wrong("start_at, end_at: both with an offset, or none")
    return line


def _session(number: int, found: dict[str, str]) -> SessionLine:
    _need(found, [name for name in SESSIONS if name not in ("reasons", "capacity")])
    names = tuple(sorted({name.strip() for name in found["reasons"].split("|") if name.strip()}))
    line = SessionLine(
        number,
        found["finess"],
        _external_id(found),
        found["uf"],
        found["rpps"],
        _day(found, "day"),
        _clock(found, "opens"),
        _clock(found, "closes"),
        _whole(found, "step_min", slots.STEPS_MIN),
        names,
        _whole(found, "capacity", range(1, 100), "1"),
        _one_of(found, "state", {"open": True, "removed": False}),
        _said_at(found),
    )
    if line.is_open and not names:
        raise Wrong("reasons: at least one, separated by |")
    return line


def _need(found: dict[str, str], names: Sequence[str]) -> None:
    for name in names:
        if not found[name]:
            raise Wrong(f"{name}: missing")


def _external_id(found: dict[str, str]) -> str:
    if len(found["external_id"]) > _LONGEST_ID:
        raise Wrong(f"external_id: at most {_LONGEST_ID} characters")
    return found["external_id"]


def _one_of(found: dict[str, str], name: str, meanings: dict[str, bool]) -> bool:
    if found[name] not in meanings:
        raise Wrong(f"{name}: {' or '.join(meanings)}")
    return meanings[found[name]]


def _whole(found: dict[str, str], name: str, allowed: Sequence[int], default: str = "") -> int:
    text = found[name] or default
    if not (text.isascii() and text.isdecimal() and len(text) <= 3 and int(text) in allowed):
        said = ", ".join(map(str, allowed)) if len(allowed) < 10 else f"{allowed[0]} to {allowed[-1]}"
        raise Wrong(f"{name}: {said}")
    return int(text)


def _day(found: dict[str, str], name: str) -> date:
    try:
        if not _DAY.fullmatch(found[name]):
            raise ValueError
        return _this_century(date.fromisoformat(found[name]), name)
    except ValueError:
        raise Wrong(f"{name}: a day as YYYY-MM-DD") from None


def _clock(found: dict[str, str], name: str) -> time:
    try:
        if not _CLOCK.fullmatch(found[name]):
            raise ValueError
        return time.fromisoformat(found[name])
    except ValueError:
        raise Wrong(f"{name}: a time as HH:MM") from None


def _moment(found: dict[str, str], name: str) -> datetime:
    try:
        if not _MOMENT.fullmatch(found[name]):
            raise ValueError
        moment = datetime.fromisoformat(found[name])
    except ValueError:
        raise Wrong(f"{name}: a moment as YYYY-MM-DDTHH:MM, with an offset such as +01:00 or none") from None
    _this_century(moment.date(), name)
    return moment


def _said_at(found: dict[str, str]) -> datetime:
    moment = _moment(found, "said_at")
    if moment.tzinfo is None:
        raise Wrong("said_at: with an offset, such as +01:00 or Z")
    return moment


def _this_century(day: date, name: str) -> date:
    if day.year not in _YEARS:
        raise Wrong(f"{name}: between {_YEARS.start} and {_YEARS.stop - 1}")
    return day
