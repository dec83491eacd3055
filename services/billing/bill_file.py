"""The billing system's CSV file, read line by line: UTF-8, `;`, one bill a line. Pure: writes nothing.

A file that is not one (a column is missing, another encoding) is refused as a whole; a line that is wrong is refused
alone, with the reason.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from portal import delimited
from portal.delimited import Row
from services.billing.models import SOURCES

COLUMNS = (
    "finess",
    "source",
    "exer",
    "reference",
    "refdet",
    "label",
    "unit",
    "care_on",
    "issued_on",
    "due_on",
    "total_cents",
    "amo_cents",
    "amc_cents",
    "due_cents",
    "ipp",
    "access_key",
)
_NEEDED = ("finess", "source", "exer", "reference", "label", "issued_on", "total_cents", "due_cents")
_TEXTS = ("finess", "source", "exer", "reference", "label", "unit", "ipp")
_LONGEST_TEXT = 200

_REFDET = re.compile(r"[A-Za-z0-9]{6,30}", re.ASCII)
_YEAR = re.compile(r"[0-9]{4}", re.ASCII)
_CENTS = re.compile(r"[0-9]{1,12}", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


class _Wrong(Exception):
    """One line is wrong; the text says why."""


@dataclass(frozen=True)
class BillLine:
    """One line that holds together. Amounts in cents; `ipp` empty when the file names no patient."""

    line: int
    finess: str
    source: str
    exer: str
    reference: str
    refdet: str
    label: str
    unit: str
    care_on: date | None
    issued_on: date
    due_on: date | None
    total_cents: int
    amo_cents: int
    amc_cents: int
    due_cents: int
    ipp: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.finess, self.source, self.exer, self.reference


@dataclass(frozen=True)
class Refusal:
    """A line that was left out, and why."""

    line: int
    reference: str
    why: str


def read(path: Path) -> Iterator[BillLine | Refusal]:
    """The file's lines, one at a time. Raises NotSuchAFile before the first line when the file is not one."""
    with delimited.opened(path) as file:
        file.need(COLUMNS)
        for row in file:
            yield _line(row)


def _line(row: Row) -> BillLine | Refusal:
    try:
        if row.wrong:
            raise _Wrong(row.wrong)
        return _bill(row.number, row.cells)
    except _Wrong as wrong:
        return Refusal(row.number, row.cells.get("reference", "")[:_LONGEST_TEXT], str(wrong))


def _bill(number: int, found: dict[str, str]) -> BillLine:
    for name in COLUMNS:
        if "\x00" in found[name] or len(found[name]) > _LONGEST_TEXT:
            raise _Wrong(f"{name}: too long, or not a text")
    for name in _NEEDED:
        if not found[name]:
            raise _Wrong(f"{name}: missing")
    if found["source"] not in SOURCES:
        raise _Wrong(f"source: {', '.join(SOURCES)}")
    if not _YEAR.fullmatch(found["exer"]):
        raise _Wrong("exer: four digits")
    line = BillLine(
        line=number,
        refdet=_refdet(found),
        care_on=_day(found, "care_on"),
        issued_on=_needed_day(found, "issued_on"),
        due_on=_day(found, "due_on"),
        total_cents=_cents(found, "total_cents"),
        amo_cents=_cents(found, "amo_cents"),
        amc_cents=_cents(found, "amc_cents"),
        due_cents=_cents(found, "due_cents"),
        **{name: found[name] for name in _TEXTS},
    )
    if line.amo_cents + line.amc_cents + line.due_cents > line.total_cents:
        raise _Wrong("amo_cents, amc_cents and due_cents add up to more than total_cents")
    return line


def _refdet(found: dict[str, str]) -> str:
    """What PayFiP is told: the bill's own reference unless the file names another."""
    refdet = found["refdet"] or re.sub(r"[\s/._-]", "", found["reference"])
    if not _REFDET.fullmatch(refdet):
        raise _Wrong("refdet: 6 to 30 letters and digits")
    return refdet


def _cents(found: dict[str, str], name: str) -> int:
    text = found[name] or "0"
    if not _CENTS.fullmatch(text):
        raise _Wrong(f"{name}: a whole number of cents")
    return int(text)


def _day(found: dict[str, str], name: str) -> date | None:
    return _needed_day(found, name) if found[name] else None


def _needed_day(found: dict[str, str], name: str) -> date:
    try:
        if not _DAY.fullmatch(found[name]):
            raise ValueError
        return date.fromisoformat(found[name])
    except ValueError:
        raise _Wrong(f"{name}: a day as YYYY-MM-DD") from None
