"""What may be shown of a figure, and for how long. Pure.

An estimate is never a promise: it is a range, in quarters of an hour, never narrower than what was measured; few
people are "few"; and what is old is not shown at all.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from portal.kpi.disclosure import LEAST
from services.attendance import states

STEP_MIN: Final = 15
LONGEST_MIN: Final = 24 * 60
MOST_PEOPLE: Final = 999
USUAL_LIFE_MIN: Final = 30
"""How long a figure is shown after it was measured, unless the hospital says otherwise."""
LEAST_LIFE_MIN, MOST_LIFE_MIN = 5, 240
AHEAD: Final = timedelta(minutes=5)
"""By how much another system's clock may be fast."""
OLDEST: Final = timedelta(days=1)
"""A figure that is older tells nobody anything."""
FEW: Final = LEAST


@dataclass(frozen=True)
class Told:
    """What is said of a department at a moment. minutes: (from, to), the range of waiting before a doctor; None: not
    known. message: language → words."""

    measured_at: datetime
    state: str
    waiting: int | None = None
    minutes: tuple[int, int] | None = None
    message: Mapping[str, str] = field(default_factory=dict)


class NotAFigure(ValueError):
    """What was said makes no sense; says which part."""


_DIRECTION: Final = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)))
"""Signs that turn what follows round: a telephone number would be read from its end."""


def plain(words: str) -> str:
    """Words as they may be shown: no control but the end of a line, nothing that turns them round. Raises NotAFigure
    with `message`: a sign that is half of another."""
    if any("\ud800" <= each <= "\udfff" for each in words):
        raise NotAFigure("message")
    kept = "".join(each for each in words.translate(_DIRECTION) if each == "\n" or unicodedata.category(each) != "Cc")
    return kept.strip()


def checked(told: Told, now: datetime) -> Told:
    """The same, once it makes sense. Raises NotAFigure with `state`, `waiting`, `minutes`, `measured_at`."""
    if told.state not in states.STATES:
        raise NotAFigure("state")
    if told.waiting is not None and not 0 <= told.waiting <= MOST_PEOPLE:
        raise NotAFigure("waiting")
    if told.minutes is not None and not 0 <= told.minutes[0] <= told.minutes[1] <= LONGEST_MIN:
        raise NotAFigure("minutes")
    if not now - OLDEST <= told.measured_at <= now + AHEAD:
        raise NotAFigure("measured_at")
    return told


def shown_minutes(minutes: tuple[int, int] | None) -> tuple[int, int] | None:
    """The range to show, in whole quarters of an hour: it holds the given one and is never empty."""
    if minutes is None:
        return None
    begins = minutes[0] // STEP_MIN * STEP_MIN
    ends = -(-minutes[1] // STEP_MIN) * STEP_MIN
    return begins, max(ends, begins + STEP_MIN)


def is_fresh(measured_at: datetime, life_min: int, now: datetime) -> bool:
    """Whether it may still be shown."""
    return now < valid_until(measured_at, life_min)


def valid_until(measured_at: datetime, life_min: int) -> datetime:
    return measured_at + timedelta(minutes=life_min)


def life(chosen: str) -> int:
    """Minutes, from a hospital's setting; the usual ones when it says nothing that makes sense."""
    if chosen.isascii() and chosen.isdecimal() and LEAST_LIFE_MIN <= int(chosen) <= MOST_LIFE_MIN:
        return int(chosen)
    return USUAL_LIFE_MIN
