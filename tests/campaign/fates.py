"""What becomes of a payment in a campaign: each fate is one way in which real payments go, and go wrong."""

from collections.abc import Callable
from random import Random

from tests.campaign.payers import Payer, idop_of

Fate = Callable[[Payer], None]


def pays(payer: Payer) -> None:
    _pay(payer, "P")


def pays_and_never_comes_back(payer: Payer) -> None:
    payer.decide(payer.leave(), "P")


def accepts_a_debit(payer: Payer) -> None:
    _pay(payer, "V")


def tries_again(payer: Payer) -> None:
    _pay(payer, payer.draw.choice("RZA"))
    _pay(payer, "P")


def pays_after_all(payer: Payer) -> None:
    """Refused or abandoned, then paid on the same operation: the bank changed its mind."""
    page = payer.leave()
    back = payer.decide(page, payer.draw.choice("RZA"))
    if back and payer.draw.random() < 0.5:
        payer.come_back(back)
    if back:
        payer.bank.order("decide", idop=idop_of(page), code="P")


def pays_in_two_tabs(payer: Payer) -> None:
    first = payer.leave()
    payer.minutes_pass(21)
    second = payer.leave()
    for back in [payer.decide(page, "P") for page in {first, second}]:
        if back and payer.draw.random() < 0.5:
            payer.come_back(back)


def goes_away(payer: Payer) -> None:
    """The page is never opened; a quarter of an hour later nobody can."""
    page = payer.leave()
    if payer.draw.random() < 0.5:
        payer.bank.order("expire", idop=idop_of(page))
        payer.decide(page, "P")


def meets_a_result_of_tomorrow(payer: Payer) -> None:
    """A code that nobody knows, and for some a payment after it."""
    page = payer.leave()
    back = payer.decide(page, "A")
    if not back:
        return
    payer.bank.order("decide", idop=idop_of(page), code="Q")
    payer.come_back(back)
    if payer.draw.random() < 0.5:
        payer.bank.order("decide", idop=idop_of(page), code="P")


FATES: dict[Fate, int] = {
    pays: 48,
    pays_and_never_comes_back: 16,
    accepts_a_debit: 8,
    tries_again: 8,
    pays_after_all: 6,
    pays_in_two_tabs: 6,
    goes_away: 5,
    meets_a_result_of_tomorrow: 3,
}
"""Fate → how many in a hundred."""


def drawn(seed: int, count: int) -> list[Fate]:
    """One fate a payment; among a few payments, each fate falls once at least."""
    draw = Random(seed)
    once = list(FATES)[:count]
    fates = once + draw.choices(list(FATES), list(FATES.values()), k=count - len(once))
    draw.shuffle(fates)
    return fates


def _pay(payer: Payer, code: str) -> None:
    back = payer.decide(payer.leave(), code)
    if back:
        payer.come_back(back)
