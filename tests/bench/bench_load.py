"""The busiest hour of a group: signing in, searching, finding a time, booking, sending files with documents, paying,
reading, trays and figures of the staff; real web processes, a worker, PostgreSQL, the simulators of those they call.

load.start: seconds until the web processes answer. load.pages: reading pages alone, as fast as they come, against bare
pages of the same size; in the note, against their own statements played straight through psycopg. load.ceiling: the
whole mix as fast as it comes. load.busy_hour: the mix at SHARE of that, each act when somebody likes: thousands of
sessions (SIZE) for SECONDS; and one line for each act, with its processor time. load.memory: of all web processes at
the end, against the beginning.

Limits on visits are counted in the database, as in production without Redis.
"""

import os
import secrets
import statistics
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import time as hour
from datetime import timedelta
from random import Random

import httpx

from auth import sessions
from auth.models import Patient, WebSession
from portal import config, db
from portal.db import RIGHTS
from services.appointments.models import Reason
from tests.bench.cpu import Memory, Spent, memory, spent
from tests.bench.crowd import MIX, Hour, Seat, Town, live
from tests.bench.harness import Ground, report, served, size
from tests.bench.replay import player, recorded
from tests.drills import world
from tests.drills.people import PAGES
from tests.drills.place import Place, place
from tests.factories import appointments, demonstration, hospitals, people, rooms, shelf
from tests.factories.hospitals import Hospital
from tests.ground import today

NAMES = ("load",)
PEOPLE = 300
SECONDS = 30.0
SHARE = 0.6
PROCESSES = 2
BROWSERS = 8
SEATS = 24
TIMES = 8
_WITH_DOCUMENTS = 100
_DOCTORS = 8
_AGENTS = 6


def run() -> None:
    lasting = float(os.environ.get("SECONDS") or SECONDS)
    with place(PORTAL_ENV="development", PORTAL_WEB_PROCESSES=str(PROCESSES), PORTAL_LOG_LEVEL="CRITICAL") as here:
        with here.app.app_context():
            town = _fill(size(PEOPLE))
        here.sql("vacuum analyze")  # as an idle night does
        _start(here)
        _pages(here, town, lasting / 6)
        costs = _costs(here, town)
        here.workers[:] = [here.worker(0)]
        here.workers[0].start()
        ceiling = live(town, here, BROWSERS, lasting / 3, seed=2)
        report("load.ceiling", ceiling.rate, "requests/s", _bare(here), note=f"{BROWSERS} at once, {_told(ceiling)}")
        _busy_hour(here, town, lasting, ceiling, costs)


# -- what there is ---------------------------------------------------------------------------------------------------


def _fill(persons: int) -> Town:
    """The demonstration, and everybody of the hour."""
    with db.transaction(db.system("bench")):
        groups = demonstration.build()
        rooms.demonstrate(groups)
        where = groups.north
        everybody = world.settle(where, persons, 1, 1)
        reason = db.session.get_one(Reason, everybody.reason_id)
        slots = [*everybody.slots, *_more_times(where, reason)]
        documents = []
        for person in everybody.people[:_WITH_DOCUMENTS]:
            patient = db.session.get_one(Patient, person.patient_id)
            people.known_at(patient, where.establishment.id, f"7{person.number:09d}")
            documents.append((person, f"/documents/{shelf.published(where.establishment, patient).id}"))
        staff = [_agent(groups) for _ in range(_AGENTS)]
    filled = world.World(everybody.establishment_id, everybody.reason_id, slots, everybody.people)
    return Town(filled, documents, staff)


def _more_times(where: Hospital, reason: Reason) -> list[str]:
    """Those of other practitioners, as booking writes them."""
    slots = []
    for number in range(_DOCTORS):
        doctor = hospitals.practitioner(where.unit, f"2{number:010d}", f"NOM {number}", "Prénom")
        for ahead in range(world.DAYS):
            day = today() + timedelta(days=3 + ahead)
            opened = appointments.consultation(where, [reason], day, hour(8), hour(18), practitioner=doctor)
            slots += [f"{opened.id}-{cell}" for cell in range(world.CELLS)]
    return slots


def _agent(groups: demonstration.World) -> Mapping[str, str]:
    """The cookies of somebody who may see every tray of a hospital."""
    agent, token = people.agent(groups.north.establishment.id, *RIGHTS), secrets.token_urlsafe(32)
    expires_at = db.now() + sessions.LIMITS["staff"].absolute
    db.session.add(
        WebSession(digest=sessions.digest(token), account_id=agent.id, provider="proconnect", acr="eidas2", amr="mfa",
                   activity={}, expires_at=expires_at)
    )  # fmt: skip
    db.session.flush()
    return {sessions.cookie_name(secure=False): token}


# -- before the hour -------------------------------------------------------------------------------------------------


def _ground(here: Place) -> Ground:
    return Ground(here.cluster, config.load(here.environment), here.environment)


def _start(here: Place) -> None:
    here.web.start()
    ours = here.ready()
    began = time.perf_counter()
    with served("tests.bench.bare:app", _ground(here)) as bare:
        httpx.get(bare, trust_env=False)
        limit = time.perf_counter() - began
    alone = memory("gunicorn")
    note = f"one master and {PROCESSES} processes, not asked yet: {_megabytes(alone)}"
    report("load.start", ours, "s", limit, lower_is_better=True, note=note)


def _pages(here: Place, town: Town, lasting: float) -> None:
    """Reading alone: the limit of bare pages, and that of the database."""
    only = {"read": 1}
    live(town, here, BROWSERS, 1.0, mix=only)
    ours = live(town, here, BROWSERS, lasting, mix=only)
    straight = _straight(here, town, lasting / 2)
    note = f"{BROWSERS} at once, {_told(ours)}; their statements alone: {straight:.0f} pages/s"
    report("load.pages", ours.rate, "requests/s", _bare(here), note=note)


def _straight(here: Place, town: Town, lasting: float) -> float:
    """Pages a second whose statements the database answers, asked by as many as browsers were."""
    browser = here.app.test_client()
    for name, value in town.world.people[0].cookies.items():
        browser.set_cookie(name, value)
    with recorded(here.app) as statements:
        for path in PAGES:
            browser.get(path)
    until = time.perf_counter() + lasting

    def plays(_number: int) -> int:
        count = 0
        with player(_ground(here), list(statements), writes=False) as play:
            while time.perf_counter() < until:
                play()
                count += len(PAGES)
        return count

    with ThreadPoolExecutor(BROWSERS) as pool:
        return sum(pool.map(plays, range(BROWSERS))) / lasting


def _bare(here: Place, lasting: float = 3.0) -> float:
    """Bare pages a second, of 20 kB, from as many processes to as many browsers."""
    with ExitStack() as opened:
        bases = [opened.enter_context(served("tests.bench.bare:app", _ground(here))) for _ in range(PROCESSES)]
        until = time.perf_counter() + lasting

        def browse(number: int) -> int:
            count = 0
            with httpx.Client(base_url=bases[number % PROCESSES], trust_env=False) as browser:
                while time.perf_counter() < until:
                    browser.get("/").raise_for_status()
                    count += 1
            return count

        with ThreadPoolExecutor(BROWSERS) as pool:
            return sum(pool.map(browse, range(BROWSERS))) / lasting


def _costs(here: Place, town: Town) -> dict[str, tuple[Spent, int]]:
    """Of each act, done so many times by one person after the other: processor time, and requests."""
    seat, costs = Seat(town, here, Random(3)), {}
    for act in MIX:
        seat.do(act)
        seat.told.clear()
        before = spent()
        for _ in range(TIMES):
            seat.do(act)
        costs[act] = spent().since(before), len(seat.told)
        seat.told.clear()
    seat.close()
    return costs


# -- the hour --------------------------------------------------------------------------------------------------------


def _busy_hour(here: Place, town: Town, lasting: float, ceiling: Hour, costs: Mapping[str, tuple[Spent, int]]) -> None:
    rate = ceiling.acts / ceiling.seconds * SHARE
    with Watch(max(1.0, lasting / 60)) as watch:
        before = spent()
        found = live(town, here, SEATS, lasting, rate=rate, seed=4)
        used = spent().since(before)
    note = (
        f"{len(town.world.people)} sessions, {rate:.1f} acts/s asked for, {found.acts / found.seconds:.1f} done,"
        f" {_told(found)}, nobody waited longer than {found.latest:.2f} s for a seat;"
        f" CPU a request: web {used.application / len(found.told) * 1e3:.1f},"
        f" database {used.database / len(found.told) * 1e3:.1f} ms; worker {used.worker / found.seconds:.2f} of a core"
    )
    report("load.busy_hour", found.rate, "requests/s", ceiling.rate, note=note)
    _acts(found, costs)
    watch.report()


def _acts(found: Hour, costs: Mapping[str, tuple[Spent, int]]) -> None:
    """The dearest first: what it takes in an hour of a hundred acts."""
    whole = sum(MIX[act] * (cost.application + cost.database) for act, (cost, _requests) in costs.items())
    for act in sorted(MIX, key=lambda act: -MIX[act] * (costs[act][0].application + costs[act][0].database)):
        cost, requests = costs[act]
        total, part = cost.application + cost.database, found.of(act)
        note = (
            f"{requests / TIMES:.1f} requests; web {cost.application / TIMES * 1e3:.0f}, database"
            f" {cost.database / TIMES * 1e3:.0f} ms; {MIX[act]} of 100 acts, {100 * MIX[act] * total / whole:.0f} % of"
            f" the hour's processor time; {_told(part)}"
        )
        report(
            f"load.{act}",
            total / TIMES * 1e3,
            "ms of CPU an act",
            cost.database / TIMES * 1e3,
            lower_is_better=True,
            note=note,
        )


class Watch:
    """Looks at the memory of the web processes and the worker again and again."""

    def __init__(self, every_s: float) -> None:
        self._every_s, self._ended = every_s, threading.Event()
        self._seen: list[tuple[float, Memory, Memory]] = []

    def __enter__(self) -> "Watch":
        self._look()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_trouble: object) -> None:
        self._ended.set()
        self._thread.join()
        self._look()

    def _watch(self) -> None:
        while not self._ended.wait(self._every_s):
            self._look()

    def _look(self) -> None:
        self._seen.append((time.monotonic(), memory("gunicorn"), memory("worker")))

    def report(self) -> None:
        (_at, first, _worker), (_end, last, worker) = self._seen[0], self._seen[-1]
        half = self._seen[len(self._seen) // 2 :]
        slope = statistics.linear_regression([at for at, *_ in half], [sum(web.shares) for _at, web, _worker in half])
        note = (
            f"shares of memory, web processes together; at the end {_megabytes(last)}, worker {_megabytes(worker)};"
            f" in the second half {slope.slope * 3600:+.0f} MB an hour"
        )
        report("load.memory", sum(last.shares), "MB", sum(first.shares), lower_is_better=True, note=note)


def _megabytes(found: Memory) -> str:
    each = " + ".join(
        f"{share:.0f} ({resident:.0f})" for resident, share in zip(found.resident, found.shares, strict=True)
    )
    return f"{each} MB of its own share (resident)"


def _told(found: Hour) -> str:
    return f"{len(found.told)} requests, {found.errors} errors, {found.times}"
