"""What this person, for this stay, must answer and send: pure, from what is known so far."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final, TypeVar

from services.preadmission.answers import Answers, Coverage, Directives, Identity, Room, Situation, Trust
from services.preadmission.kinds import FOR_EVERYBODY, KINDS

A = TypeVar("A", bound=Answers)

ORDER: Final = (
    "stay", "situation", "identity", "doctor", "coverage", "accident", "maternity", "holders", "protector", "relative",
    "trust", "room", "directives", "choices", "pieces", "check",
)  # fmt: skip
"""The pages, one after the other."""

MINUTES: Final[Mapping[str, int]] = {
    "stay": 1, "situation": 1, "identity": 2, "doctor": 1, "coverage": 3, "accident": 2, "maternity": 2, "holders": 2,
    "protector": 1, "relative": 1, "trust": 2, "room": 2, "directives": 1, "choices": 2, "pieces": 5, "check": 1,
}  # fmt: skip
"""About how long each takes, in minutes: what is left is told as a sum of these."""

ADULT: Final = 18
_OWN_CARD: Final = 16
"""From this age on one has a carte Vitale of one's own (CSS L161-31)."""
_OPERATED: Final = frozenset({"day_case", "inpatient"})
LIVES_LONG: Final = timedelta(days=90)
"""How old a proof of address may be on the day of the stay."""


@dataclass(frozen=True)
class Facts:
    """stay_kind: of `KINDS`. answers: by step, those that were given. options: what the hospital asks besides
    (`address_proof`…)."""

    stay_kind: str
    planned_on: date
    born_on: date | None
    answers: Mapping[str, Answers] = field(default_factory=dict)
    options: frozenset[str] = frozenset()

    def given(self, kind: type[A]) -> A | None:
        """The answers of one step, when they were given."""
        found = self.answers.get(kind.step)
        return found if isinstance(found, kind) else None

    @property
    def age(self) -> int:
        """In whole years on the day of the stay; who has no birth date is an adult."""
        if self.born_on is None:
            return ADULT
        had_birthday = (self.planned_on.month, self.planned_on.day) >= (self.born_on.month, self.born_on.day)
        return self.planned_on.year - self.born_on.year - (not had_birthday)

    @property
    def is_minor(self) -> bool:
        return self.age < ADULT


def steps(facts: Facts) -> tuple[str, ...]:
    """The pages that this person goes through, in order."""
    wanted = FOR_EVERYBODY | KINDS[facts.stay_kind].steps | _by_situation(facts) | {"pieces", "check"}
    # A child has parents, not a person of trust; directives are an adult's (CSP L1111-6, L1111-11).
    return tuple(each for each in ORDER if each in (wanted - {"trust", "directives"} if facts.is_minor else wanted))


def _by_situation(facts: Facts) -> frozenset[str]:
    situation = facts.given(Situation) or Situation()
    found = {
        "accident": situation.accident != "none",
        "holders": facts.is_minor,
        "protector": not facts.is_minor and situation.protection in ("guardianship", "curatorship", "family"),
    }
    return frozenset(step for step, asked in found.items() if asked)


def pieces(facts: Facts) -> Mapping[str, bool]:
    """Kind of piece → True when the file cannot be sent without it."""
    found = {"identity": True}
    if "address_proof" in facts.options:
        found["address_proof"] = True
    found |= {**_of_cover(facts), **_of_person(facts), **KINDS[facts.stay_kind].pieces}
    room = facts.given(Room)
    if "insurer_agreement" in found and room is not None and room.room != "single":
        found.pop("insurer_agreement")
    return found


def _of_cover(facts: Facts) -> dict[str, bool]:
    cover = facts.given(Coverage)
    if cover is None:
        return {"health_card": False, "top_up_card": False}
    own = {
        "french": {"health_card": True},
        "ame": {"ame": True},
        "european": {"european_card": True},
        "convention": {"care_form": True},
        "none": {"payment_guarantee": False},
    }[cover.amo_kind]
    more = {"private": {"top_up_card": True}, "c2s": {"c2s": True}, "none": {}}[cover.amc_kind]
    return {**own, **more}


def _of_person(facts: Facts) -> dict[str, bool]:
    situation = facts.given(Situation) or Situation()
    found: dict[str, bool] = {}
    if situation.accident == "work":
        found["work_accident"] = True
    if facts.is_minor:
        found |= {"family_book": True, "parent_identity": True}
        if situation.authority in ("sole", "third"):
            found["parental_authority"] = True
        if facts.stay_kind in _OPERATED:
            # Signed online by both holders, or on paper: the companions' page says which is still missing.
            found["operating_consent"] = False
    elif situation.protection not in ("none", "safeguard"):
        found |= {"protection_judgement": True, "protector_identity": True}
    trust = facts.given(Trust)
    if not facts.is_minor and trust is not None and trust.wanted == "yes":
        found["trusted_person_form"] = False
    directives = facts.given(Directives)
    if not facts.is_minor and directives is not None and directives.kept == "here":
        found["advance_directives"] = False
    return found


def sent(facts: Facts) -> Mapping[str, Answers]:
    """Step → answers, of the steps that this person is asked now.

    Answers of a step that is no longer asked are kept, should they change their mind, but go nowhere.
    """
    return {step: facts.answers[step] for step in steps(facts) if step in facts.answers}


def missing(facts: Facts, *, pieces_lack: bool) -> frozenset[str]:
    """Pages that are still to be filled in; pieces_lack: a document without which the file cannot be sent is not
    there, or is to be sent again."""
    unanswered = set(steps(facts)) - facts.answers.keys() - {"stay", "pieces", "check"}
    return frozenset(unanswered | ({"pieces"} if pieces_lack else set()))


def minutes(pages: Collection[str]) -> int:
    """About how long these pages take together, with the last look before sending."""
    return sum(MINUTES[page] for page in {*pages, "check"})


def is_reachable(identity: Identity | None) -> bool:
    """Whether the hospital has an e-mail address or a telephone number."""
    return identity is not None and bool(identity.email or identity.phone)


def has_own_card(facts: Facts) -> bool:
    """Whether the carte Vitale asked for is the person's own."""
    return facts.age >= _OWN_CARD
