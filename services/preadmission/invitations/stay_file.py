"""The hospital's CSV file of planned stays, read line by line: UTF-8, `;`, one stay a line. Pure: writes nothing.

A file that is not one is refused as a whole; a line that is wrong is refused alone, with the reason.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from portal import delimited
from portal.delimited import Row
from services.preadmission.invitations.actions import Expected
from services.preadmission.kinds import STAY_KINDS

COLUMNS: Final = (
    "finess", "uf", "visit_number", "planned_on", "stay_kind", "ipp", "birth_name", "first_name", "birth_on", "email",
    "cancelled",
)  # fmt: skip
_NEEDED: Final = ("finess", "uf", "visit_number", "planned_on", "stay_kind", "birth_name", "first_name", "birth_on")
_LONGEST: Final = 200
_NUMBER: Final = re.compile(r"[A-Za-z0-9._/-]{1,40}", re.ASCII)
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_MAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class _Wrong(Exception):
    """One line is wrong; the text says why."""


@dataclass(frozen=True, repr=False)  # a log line must not name a person
class StayLine:
    """One line that holds together. uf: the unit's number. is_cancelled: the stay will not take place."""

    line: int
    finess: str
    uf: str
    planned_on: date
    stay_kind: str
    expected: Expected
    is_cancelled: bool


@dataclass(frozen=True)
class Refusal:
    """A line that was left out, and why; never a trait."""

    line: int
    visit_number: str
    why: str


def read(path: Path) -> Iterator[StayLine | Refusal]:
    """The file's lines, one at a time. Raises NotSuchAFile before the first line when the file is not one."""
    with delimited.opened(path) as file:
        file.need(COLUMNS)
        for row in file:
            yield _line(row)


def _line(row: Row) -> StayLine | Refusal:
    try:
        if row.wrong:
            raise _Wrong(row.wrong)
        _check(row.cells)
        return _stay(row)
    except _Wrong as wrong:
        return Refusal(row.number, row.cells.get("visit_number", "")[:40], str(wrong))


def _check(found: dict[str, str]) -> None:
    for name in COLUMNS:
        if "\x00" in found[name] or len(found[name]) > _LONGEST:
            raise _Wrong(f"{name}: too long, or not a text")
    for name in _NEEDED:
        if not found[name]:
            raise _Wrong(f"{name}: missing")
    for name in ("visit_number", "ipp"):
        if found[name] and not _NUMBER.fullmatch(found[name]):
            raise _Wrong(f"{name}: 1 to 40 letters, digits, dots, hyphens, slashes")
    if found["stay_kind"] not in STAY_KINDS:
        raise _Wrong(f"stay_kind: {', '.join(STAY_KINDS)}")
    if found["email"] and not _MAIL.fullmatch(found["email"]):
        raise _Wrong("email: not an address")
    if found["cancelled"] not in ("", "0", "1"):
        raise _Wrong("cancelled: 1, 0 or nothing")


def _stay(row: Row) -> StayLine:
    found = row.cells
    expected = Expected(
        found["birth_name"], found["first_name"], _day(found, "birth_on"), found["visit_number"], found["ipp"],
        found["email"],
    )  # fmt: skip
    return StayLine(
        row.number, found["finess"], found["uf"], _day(found, "planned_on"), found["stay_kind"], expected,
        found["cancelled"] == "1",
    )  # fmt: skip


def _day(found: dict[str, str], name: str) -> date:
    try:
        if not _DAY.fullmatch(found[name]):
            raise ValueError
        return date.fromisoformat(found[name])
    except ValueError:
        raise _Wrong(f"{name}: a day written 2027-03-12") from None
