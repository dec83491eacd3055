"""Identity traits: how two descriptions of people compare, and the keys to search them.

Traits are kept verbatim: an INS search compares hyphens (INS guide, "traits stricts"). What is normalised here is
derived, for searches and comparisons alone, and never replaces them.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Protocol

from sqlalchemy import event

from auth.models import Patient

NAME: Final = "birth_name"
FIRST_NAME: Final = "first_name"
BIRTH_DATE: Final = "birth_date"
SEX: Final = "sex"
BIRTHPLACE: Final = "birthplace"
TRAITS: Final = (NAME, FIRST_NAME, BIRTH_DATE, SEX, BIRTHPLACE)

# Official geographic code (COG): two digits of the department (2A and 2B are Corsica), three of the commune; overseas
# 97x and 98x with two more; 99 and three digits for a country or territory abroad.
_COG: Final = re.compile(r"(?:0[1-9]|[1-8][0-9]|9[0-5]|2[AB])[0-9]{3}|9[78][0-9]{3}|99[0-9]{3}", re.ASCII)
_RAW_DAY: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", re.ASCII)


class Described(Protocol):
    """Whatever carries the five strict traits: a patient, a line of a file."""

    birth_name: Any
    first_names: Any
    birth_on: Any
    birth_on_raw: Any
    sex: Any
    birthplace_insee: Any


@dataclass(frozen=True, repr=False)
class Traits:
    """The five strict traits, verbatim. birth_on_raw: "1992-00-00" when a part of the day is unknown."""

    birth_name: str
    first_names: Sequence[str]
    birth_on: date
    sex: str = ""
    birthplace_insee: str = ""
    birth_on_raw: str = ""


def key(name: str) -> str:
    """A name without accents, case, spaces, hyphens or apostrophes: LE GOFF and Le-Goff are found together."""
    return "".join(sign for sign in unicodedata.normalize("NFKD", name).upper() if sign.isalnum())


def first_key(first_names: Sequence[str]) -> str:
    """The key of the first first name, which hospitals know best."""
    return key(first_names[0]) if first_names else ""


def differences(one: Described, other: Described) -> tuple[str, ...]:
    """The traits that differ, by code. An unknown sex or birthplace differs from nothing; names by their keys."""
    differ = (
        (NAME, key(one.birth_name) != key(other.birth_name)),
        (FIRST_NAME, first_key(one.first_names) != first_key(other.first_names)),
        (BIRTH_DATE, not _same_day(one, other)),
        (SEX, _known_and_different(one.sex, other.sex)),
        (BIRTHPLACE, _known_and_different(one.birthplace_insee, other.birthplace_insee)),
    )
    return tuple(trait for trait, is_different in differ if is_different)


def is_cog(code: str) -> bool:
    """Whether this has the form of an INSEE place of birth (five characters, overseas and Corsica included)."""
    return bool(_COG.fullmatch(code))


def day_and_raw(written: str) -> tuple[date, str]:
    """A birth day from "1992-11-05", or with an unknown day or month ("1992-11-00") the first one possible and the
    text as it was written, "" when nothing is unknown. Raises ValueError.
    """
    found = _RAW_DAY.fullmatch(written)
    if not found:
        raise ValueError("a day is written YYYY-MM-DD")
    year, month, day = (int(part) for part in found.groups())
    if month == 0 and day != 0:
        raise ValueError("a day without its month")
    return date(year, month or 1, day or 1), written if not (month and day) else ""


def _same_day(one: Described, other: Described) -> bool:
    """An unknown part of a day is compared with nothing."""
    known = [
        (mine, theirs)
        for mine, theirs in zip(_parts(one), _parts(other), strict=True)
        if int(mine) != 0 and int(theirs) != 0
    ]
    return all(mine == theirs for mine, theirs in known)


def _parts(described: Described) -> list[str]:
    """As it was written while that says the same day: what one source ignored, another may have told since."""
    raw, born = described.birth_on_raw or "", described.birth_on.isoformat()
    return (raw if raw.endswith("-00") and raw.replace("-00", "-01") == born else born).split("-")


def _known_and_different(one: str, other: str) -> bool:
    return bool(one and other and one != other)


@event.listens_for(Patient, "before_insert")
@event.listens_for(Patient, "before_update")
def _write_keys(_mapper: Any, _connection: Any, patient: Patient) -> None:
    """Whoever writes the names, their keys follow."""
    patient.name_key, patient.first_key = key(patient.birth_name), first_key(patient.first_names)
