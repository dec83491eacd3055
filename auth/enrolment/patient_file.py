"""The hospital's CSV file of patients, read line by line: UTF-8, `;`, one patient a line. Pure: writes nothing.

A file that is not one is refused as a whole; a line that is wrong is refused alone, with the reason.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from auth.identity import nir, traits
from auth.models import IDENTITY_STATUSES
from portal import delimited
from portal.delimited import Row

COLUMNS: Final = (
    "finess", "ipp", "birth_name", "first_names", "used_name", "birth_on", "sex", "birthplace", "ins", "ins_oid",
    "ins_status", "email", "mobile", "deceased_on",
)  # fmt: skip
_NEEDED: Final = ("finess", "ipp", "birth_name", "first_names", "birth_on")
_LONGEST: Final = 200
_IPP: Final = re.compile(r"[A-Za-z0-9._/-]{1,40}", re.ASCII)
_INS_OIDS: Final = frozenset(f"1.2.250.1.213.1.4.{end}" for end in (8, 9, 10, 11))
_TEST_OIDS: Final = frozenset({"1.2.250.1.213.1.4.10", "1.2.250.1.213.1.4.11"})
_MAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_MOBILE: Final = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)


class _Wrong(Exception):
    """One line is wrong; the text says why."""


@dataclass(frozen=True, repr=False)  # a log line must not name a person
class PatientLine:
    """One line that holds together, traits verbatim."""

    line: int
    finess: str
    ipp: str
    birth_name: str
    first_names: tuple[str, ...]
    used_name: str
    birth_on: date
    birth_on_raw: str
    sex: str
    birthplace_insee: str
    birthcountry_insee: str
    ins: str
    ins_oid: str
    identity_status: str
    email: str
    mobile: str
    deceased_on: date | None

    @property
    def key(self) -> tuple[str, str]:
        return self.finess, self.ipp


@dataclass(frozen=True)
class Refusal:
    """A line that was left out, and why; never a trait."""

    line: int
    ipp: str
    why: str


def read(path: Path, *, production: bool) -> Iterator[PatientLine | Refusal]:
    """The file's lines, one at a time. Raises NotSuchAFile before the first line when the file is not one."""
    with delimited.opened(path) as file:
        file.need(COLUMNS)
        for row in file:
            yield _line(row, production)


def _line(row: Row, production: bool) -> PatientLine | Refusal:
    try:
        if row.wrong:
            raise _Wrong(row.wrong)
        _check(row.cells, production)
        return _patient(row.number, row.cells)
    except _Wrong as wrong:
        return Refusal(row.number, row.cells.get("ipp", "")[:_LONGEST], str(wrong))


def _check(found: dict[str, str], production: bool) -> None:
    for name in COLUMNS:
        if "\x00" in found[name] or len(found[name]) > _LONGEST:
            raise _Wrong(f"{name}: too long, or not a text")
    for name in _NEEDED:
        if not found[name]:
            raise _Wrong(f"{name}: missing")
    if not _IPP.fullmatch(found["ipp"]):
        raise _Wrong("ipp: 1 to 40 letters, digits, dots, hyphens, slashes")
    if found["sex"] not in ("F", "M", ""):
        raise _Wrong("sex: F, M or nothing")
    if found["birthplace"] and not traits.is_cog(found["birthplace"]):
        raise _Wrong("birthplace: five characters of the INSEE code, 99xxx abroad")
    if found["email"] and not _MAIL.fullmatch(found["email"]):
        raise _Wrong("email: not an address")
    if found["mobile"] and not _MOBILE.fullmatch(found["mobile"]):
        raise _Wrong("mobile: written +33612345678")
    _check_ins(found, production)


def _check_ins(found: dict[str, str], production: bool) -> None:
    if found["ins_status"] and found["ins_status"] not in IDENTITY_STATUSES:
        raise _Wrong(f"ins_status: {', '.join(IDENTITY_STATUSES)}")
    if not found["ins"]:
        if found["ins_status"] == "QUAL":
            raise _Wrong("ins: missing, though the identity is said to be qualified")
        return
    try:
        nir.parse(found["ins"])
    except nir.NotANir:
        raise _Wrong("ins: fifteen characters with the right key") from None
    if found["ins_oid"] not in _INS_OIDS:
        raise _Wrong("ins_oid: an authority of the national identity")
    if production and found["ins_oid"] in _TEST_OIDS:
        raise _Wrong("ins_oid: a test identity in production")


def _patient(number: int, found: dict[str, str]) -> PatientLine:
    birth_on, raw = _birth(found["birth_on"])
    abroad = found["birthplace"].startswith("99")
    return PatientLine(
        line=number,
        finess=found["finess"],
        ipp=found["ipp"],
        birth_name=found["birth_name"],
        first_names=tuple(found["first_names"].split(",")) if "," in found["first_names"] else _spaced(found),
        used_name=found["used_name"],
        birth_on=birth_on,
        birth_on_raw=raw,
        sex=found["sex"],
        birthplace_insee="" if abroad else found["birthplace"],
        birthcountry_insee=found["birthplace"] if abroad else "99100" if found["birthplace"] else "",
        ins=found["ins"],
        ins_oid=found["ins_oid"] if found["ins"] else "",
        identity_status=found["ins_status"] or "PROV",
        email=found["email"],
        mobile=found["mobile"],
        deceased_on=_day("deceased_on", found["deceased_on"]) if found["deceased_on"] else None,
    )


def _spaced(found: dict[str, str]) -> tuple[str, ...]:
    """First names separated by spaces, as INSi writes them; by commas when one of them holds a space."""
    return tuple(found["first_names"].split())


def _birth(written: str) -> tuple[date, str]:
    try:
        return traits.day_and_raw(written)
    except ValueError:
        raise _Wrong("birth_on: a day as YYYY-MM-DD, 00 for an unknown month or day") from None


def _day(name: str, written: str) -> date:
    try:
        day, raw = traits.day_and_raw(written)
    except ValueError:
        raise _Wrong(f"{name}: a day as YYYY-MM-DD") from None
    if raw:
        raise _Wrong(f"{name}: a whole day")
    return day
