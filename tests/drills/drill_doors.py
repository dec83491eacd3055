"""doors.bad: each counterpart refused, silent, slow, cut, garbled, replaced or overloaded, while people go on."""

import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from random import Random
from statistics import median

from tests.drills import readers, world
from tests.drills.history import OK, History
from tests.drills.line import Trouble
from tests.drills.people import ALL, Crowd, busy
from tests.drills.place import Place, place
from tests.drills.report import Outcome

_CALM_S, _BAD_S, _SILENT_S = 5.0, 10.0, 25.0
"""Silence is kept for longer than most doors wait."""
_READERS = 3
"""Of the people, those who only read: whoever waits for a door says nothing of the pages."""
_PATIENCE_S = 300.0
_RECOVERS_WITHIN_S = 180.0
_TIMES_SLOWER, _AND_S = 2.0, 0.3
"""How much slower the middle page may be than when all is well, in the same minutes."""
_LONGEST_S = 16.0
"""The longest limit of a door that pages wait for is fifteen seconds."""
_NEXT = ("réessay", "recommenc", "plus tard", "attend", "voir tous", "try again", "later", "contact", "choisi", "autre")
"""Words of a page that says what to do."""


def bad(seed: int, rounds: int) -> Outcome:
    """Reading pages stay up and quick, messages say what to do, and nothing is lost once the lines heal."""
    draw, outcome = Random(seed), Outcome()
    acting, reading = History(), History()
    with place(s3=True) as here:
        with here.app.app_context():
            address = f"mllp://127.0.0.1:{here.lines['hospital'].port}"
            crowd = world.fill(6 + _READERS, 2 + rounds // 2, 2 + rounds // 2, hospital=address)
        here.start()
        turns = list(product(here.lines, Trouble))
        draw.shuffle(turns)
        busy_ones, readers_only = (replace(crowd, people=some) for some in _parted(crowd.people))
        with (
            Crowd(here, busy_ones, acting, seed, ALL, pause_s=0.5, patience_s=_PATIENCE_S),
            Crowd(here, readers_only, reading, seed, {"read": 1}, pause_s=0.2),
        ):
            time.sleep(4 * _CALM_S)  # the first pages of a process are slow
            _in_turn(here, turns[:rounds], outcome, reading)
        outcome.check("reading pages stay up", _read_badly(acting) + _read_badly(reading))
        outcome.check("every message says what to do", _useless(acting))
        outcome.check("the portal recovers", _recovers(here, crowd, seed))
        readers.settle(here)
        outcome.check("the hospital knows each appointment, once", _untold(here))
        outcome.read(here, acting)
        outcome.figures["refusals"] = acting.refusals
    return outcome


def _parted(people: Sequence[world.Person]) -> tuple[Sequence[world.Person], Sequence[world.Person]]:
    return people[_READERS:], people[:_READERS]


def _in_turn(here: Place, turns: Sequence[tuple[str, Trouble]], outcome: Outcome, reading: History) -> None:
    calm, bad_ones = [_calm(reading)], []
    for door, trouble in turns:
        here.lines[door].fail(trouble)
        began = time.monotonic()
        time.sleep(_SILENT_S if trouble is Trouble.SILENT else _BAD_S)
        here.lines[door].heal()
        until, name = time.monotonic(), f"{door} {trouble}"
        outcome.broken[name] = outcome.broken.get(name, 0) + 1
        time.sleep(1)
        bad_ones.append((name, reading.seconds("read", began, until)))
        calm.append(_calm(reading))
    slow = []
    for (name, took), before, after in zip(bad_ones, calm, calm[1:], strict=False):
        usual = median(before + after)  # what else the machine does changes from one minute to the next
        if median(took) > usual * _TIMES_SLOWER + _AND_S or max(took) > _LONGEST_S:
            slow.append(f"{name}: {median(took):.2f} s, at most {max(took):.1f}; {usual:.2f} when all is well")
    outcome.check("reading pages stay quick", slow)
    well = [("all is well", [took for moment in calm for took in moment])]
    outcome.figures["read_s"] = {name: _spread(took) for name, took in well + bad_ones}


def _calm(reading: History) -> list[float]:
    """How long pages take now that everybody answers."""
    began = time.monotonic()
    time.sleep(_CALM_S)
    return reading.seconds("read", began)


def _spread(took: list[float]) -> dict[str, float]:
    ordered = sorted(took)
    return {
        "pages": len(ordered), "median": round(median(ordered), 2),
        "p95": round(ordered[int(0.95 * (len(ordered) - 1))], 2), "most": round(ordered[-1], 2),
    }  # fmt: skip


def _read_badly(history: History) -> list[str]:
    return [f"{each.facts['path']}: {each.status or 'no answer'}" for each in history.all("read") if each.outcome != OK]


def _useless(history: History) -> list[str]:
    return [f"{what}: {words}" for what, words in history.refusals.items()
            if not any(each in words.lower() for each in _NEXT)]  # fmt: skip


def _recovers(here: Place, crowd: world.World, seed: int) -> str:
    """Each thing that people do works again: a door is left alone for 30 s after it failed."""
    until, left = time.monotonic() + _RECOVERS_WITHIN_S, {"upload", "pay", "sign_in", "book"}
    while left and time.monotonic() < until:
        again = History()
        with busy(here, crowd, again, seed + int(time.monotonic()), ("send", "pay", "sign_in", "book")):
            time.sleep(3)
        left -= {each.name for each in again.all() if each.outcome == OK}
    return f"no {', '.join(sorted(left))}" if left else ""


def _untold(here: Place) -> list[str]:
    """What each side has: the hospital's agenda and ours."""
    ours = {each for (each,) in here.sql(_FOLLOWED)}
    theirs = {each.placer for each in here.hospital.agenda.appointments.values() if each.state == "booked"}
    return [f"appointment {each} is on one side alone" for each in sorted(ours ^ theirs)]


_FOLLOWED = (
    "select reference from appointment where state = 'booked' and establishment_id in"
    " (select establishment_id from follower where kind = 'his')"
)
DRILLS = {"doors.bad": (bad, 42)}
