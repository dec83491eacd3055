"""The billing system's CSV file, read line by line: UTF-8, `;`, one bill a line. Pure: writes nothing.

A file that is not one (a column is missing, another encoding) is refused as a whole; a line that is wrong is refused
alone, with the reason. Nights bring hundreds of thousands of lines: what is usual is checked first, and at once.
"""

import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from math import log2
from pathlib import Path
from typing import Final, NamedTuple

from portal import delimited
from services.billing.access_keys import plain
from services.billing.models import CLOSINGS, SOURCES

COLUMNS: Final = (
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
OPTIONAL: Final = ("bill_source", "birth_on", "closed")
ALL: Final = (*COLUMNS, *OPTIONAL)
LONGEST_TEXT: Final = 200

MIN_KEY_BITS: Final = 40
"""A shorter key could be found by trying (reference, section 2: access without account)."""
_FEWEST_SIGNS: Final = 4
"""Different ones in a key: a random one of eight has fewer once in ten thousand letters at most."""

_REFDET = re.compile(r"[A-Za-z0-9]{6,30}", re.ASCII)
_BLANKS = re.compile(r"[\s/._-]")
_YEAR = re.compile(r"[0-9]{4}", re.ASCII)
_CODE = re.compile(r"[A-Za-z0-9._-]{0,40}", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_LONGEST_AMOUNT = 12


class Wrong(Exception):
    """One line is wrong; the text says why."""


class BillLine(NamedTuple):
    """One line that holds together. Amounts in cents; `ipp` empty when the file names no patient. closed: the bill is
    asked for no more (`models.CLOSINGS`), or ""."""

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
    ipp: str = ""
    access_key: str = ""
    bill_source: str = ""
    birth_on: date | None = None
    closed: str = ""

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.finess, self.source, self.exer, self.reference

    def __repr__(self) -> str:  # a log line must name neither a person nor a key
        return f"BillLine({self.line})"


class Refusal(NamedTuple):
    """A line that was left out, and why. finess: "" when the line does not tell it."""

    line: int
    reference: str
    why: str
    finess: str = ""


class LeftOut(NamedTuple):
    """A line that is none of the portal's business, such as a titre that an insurance owes."""

    finess: str


Line = BillLine | Refusal | LeftOut


def read(source: Path | bytes) -> Iterator[BillLine | Refusal]:
    """The lines of a file, or of what one holds. Raises NotSuchAFile before the first when it is not such a file."""
    with delimited.opened(source) as file:
        file.need(COLUMNS)
        for number, cells, wrong in file.picked(ALL):
            yield Refusal(number, "", wrong) if wrong else _line(number, cells)


def _line(number: int, cells: tuple[str, ...]) -> BillLine | Refusal:
    try:
        line = _bill(number, cells)
        check(line)
    except Wrong as wrong:
        return Refusal(number, cells[3][:LONGEST_TEXT], str(wrong), cells[0][:LONGEST_TEXT])
    return line


def _bill(number: int, cells: tuple[str, ...]) -> BillLine:
    if not "".join(cells).isprintable() or max(map(len, cells)) > LONGEST_TEXT:
        for name, text in zip(ALL, cells, strict=True):
            check_text(name, text)
    finess, source, exer, reference, refdet, label, unit, care_on, issued_on, due_on, *rest = cells
    total_cents, amo_cents, amc_cents, due_cents, ipp, access_key, bill_source, birth_on, closed = rest
    return BillLine(
        number,
        needed("finess", finess),
        needed("source", source),
        needed("exer", exer),
        needed("reference", reference),
        refdet or _BLANKS.sub("", reference),
        needed("label", label),
        unit,
        _day("care_on", care_on) if care_on else None,
        _day("issued_on", needed("issued_on", issued_on)),
        _day("due_on", due_on) if due_on else None,
        _cents("total_cents", needed("total_cents", total_cents)),
        _cents("amo_cents", amo_cents or "0"),
        _cents("amc_cents", amc_cents or "0"),
        _cents("due_cents", needed("due_cents", due_cents)),
        ipp,
        access_key,
        bill_source,
        _day("birth_on", birth_on) if birth_on else None,
        closed,
    )


# -- what any line must be, whatever file it comes from ----------------------------------------------------------


def check(line: BillLine) -> None:
    """Raises Wrong."""
    if line.source not in SOURCES:
        raise Wrong(f"source: {', '.join(SOURCES)}")
    if not _YEAR.fullmatch(line.exer):
        raise Wrong("exer: four digits")
    if not _REFDET.fullmatch(line.refdet):
        raise Wrong("refdet: 6 to 30 letters and digits")
    if line.amo_cents + line.amc_cents + line.due_cents > line.total_cents:
        raise Wrong("amo_cents, amc_cents and due_cents add up to more than total_cents")
    if line.closed and line.closed not in CLOSINGS:
        raise Wrong(f"closed: nothing, or {' or '.join(CLOSINGS)}")
    if line.bill_source and not _CODE.fullmatch(line.bill_source):
        raise Wrong("bill_source: 40 letters, digits, dots or dashes at most")
    if line.access_key:
        _check_key(line.access_key, line.reference)


def _check_key(key: str, reference: str) -> None:
    """A key that somebody could guess is worse than none: the bill would look protected."""
    bare = plain(key)
    if strength(bare) < MIN_KEY_BITS or len(set(bare)) < _FEWEST_SIGNS or bare == plain(reference):
        raise Wrong(f"access_key: too easy to guess, {MIN_KEY_BITS} random bits at least (8 letters and digits)")


def strength(bare: str) -> float:
    """Bits of a random key of these signs. Without a digit it may still have been drawn among 32 letters and digits,
    as one key of eight in fifteen is: five bits a sign, then."""
    return len(bare) * (log2(10) if bare.isdigit() else 5)


def needed(name: str, text: str) -> str:
    """The text. Raises Wrong when there is none."""
    if not text:
        raise Wrong(f"{name}: missing")
    return text


def check_text(name: str, text: str) -> None:
    """Raises Wrong for what no screen could show; rare spaces and invisible hyphens are let through."""
    if len(text) > LONGEST_TEXT or any(unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") for sign in text):
        raise Wrong(f"{name}: too long, or not a text")


def _cents(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > _LONGEST_AMOUNT:
        raise Wrong(f"{name}: a whole number of cents")
    return int(text)


def _day(name: str, text: str) -> date:
    found = day(text)
    if found is None:
        raise Wrong(f"{name}: a day as YYYY-MM-DD")
    return found


@lru_cache(4096)
def day(text: str) -> date | None:
    """A day as YYYY-MM-DD, or None. The same few days come back on every line."""
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None
