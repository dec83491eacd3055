"""load.busy_hour: what patients ask in a busy hour, from eight browsers at once, over two processes as in production on
two cores: requests a second, with errors and p95 in the note, against bare pages of the same size."""

import http.client
import itertools
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from urllib.parse import urlsplit

from flask import Flask

from portal import db
from tests.bench.harness import application, ground, report, served, signed_in, size
from tests.factories import demonstration, rooms

NAMES = ("load.busy_hour",)
BROWSERS = 8
PROCESSES = 2
SECONDS = 5
ROUNDS = 2
_PATHS = (
    "/", "/rendez-vous", "/rendez-vous/choisir", "/factures", "/documents", "/pre-admission", "/mon-compte",
    "/recherche?q=cardio", "/mentions-legales",
)  # fmt: skip

Answer = tuple[float, int, int]
"""Seconds, status, bytes."""


def run() -> None:
    with ground() as place, ExitStack() as opened:
        cookie = _fill(application(place.settings))
        portals = [opened.enter_context(served("wsgi:app", place)) for _ in range(PROCESSES)]
        lengths = [each[2] for each in _hour(portals[:1], _PATHS, cookie, 1.0)]
        mean = sum(lengths) // len(lengths)
        bare = [
            opened.enter_context(served("tests.bench.bare:app", place, BARE_BYTES=str(mean))) for _ in range(PROCESSES)
        ]
        lasting = float(size(SECONDS))
        rounds = [
            (_hour(portals, _PATHS, cookie, lasting), _hour(bare, ("/",), "", lasting / 3)) for _ in range(ROUNDS)
        ]
    ours = [answer for mine, _theirs in rounds for answer in mine]
    value = max(len(mine) / lasting for mine, _theirs in rounds)
    limit = max(len(theirs) / (lasting / 3) for _mine, theirs in rounds)
    errors = sum(status != 200 for _took, status, _length in ours)
    p95 = sorted(took for took, _status, _length in ours)[int(len(ours) * 0.95)] * 1e3
    note = f"{BROWSERS} browsers, {PROCESSES} processes; {errors} errors, p95 {p95:.0f} ms, {mean} bytes a page"
    report("load.busy_hour", value, "requests/s", limit, note=note)


def _fill(app: Flask) -> str:
    """The demonstration, and the cookie of one of its patients."""
    with app.app_context(), db.transaction(db.system("bench")):
        world = demonstration.build()
        for room in ("appointments", "preadmission", "billing", "documents"):
            rooms.import_module(f"tests.factories.{room}").demonstrate(world)
        browser = signed_in(app, demonstration.account_of(world.patients["dominique"]))
    (cookie,) = (f"{each.key}={each.value}" for each in browser._cookies.values())
    return cookie


def _hour(bases: Sequence[str], paths: Sequence[str], cookie: str, lasting: float) -> list[Answer]:
    """What everybody was answered in this many seconds."""
    until = time.perf_counter() + lasting
    with ThreadPoolExecutor(BROWSERS) as browsers:
        asked = [browsers.submit(_browse, bases[n % len(bases)], paths, n, cookie, until) for n in range(BROWSERS)]
        return list(itertools.chain.from_iterable(each.result() for each in asked))


def _browse(base: str, paths: Sequence[str], first: int, cookie: str, until: float) -> list[Answer]:
    answers = []
    with closing(http.client.HTTPConnection(urlsplit(base).netloc, timeout=30)) as connection:
        for path in itertools.islice(itertools.cycle(paths), first, None):
            if time.perf_counter() > until:
                return answers
            answers.append(_asked(lambda path=path: _get(connection, path, cookie)))
    return answers


def _asked(get: Callable[[], tuple[int, int]]) -> Answer:
    began = time.perf_counter()
    status, length = get()
    return time.perf_counter() - began, status, length


def _get(connection: http.client.HTTPConnection, path: str, cookie: str) -> tuple[int, int]:
    try:
        connection.request("GET", path, headers={"Cookie": cookie, "User-Agent": "Mozilla/5.0 (bench)"})
        answer = connection.getresponse()
        return answer.status, len(answer.read())
    except ConnectionError:  # the server closes a connection after some time
        connection.close()
        return _get(connection, path, cookie)
