"""Misfortunes by a seed: the same payments meet the same ones, however the threads of a run are interleaved."""

import threading
from collections import Counter
from collections.abc import Sequence
from random import Random

from portal.gateways.payments.payfip_twin.faults import Faults, Trouble


class Dice:
    """Draws for `Faults.odds`. Each draw depends on the seed, on what it is about and on how many went before it
    for the same thing, so on nothing that a scheduler decides."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._thrown: Counter[str] = Counter()
        self._lock = threading.Lock()

    def falls(self, what: str, whom: str) -> bool:
        """Whether this misfortune falls on `whom` now."""
        odds = self._faults.odds.get(what, 0.0)
        return odds > 0 and self._throw(what, whom).random() < odds

    def trouble(self, operation: str, whom: str) -> str:
        """The `Trouble` that falls on this call, or "": one at most."""
        named = {trouble: self._faults.odds.get(f"{operation}.{trouble}", 0.0) for trouble in Trouble}
        if not any(named.values()):
            return ""
        drawn = self._throw(operation, whom).random()
        for trouble, odds in named.items():
            drawn -= odds
            if drawn < 0:
                return trouble
        return ""

    def one_of(self, choices: Sequence[tuple[str, str]], what: str, whom: str) -> tuple[str, str]:
        return self._throw(what, whom).choice(choices)

    def _throw(self, what: str, whom: str) -> Random:
        about = f"{what}/{whom}"
        with self._lock:
            self._thrown[about] += 1
            nth = self._thrown[about]
        return Random(f"{self._faults.seed}/{about}/{nth}")  # noqa: S311 - misfortunes, not secrets
