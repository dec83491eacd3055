"""The one line of a drill."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.drills import readers
from tests.drills.history import History
from tests.drills.place import Place


@dataclass
class Outcome:
    """broken: what was broken, and how often. wrong: reader → what does not hold. figures: what was measured."""

    broken: dict[str, int] = field(default_factory=dict)
    checked: list[str] = field(default_factory=list)
    wrong: dict[str, list[str]] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)

    def check(self, name: str, trouble: list[str] | str) -> None:
        """One more promise, and what is wrong with it (nothing: it holds)."""
        self.checked.append(name)
        if trouble:
            self.wrong[name] = [trouble] if isinstance(trouble, str) else trouble[:5]

    def read(self, place: Place, history: History, but: tuple[str, ...] = ()) -> None:
        """Let the separate reader look at everything."""
        self.checked += [name for name in readers.READERS if name not in but]
        self.wrong |= readers.wrong(place, history, but)
        self.figures |= {
            "operations": history.counts(), "requests_lost": history.lost(), "answered_5xx": history.unavailable(),
        }  # fmt: skip


Drill = Callable[[int, int], Outcome]
"""Seed and rounds → what came of it."""


def run(name: str, drill: Drill, seed: int, rounds: int) -> bool:
    """Print the drill's line; whether everything held."""
    began = time.monotonic()
    outcome = drill(seed, rounds)
    line = {
        "name": name, "seed": seed, "rounds": rounds, "broken": outcome.broken, "checked": outcome.checked,
        "outcome": "broken" if outcome.wrong else "held", "wrong": outcome.wrong, "figures": outcome.figures,
        "seconds": round(time.monotonic() - began, 1),
    }  # fmt: skip
    print(json.dumps(line, ensure_ascii=False, default=str), flush=True)
    return not outcome.wrong
