"""Units among which a practitioner chooses: what they take, where, how soon, how one reaches them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from portal.establishments import Unit
from services.offer import queries as directory
from services.offer import specialities
from services.offer.surroundings import Sheet
from services.offer.words import folded
from services.referrals import queries
from services.referrals.actions.sending import age_on
from services.referrals.models import ReferralOffer

DELAYS: Final = (7, 15, 30, 60)
"""Days within which one is usually seen."""


@dataclass(frozen=True)
class Sieve:
    """What a practitioner narrows the list by; empty: whatever. finess: of a hospital. days: one of DELAYS."""

    speciality: str = ""
    finess: str = ""
    town: str = ""
    days: int = 0
    for_wheelchairs: bool = False

    @property
    def is_empty(self) -> bool:
        return self == Sieve()


@dataclass(frozen=True)
class Choices:
    """What may be chosen to narrow the list: only what finds something."""

    specialities: Sequence[tuple[str, str]]
    hospitals: Sequence[tuple[str, str]]
    towns: Sequence[str]


@dataclass(frozen=True)
class Listed:
    """suiting: the soonest first. other_age: how many units do not receive people of that age."""

    suiting: Sequence[ReferralOffer]
    choices: Choices
    other_age: int


def listed(kind: str, birth_on: date, sieve: Sieve) -> Listed:
    """What units take of that kind for somebody born that day."""
    every = queries.open_offers(kind)
    fitting = [each for each in every if each.takes_age(age_on(birth_on, each))]
    suiting = sorted((each for each in fitting if _suits(each, sieve)), key=_soonest)
    return Listed(suiting, _choices(fitting), len(every) - len(fitting))


def _suits(offer: ReferralOffer, sieve: Sieve) -> bool:
    site = offer.unit.site
    return (
        sieve.speciality in ("", offer.speciality)
        and sieve.finess in ("", offer.establishment.finess)
        and sieve.town in ("", site.town)
        and (not sieve.days or (offer.usual_days is not None and offer.usual_days <= sieve.days))
        and (site.for_wheelchairs or not sieve.for_wheelchairs)
    )


def _soonest(offer: ReferralOffer) -> tuple[bool, int, str, str]:
    days = offer.usual_days
    return days is None, days or 0, folded(offer.unit.name), folded(offer.name)


def _choices(offers: Sequence[ReferralOffer]) -> Choices:
    codes = {each.speciality for each in offers if specialities.is_code(each.speciality)}
    named = [(code, specialities.words_of(code)) for code in codes]
    hospitals = {(each.establishment.finess, each.establishment.name) for each in offers}
    towns = {each.unit.site.town for each in offers} - {""}
    return Choices(
        sorted(named, key=lambda each: folded(each[1])),
        sorted(hospitals, key=lambda each: folded(each[1])),
        sorted(towns, key=folded),
    )


def numbers(offers: Sequence[ReferralOffer]) -> Mapping[UUID, str]:
    """Offer → which number to call for it: its own, the unit's for professionals, the unit's, the hospital's."""
    found = directory.reaching({each.unit_id for each in offers if not each.phone}, "professional")
    return {each.id: each.phone or _number(each, found) for each in offers}


def _number(offer: ReferralOffer, found: Mapping[UUID, tuple[Unit, Sheet]]) -> str:
    known = found.get(offer.unit_id)
    return directory.phone_of(*known, "professional") if known else offer.call
