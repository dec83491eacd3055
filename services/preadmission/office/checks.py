"""What an agent would check by hand: keys, dates that must agree, rules of minors. Pure: from what the file holds."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final, Literal, Protocol

from auth.identity import nir
from services.preadmission.answers import AccidentFacts, Coverage, Holders, Maternity, Protector, Situation
from services.preadmission.asked import Facts

Tone = Literal["danger", "warning", "info"]

_PREGNANCY: Final = timedelta(days=280)
_COHERENT: Final = timedelta(days=10)
_OWN_CARD: Final = 16
_MEN, _WOMEN = frozenset("137"), frozenset("248")
"""First sign of a NIR; 7 and 8 are numbers given while waiting, 3 and 4 of people born abroad."""


class Dated(Protocol):
    """A piece, for what is checked of it."""

    kind: str
    state: str
    expires_on: date | None


@dataclass(frozen=True)
class Check:
    """Something that does not agree. code: a key of `wording.CHECKS`. about: what its words name (a piece, a day)."""

    code: str
    tone: Tone
    about: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Seen:
    """What is checked. ends_on: last day of the stay, the day of arrival when nobody said. sex: "F", "M" or "".

    similar: how many other files may be of the same person or stay.
    """

    facts: Facts
    ends_on: date
    sex: str = ""
    pieces: Sequence[Dated] = ()
    late: bool = False
    similar: int = 0


def checks(seen: Seen) -> Sequence[Check]:
    """All that does not agree, the gravest first."""
    found = [check for rule in _RULES for check in rule(seen)]
    return sorted(found, key=lambda each: ("danger", "warning", "info").index(each.tone))


def _cover(seen: Seen) -> Iterator[Check]:
    cover = seen.facts.given(Coverage)
    if cover is None:
        return
    if cover.amo_kind == "french":
        yield from _number(cover, seen)
    if cover.rights_until and cover.rights_until < seen.ends_on:
        yield Check("rights_end", "warning", {"day": cover.rights_until})
    if cover.amc_kind == "private" and cover.amc_until and cover.amc_until < seen.ends_on:
        yield Check("top_up_ends", "warning", {"day": cover.amc_until})
    if cover.insured == "self" and seen.facts.age < _OWN_CARD:
        yield Check("child_insured_alone", "warning")


def _number(cover: Coverage, seen: Seen) -> Iterator[Check]:
    if not cover.nir:
        yield Check("nir_missing", "warning")
        return
    try:
        number = nir.parse(cover.nir)
    except nir.NotANir:
        yield Check("nir_key", "danger")
        return
    if cover.insured != "self" or seen.facts.age < _OWN_CARD:
        return
    if seen.sex and number[0] not in (_MEN if seen.sex == "M" else _WOMEN):
        yield Check("nir_sex", "danger")
    if not _born_as_said(number, seen.facts.born_on):
        yield Check("nir_birth", "danger")


def _born_as_said(number: str, born_on: date | None) -> bool:
    """Year and month of the number against the birth date; a month over 12 stands for one that nobody knew."""
    if born_on is None:
        return True
    year, month = int(number[1:3]), int(number[3:5])
    return year == born_on.year % 100 and (month == born_on.month or not 1 <= month <= 12)


def _pieces(seen: Seen) -> Iterator[Check]:
    for piece in seen.pieces:
        if piece.expires_on and piece.expires_on < seen.ends_on and piece.state not in ("refused", "withdrawn"):
            yield Check("piece_ends", "danger", {"piece": piece.kind, "day": piece.expires_on})


def _minor(seen: Seen) -> Iterator[Check]:
    facts, situation = seen.facts, seen.facts.given(Situation) or Situation()
    if facts.is_minor and not situation.authority:
        yield Check("authority_unsaid", "danger")
    if facts.is_minor and situation.authority == "both":
        holders = facts.given(Holders)
        if holders is None or not holders.second_name:
            yield Check("second_holder_missing", "warning")
    if not facts.is_minor and situation.authority:
        yield Check("adult_with_holders", "warning")
    turns_18 = facts.is_minor and facts.born_on is not None and _after_years(facts.born_on, 18) <= seen.ends_on
    if turns_18:
        yield Check("turns_18", "info")


def _after_years(born_on: date, years: int) -> date:
    try:
        return born_on.replace(year=born_on.year + years)
    except ValueError:  # born on 29 February
        return date(born_on.year + years, 3, 1)


def _protected(seen: Seen) -> Iterator[Check]:
    protector = seen.facts.given(Protector)
    if protector is not None and protector.ends_on and protector.ends_on < seen.ends_on:
        yield Check("measure_ends", "danger", {"day": protector.ends_on})


def _events(seen: Seen) -> Iterator[Check]:
    accident, birth = seen.facts.given(AccidentFacts), seen.facts.given(Maternity)
    if accident is not None and accident.happened_on > seen.facts.planned_on:
        yield Check("accident_after_stay", "danger", {"day": accident.happened_on})
    if birth is None or birth.last_period_on is None:
        return
    if abs(birth.last_period_on + _PREGNANCY - birth.due_on) > _COHERENT:
        yield Check("dates_of_birth_differ", "warning", {"day": birth.due_on})


def _file(seen: Seen) -> Iterator[Check]:
    if seen.similar:
        yield Check("similar", "warning", {"count": seen.similar})
    if seen.late:
        yield Check("late", "info")


_RULES: Final[Iterable[Callable[[Seen], Iterator[Check]]]] = (
    _cover, _pieces, _minor, _protected, _events, _file,
)  # fmt: skip
