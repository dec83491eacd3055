"""A letter beside a patient, trait by trait: what agrees and what differs, for a person who decides. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from services.documents.matching import plain

TRAITS: Final = ("ins", "ipp", "birth_name", "first_name", "birth_on", "sex")
_WEIGHTS: Final = {"ins": 8, "ipp": 6, "birth_on": 3, "birth_name": 3, "first_name": 2, "sex": 1}


@dataclass(frozen=True)
class Described:
    """Somebody, as a letter or as the hospital describes them; "" or None for what is not said. used_name: another name
    that counts as the birth name when a letter confuses the two."""

    ins: str = ""
    ipp: str = ""
    birth_name: str = ""
    first_name: str = ""
    birth_on: date | None = None
    sex: str = ""
    used_name: str = ""


@dataclass(frozen=True)
class Trait:
    """One trait on both sides. agrees: None when one of them does not say it."""

    code: str
    said: str | date | None
    known: str | date | None
    agrees: bool | None


def compare(said: Described, known: Described) -> tuple[Trait, ...]:
    """Every trait, in the order in which a person reads them. Case and accents do not count."""
    return tuple(_trait(code, getattr(said, code), getattr(known, code)) for code in TRAITS)


def _trait(code: str, said: str | date | None, known: str | date | None) -> Trait:
    both = bool(said) and bool(known)
    return Trait(code, said, known, _bare(said) == _bare(known) if both else None)


def _bare(value: str | date | None) -> str | date | None:
    return plain(value) if isinstance(value, str) else value


def is_near(said: Described, known: Described) -> bool:
    """Whether it is worth showing: the same number, or the same day of birth with a name in common. Never who it is."""
    if said.ins and _bare(said.ins) == _bare(known.ins):
        return True
    if said.ipp and said.ipp == known.ipp:
        return True
    if said.birth_on is None or said.birth_on != known.birth_on:
        return False
    names = {plain(name) for name in (known.birth_name, known.used_name) if name}
    return plain(said.birth_name) in names or (
        bool(said.first_name) and plain(said.first_name) == plain(known.first_name)
    )


def closeness(traits: Sequence[Trait]) -> int:
    """For the order in which they are shown: what agrees less what differs."""
    return sum(_WEIGHTS[each.code] * (1 if each.agrees else -1) for each in traits if each.agrees is not None)
