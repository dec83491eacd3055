"""The national health identity (INS): whose number it is, and whether it can be one.

A number is never a reason to refuse a document here: official examples carry wrong keys. The doubts are told, and the
room decides (RNIV, "identitovigilance"; the number of an INS is a NIR or a NIA, with its two-digit key).
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final


class InsOid(StrEnum):
    """The authority that assigned the number (FRCore Patient INS profile)."""

    NIR = "1.2.250.1.213.1.4.8"
    NIA = "1.2.250.1.213.1.4.9"
    TEST = "1.2.250.1.213.1.4.10"
    DEMO = "1.2.250.1.213.1.4.11"

    @property
    def is_fictitious(self) -> bool:
        """Numbers of tests and demonstrations: a production portal files nothing under them."""
        return self in (InsOid.TEST, InsOid.DEMO)


INS_OIDS: Final = frozenset(InsOid)


class InsDoubt(StrEnum):
    """What looks wrong about a number, without proving that it is."""

    FORM = "form"  # not 13 characters and a key
    KEY = "key"
    SEX = "sex"  # the first digit says neither man nor woman
    MONTH = "month"
    OID = "oid"  # assigned by nobody we know


_FORM: Final = re.compile(r"[0-9]{5}(?:[0-9]{2}|2[AB])[0-9]{8}")
_SEXES: Final = frozenset("123478")  # 3, 4: being registered; 7, 8: provisional
_MONTHS: Final = frozenset([*range(1, 13), *range(20, 43), *range(50, 100)])  # above 12: month of birth unknown


def key_of(number: str) -> int:
    """Compute the key of the 13 first characters: 97 - n mod 97, Corsica's 2A and 2B counted as 19 and 18."""
    return 97 - int(number.upper().replace("2A", "19").replace("2B", "18")) % 97


def doubts_about(number: str, oid: str) -> tuple[InsDoubt, ...]:
    """List what looks wrong about a 15-character INS; empty when nothing does."""
    number = number.upper()
    found: list[InsDoubt] = [] if oid in INS_OIDS else [InsDoubt.OID]
    if not _FORM.fullmatch(number):
        return (*found, InsDoubt.FORM)
    if key_of(number[:13]) != int(number[13:]):
        found.append(InsDoubt.KEY)
    if number[0] not in _SEXES:
        found.append(InsDoubt.SEX)
    if int(number[3:5]) not in _MONTHS:
        found.append(InsDoubt.MONTH)
    return tuple(found)
