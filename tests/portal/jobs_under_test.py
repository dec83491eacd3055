"""Jobs that tests watch."""

import threading

from portal import jobs
from portal.establishments import Establishment
from portal.gateways import Unavailable

stop_at = ""
runs: list[str] = []


@jobs.task("tests.add")
def add(name: str) -> None:
    """Looks, calls a door, then adds one hospital: a doubled effect would be seen."""
    runs.append(name)
    with jobs.reading() as current:
        current.connection()
    _pass("door")
    with jobs.effect() as current:
        current.add(Establishment(finess=f"{name}-{len(runs)}-{stop_at}", name=name))
        current.flush()
        _pass("effect")
    _pass("done")


@jobs.task("tests.fail")
def fail(name: str) -> None:
    """Fails the first time, in the middle of its effect."""
    runs.append(name)
    with jobs.effect() as current:
        current.add(Establishment(finess=name, name=name))
        current.flush()
        if len(runs) == 1:
            raise ZeroDivisionError


@jobs.task("tests.twice")
def twice(name: str) -> None:
    """Tries to take effect twice."""
    for each in ("first", "second"):
        with jobs.effect() as current:
            current.add(Establishment(finess=f"{name} {each}", name=name))


@jobs.task("tests.find_the_door_closed")
def find_the_door_closed(name: str) -> None:
    """Its door is away; named otherwise, it breaks by itself."""
    raise Unavailable("away") if name == "away" else ZeroDivisionError


@jobs.periodic("0 0 1 1 *", "tests.tick")
def tick() -> None:
    runs.append("tick")


def _pass(stage: str) -> None:
    if stage == stop_at:
        print(stage, flush=True)
        threading.Event().wait()
