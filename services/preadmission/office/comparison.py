"""How the traits of one person compare between sources: FranceConnect, what was typed, the card, the hospital.

Pure. A difference is told by its nature: a clerk settles a missing accent alone, and calls the identity unit when two
descriptions may be two people.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal

from auth.identity import traits

Verdict = Literal["equal", "spelling", "particle", "used_name", "order", "fewer", "different", "unknown"]
"""`spelling`: accents, capitals, hyphens, apostrophes, spaces. `particle`: de, la, van… is there once. `used_name`: one
source gives as birth name what the other gives as name of use. `order`: the same first names, otherwise ordered.
`fewer`: one source has the first of them alone. `unknown`: a source says nothing."""

TRAITS: Final = ("birth_name", "used_name", "first_names", "birth_on", "sex")
NEAR: Final = frozenset({"spelling", "particle", "used_name", "order", "fewer"})
_GRAVITY: Final[Mapping[str, int]] = {"unknown": 0, "equal": 1} | dict.fromkeys(NEAR, 2) | {"different": 3}
_PARTICLES: Final = frozenset(
    {"D", "DA", "DAS", "DE", "DEL", "DELLA", "DEN", "DER", "DES", "DI", "DO", "DOS", "DU", "EL", "L", "LA", "LE", "LES",
     "TEN", "TER", "VAN", "VON", "ZU"}
)  # fmt: skip
_WORDS: Final = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Description:
    """One person as one source describes them, first names in its order; "" and None: it does not say."""

    birth_name: str = ""
    used_name: str = ""
    first_names: Sequence[str] = ()
    birth_on: date | None = None
    sex: str = ""


@dataclass(frozen=True)
class Line:
    """One trait: what each source says, and how each compares with the first one that says something."""

    trait: str
    values: Mapping[str, str]
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)

    @property
    def worst(self) -> Verdict:
        """The gravest of its differences."""
        return max(self.verdicts.values(), key=lambda each: _GRAVITY[each], default="unknown")


def lines(sources: Mapping[str, Description]) -> Sequence[Line]:
    """One line for each trait. sources: in order of authority; the first that says something is the reference."""
    return [_line(trait, sources) for trait in TRAITS]


def _line(trait: str, sources: Mapping[str, Description]) -> Line:
    values = {source: _told(trait, each) for source, each in sources.items()}
    reference = next((source for source, value in values.items() if value), None)
    if reference is None:
        return Line(trait, values)
    verdicts = {
        source: compare(trait, sources[reference], each) for source, each in sources.items() if source != reference
    }
    return Line(trait, values, verdicts)


def _told(trait: str, person: Description) -> str:
    value = getattr(person, trait)
    if trait == "first_names":
        return ", ".join(value)
    return value.isoformat() if isinstance(value, date) else (value or "")


def compare(trait: str, one: Description, other: Description) -> Verdict:
    """How one trait compares; the same whichever comes first."""
    if trait == "first_names":
        return first_names(one.first_names, other.first_names)
    mine, theirs = getattr(one, trait), getattr(other, trait)
    if not mine or not theirs:
        return "unknown"
    if trait in ("birth_on", "sex"):
        return "equal" if mine == theirs else "different"
    verdict = names(mine, theirs)
    if verdict == "different" and trait == "birth_name" and _is_used_name(one, other):
        return "used_name"
    return verdict


def names(one: str, other: str) -> Verdict:
    """Two family names, the same whichever comes first."""
    if not one.strip() or not other.strip():
        return "unknown"
    if _letters(one) == _letters(other):
        return "equal"
    if _key(one) == _key(other):
        return "spelling"
    return "particle" if _core(one) == _core(other) and _core(one) else "different"


def first_names(one: Sequence[str], other: Sequence[str]) -> Verdict:
    """Two lists of first names, the same whichever comes first."""
    mine, theirs = [each for each in one if each.strip()], [each for each in other if each.strip()]
    if not mine or not theirs:
        return "unknown"
    if [_letters(each) for each in mine] == [_letters(each) for each in theirs]:
        return "equal"
    keys, others = [_key(each) for each in mine], [_key(each) for each in theirs]
    if "".join(keys) == "".join(others):
        return "spelling"
    if sorted(keys) == sorted(others):
        return "order"
    shortest = min(len(keys), len(others))
    return "fewer" if keys[:shortest] == others[:shortest] else "different"


def split(typed: str) -> tuple[str, ...]:
    """First names as an agent types them: by commas, else by spaces; a hyphen holds two names together."""
    parts = typed.split(",") if "," in typed else typed.split()
    return tuple(each.strip() for each in parts if each.strip())


def _is_used_name(one: Description, other: Description) -> bool:
    pairs = ((one.birth_name, other.used_name), (one.used_name, other.birth_name))
    return any(mine and theirs and names(mine, theirs) in ("equal", "spelling") for mine, theirs in pairs)


def _letters(name: str) -> str:
    """To the letter, but for capitals, spaces around and the two ways Unicode writes an accent or an apostrophe."""
    return " ".join(unicodedata.normalize("NFC", name).replace("’", "'").upper().split())


def _key(name: str) -> str:
    """As searches compare names; a name of signs alone, or of none of ours, is compared to the letter."""
    return traits.key(name) or _letters(name)


def _core(name: str) -> str:
    """The key of the name without its particles."""
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", name) if not unicodedata.combining(sign)).upper()
    return "".join(traits.key(word) for word in _WORDS.findall(plain) if word not in _PARTICLES)
