"""clocks.skewed: two web machines without affinity and two workers whose clocks are seconds, minutes, then hours from
each other's and from the database's, while people go on."""

import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
from psycopg import sql

from auth import sessions
from tests.drills import readers, world
from tests.drills.drill_machines import Roamer, Roamers, wait_for
from tests.drills.history import OK, History, Operation
from tests.drills.people import ALL, Crowd
from tests.drills.place import Place, Process, free_port, place
from tests.drills.report import Outcome
from tests.drills.world import Person

_PATIENCE_S = 300.0
_ROUND_S = 20.0
_ABSENT = "there is no C compiler on this machine"
_SKEWS = (
    {"web": 3, "web2": -3, "worker0": 4, "worker1": -4},
    {"web": 420, "web2": -420, "worker0": 900, "worker1": -900},
    {"web": 3 * 3600, "web2": -2 * 3600, "worker0": 12 * 3600, "worker1": -11 * 3600},
)
"""Seconds by which each process is ahead of the database. Of hours, a zone taken for another is the usual cause."""
_AHEAD_S = 5.0
"""A clock that differs by less than two seconds is left alone (`portal/clocks.py`); the rest is this machine's load."""
_PAST = ("at", "created_at", "changed_at", "planned_at", "sent_at", "state_at", "last_seen_at", "attached_at",
         "scanned_at", "received_at", "booked_at", "seen_at", "asked_at", "first_at")  # fmt: skip
"""Columns that say when something happened: never later than now."""


_SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
static long ahead(void) { const char *said = getenv("DRILL_AHEAD_S"); return said ? atol(said) : 0; }
int clock_gettime(clockid_t which, struct timespec *at) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int met = real(which, at);
    if (!met && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) at->tv_sec += ahead();
    return met;
}
int gettimeofday(struct timeval *at, void *zone) {
    struct timespec now; (void)zone; clock_gettime(CLOCK_REALTIME, &now);
    at->tv_sec = now.tv_sec; at->tv_usec = now.tv_nsec / 1000;
    return 0;
}
time_t time(time_t *at) {
    struct timespec now; clock_gettime(CLOCK_REALTIME, &now);
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}
"""
"""Another time of day for one process, and nothing else: libfaketime breaks Python's `time.sleep`."""


def shim(folder: Path) -> Path | None:
    """What a process is started with to live by another clock (`DRILL_AHEAD_S`), made here; None without a compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    source, made = folder / "clock.c", folder / "clock.so"
    source.write_text(_SHIM, encoding="ascii")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(made), str(source), "-ldl"], check=True)
    return made


class Watchful(Roamer):
    """Somebody who is signed in, and notes each time that the portal does not know them."""

    def _ask(self, operation: Operation, method: str, path: str, **words: object) -> httpx.Response | None:
        answer = super()._ask(operation, method, path, **words)
        if answer is not None and operation.name != "sign_in":
            leads = answer.headers.get("location", "")
            if answer.status_code in (400, 401, 403) or "/connexion" in leads or "/aller-retour" in leads:
                operation.facts["locked_out"] = f"{method} {path.partition('?')[0]}: {answer.status_code} {leads}"
        return answer


class Watchfuls(Roamers):
    """Everybody at once, anywhere."""

    kind = Watchful


def skewed(seed: int, rounds: int) -> Outcome:
    """Nobody is locked out, nothing runs or leaves at another hour than the database's, nothing is lost or doubled."""
    outcome, history = Outcome(), History()
    with place() as here, _second(here) as second:
        if (clock := shim(here.folder)) is None:
            outcome.check("clocks can be set", _ABSENT)
            return outcome
        with here.app.app_context():
            everybody = world.fill(9, 4 + 3 * rounds, 2 + 2 * rounds)
        here.app.extensions["parvis.engine"].dispose()  # the readers' own, opened before clocks differ
        watched = everybody.people[-1]
        everybody = replace(everybody, people=everybody.people[:-1])
        for turn in range(rounds):
            skew = _SKEWS[turn % len(_SKEWS)]
            _start(here, second, skew, clock)
            with _crowd(here, second, everybody, history, seed + turn):
                time.sleep(_ROUND_S)
                outcome.check(f"sessions end on the database's clock, {_told(skew)}", _ends(here, second, watched))
            outcome.check(f"moments are the database's, {_told(skew)}", _moments(here))
            outcome.check(f"no tick before its time, {_told(skew)}", _early_ticks(here))
            outcome.broken[_told(skew)] = outcome.broken.get(_told(skew), 0) + 1
        outcome.check("nobody is locked out", _locked_out(history))
        outcome.check("everybody signs in", _refused(history))
        outcome.check("nothing that was not foreseen on the second machine", _surprises(second))
        readers.settle(here)
        outcome.read(here, history)
        outcome.figures["acknowledged"] = len([each for each in history.all() if each.outcome == OK])
    return outcome


def _told(skew: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {seconds:+d} s" for name, seconds in skew.items())


# -- machines whose clocks are wrong -------------------------------------------------------------------------------


@contextmanager
def _second(here: Place) -> Iterator[Process]:
    own = here.folder / "machine2"
    own.mkdir()
    changed = here.environment | {"TMPDIR": str(own), "HOME": str(own)}
    made = Process("web2", here.folder, changed, "portal", "web", "--bind", f"127.0.0.1:{free_port()}")
    try:
        yield made
    finally:
        made.stop()


def _start(here: Place, second: Process, skew: Mapping[str, int], clock: Path) -> None:
    """Everything again, by other clocks."""
    here.workers[:] = here.workers or [here.worker(0), here.worker(1)]
    for each in (here.web, second, *here.workers):
        each.stop()
        each.environment |= {"LD_PRELOAD": str(clock), "DRILL_AHEAD_S": str(skew[each.name])}
        each.start()
    here.ready()
    wait_for(_port(second))


def _port(web: Process) -> int:
    return int(web.arguments[-1].rpartition(":")[2])


def _crowd(here: Place, second: Process, everybody: world.World, history: History, seed: int) -> Crowd:
    crowd = Watchfuls(here, everybody, history, seed, ALL | {"sign_in": 3}, pause_s=0.1, patience_s=_PATIENCE_S)
    crowd.ports = [_port(here.web), _port(second)]
    return crowd


# -- what is looked at ---------------------------------------------------------------------------------------------


def _ends(here: Place, second: Process, person: Person) -> list[str]:
    """A session that the database says lasts for seven seconds more is good for five, and for ten no more."""
    here.sql("update web_session set expires_at = clock_timestamp() + interval '7 seconds' where account_id = %s"
             " and digest = %s", person.account_id, _digest(person))  # fmt: skip
    began = time.monotonic()
    wrong = [f"{name} ends it early" for name, known in _known(here, second, person) if not known]
    time.sleep(max(0.0, 10 - (time.monotonic() - began)))
    wrong += [f"{name} keeps it" for name, known in _known(here, second, person) if known]
    here.sql("update web_session set expires_at = clock_timestamp() + interval '8 hours' where digest = %s",
             _digest(person))  # fmt: skip
    return wrong


def _digest(person: Person) -> bytes:
    (token,) = person.cookies.values()
    return sessions.digest(token)


def _known(here: Place, second: Process, person: Person) -> Iterator[tuple[str, bool]]:
    for each in (here.web, second):
        address = f"http://127.0.0.1:{_port(each)}/mon-compte"
        answer = httpx.get(address, cookies=person.cookies, trust_env=False, timeout=60)
        yield each.name, answer.status_code == 200


def _moments(here: Place) -> list[str]:
    """What happened, happened before now."""
    wrong = []
    columns = here.sql(
        "select c.table_name, c.column_name from information_schema.columns c join information_schema.tables t using"
        " (table_schema, table_name) where table_schema = 'public' and t.table_type = 'BASE TABLE'"
        " and c.data_type = 'timestamp with time zone' and c.column_name = any(%s)", list(_PAST),
    )  # fmt: skip
    for table, column in columns:
        name = sql.SQL("select extract(epoch from max({0}) - clock_timestamp())::float8 from {1}")
        ((ahead,),) = here.sql(name.format(sql.Identifier(column), sql.Identifier(table)).as_string())
        if ahead is not None and ahead > _AHEAD_S:
            wrong.append(f"{table}.{column} is {ahead:.0f} s in the future")
    return wrong


def _early_ticks(here: Place) -> list[str]:
    found = here.sql(
        "select task_name, (defer_timestamp - extract(epoch from clock_timestamp()))::float8 from"
        " procrastinate_periodic_defers where defer_timestamp > extract(epoch from clock_timestamp()) + %s", _AHEAD_S
    )  # fmt: skip
    return [f"{name}, {ahead:.0f} s too early" for name, ahead in found]


def _locked_out(history: History) -> list[str]:
    found = [each.facts["locked_out"] for each in history.all() if "locked_out" in each.facts]
    return [f"{len(found)} times", *sorted(set(found))] if found else []


def _refused(history: History) -> list[str]:
    asked = history.all("sign_in")
    failed = [each for each in asked if each.outcome != OK]
    return [f"{len(failed)} of {len(asked)}, the last one answered {failed[-1].status}"] if failed else []


def _surprises(second: Process) -> str:
    found = second.log().count("error.unexpected")
    return f"{found}: {second.log()[-1500:]}" if found else ""


DRILLS = {"clocks.skewed": (skewed, 3)}
