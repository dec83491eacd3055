"""web.kill: web processes die of SIGKILL while people use them, one of the group or all of it."""

import os
import signal
import time
from contextlib import suppress
from random import Random

from tests.drills import readers, world
from tests.drills.history import History
from tests.drills.people import ALL, Crowd
from tests.drills.place import Place, place
from tests.drills.report import Outcome

_ALL_OF_THEM = 12
"""One death in so many takes the whole group, which is started again as systemd does."""
_PATIENCE_S = 300.0
"""Who asks again must meet a portal that is there: loading it takes half a minute on a machine with much else to do."""


def kill(seed: int, rounds: int) -> Outcome:
    """Drill 1: I1 to I6, I8 and I9 hold after `rounds` deaths."""
    draw, outcome, history = Random(seed), Outcome(), History()
    with place() as here:
        with here.app.app_context():
            crowd = world.fill(6, 4 + rounds // 8, 3 + rounds // 10)
        here.start()
        back = []
        with Crowd(here, crowd, history, seed, ALL, patience_s=_PATIENCE_S):
            for turn in range(rounds):
                time.sleep(0.2 + draw.random() * 4)
                back += _die(here, draw, outcome, whole=turn % _ALL_OF_THEM == _ALL_OF_THEM - 1)
            time.sleep(1)
        readers.settle(here)
        outcome.read(here, history)
        outcome.figures |= {"back_after_s": [round(each, 2) for each in back]}
    return outcome


def _die(here: Place, draw: Random, outcome: Outcome, *, whole: bool) -> list[float]:
    what = "web group" if whole else "web process"
    outcome.broken[what] = outcome.broken.get(what, 0) + 1
    if not whole:
        if children := here.web.children():
            with suppress(ProcessLookupError):
                os.kill(draw.choice(children), signal.SIGKILL)
        return []
    here.web.kill()
    began = time.monotonic()
    here.web.start()
    here.ready()
    return [time.monotonic() - began]


DRILLS = {"web.kill": (kill, 100)}
