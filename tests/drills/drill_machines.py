"""pgbouncer: two web machines without affinity and two workers, all of them through a PgBouncer in transaction
mode with few connections, which are broken under them. database.failover: the primary dies, a standby takes over."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from random import Random
from urllib.parse import quote

import httpx
import psycopg

from portal import db
from portal.embedded.postgres import wheel_programs
from tests import pooler
from tests.drills import readers, world
from tests.drills.drill_restore import is_there
from tests.drills.history import OK, History, Operation
from tests.drills.people import ALL, Crowd, Visitor
from tests.drills.place import Cluster, Place, Process, free_port, place
from tests.drills.report import Outcome
from tests.drills.world import Person
from tests.pooler import Pooler

_PATIENCE_S = 300.0
_CONNECTIONS = 18
"""Two machines of two processes of two threads, two workers of four jobs: sixteen, and two more (docs/scaling.md)."""
_AGAIN_WITHIN_S = 60.0
_NAMES = re.compile(r"EXERCICE[A-Z]{2}")


class Anywhere(httpx.BaseTransport):
    """A load balancer without affinity: each request of a browser goes to any of the machines, under one name."""

    def __init__(self, ports: Sequence[int], draw: Random) -> None:
        self._ports, self._draw = ports, draw
        self._inner = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """See `httpx.BaseTransport`."""
        if request.url.port == self._ports[0]:
            request.url = request.url.copy_with(port=self._draw.choice(self._ports))
        return self._inner.handle_request(request)

    def close(self) -> None:
        """See `httpx.BaseTransport`."""
        self._inner.close()


class Roamer(Visitor):
    """Somebody whose requests meet any of the machines, and who reads whose names are on the page."""

    ports: Sequence[int] = ()

    def roam(self, ports: Sequence[int]) -> "Roamer":
        self.ports = ports
        self._browser._transport = Anywhere(ports, self.draw)
        return self

    def _fresh(self) -> httpx.Client:
        browser = super()._fresh()
        browser._transport = Anywhere(self.ports, self.draw)
        return browser

    def _ask(self, operation: Operation, method: str, path: str, **words: object) -> httpx.Response | None:
        answer = super()._ask(operation, method, path, **words)  # type: ignore[arg-type]  # passed on as they are
        own = f"EXERCICE{chr(65 + self.person.number % 26)}{chr(65 + self.person.number // 26)}"
        if answer is not None and (others := set(_NAMES.findall(answer.text)) - {own}):
            self.history.rude(f"{path} shows {others} to {own}")
        return answer


class Roamers(Crowd):
    """Everybody at once, anywhere."""

    ports: Sequence[int] = ()
    kind: type[Roamer] = Roamer

    def _live(self, person: Person) -> None:
        draw = Random(f"{self.seed}/{person.number}")
        visitor = self.kind(person, self.place, self.world, self.history, draw, self.patience_s).roam(self.ports)
        try:
            while not self._going.is_set():
                getattr(visitor, draw.choices(list(self.habits), list(self.habits.values()))[0])()
                time.sleep(self.pause_s * draw.random())
        except BaseException as trouble:  # told by the main thread
            self._broken.append(trouble)
        finally:
            visitor.close()


@contextmanager
def _machines(here: Place, in_front: Pooler) -> Iterator[list[Process]]:
    """A second group of web processes, with temporary files and a home of its own; all of them through PgBouncer."""
    through = in_front.url(here.environment["PORTAL_DATABASE_URL"])
    here.environment |= {"PORTAL_DATABASE_URL": through, "PORTAL_DATABASE_PREPARE": "false"}
    here.web.environment |= here.environment
    own = here.folder / "machine2"
    own.mkdir()
    changed = here.environment | {"TMPDIR": str(own), "HOME": str(own)}
    second = Process("web2", here.folder, changed, "portal", "web", "--bind", f"127.0.0.1:{free_port()}")
    try:
        yield [here.web, second]
    finally:
        second.stop()


def pooled(seed: int, rounds: int) -> Outcome:
    """Nobody reads another's name, nothing is lost, whatever happens to the connections that they share."""
    draw, outcome, history = Random(seed), Outcome(), History()
    if pooler.program() is None:
        outcome.check("PgBouncer is installed", pooler.ABSENT)
        return outcome
    with (
        place() as here,
        pooler.pooler(here.environment["PORTAL_DATABASE_URL"], size=_CONNECTIONS) as in_front,
        _machines(here, in_front) as webs,
    ):
        with here.app.app_context():
            everybody = world.fill(10, 3 + rounds // 6, 2 + rounds // 10)
        here.app.extensions["parvis.engine"].dispose()
        here.start(workers=2)
        webs[1].start()
        ports = [int(each.arguments[-1].rpartition(":")[2]) for each in webs]
        wait_for(ports[1])
        crowd = Roamers(here, everybody, history, seed, ALL, patience_s=_PATIENCE_S)
        crowd.ports, most = ports, 0
        with crowd:
            for turn in range(rounds):
                time.sleep(0.5 + draw.random() * 2)
                _break(here, webs, draw, outcome, turn)
                most = max(most, _connections(here))
            time.sleep(1)
        outcome.check(f"no more than {_CONNECTIONS} connections", "" if most <= _CONNECTIONS else f"{most}")
        surprises = webs[1].log().count("error.unexpected")
        outcome.check("nothing that was not foreseen on the second machine", f"{surprises}" if surprises else "")
        readers.settle(here)
        outcome.read(here, history)
        (stats,) = [each for each in in_front.show("stats") if each["database"] == "drills"]
        outcome.figures |= {
            "connections": most, "statements": int(stats["total_query_count"]),
            "transactions": int(stats["total_xact_count"]),
            "acknowledged": len([each for each in history.all() if each.outcome == "ok"]),
        }  # fmt: skip
    return outcome


def wait_for(port: int) -> None:
    """Until the machine that listens there is ready. Raises TimeoutError."""
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until:
        with suppress(httpx.HTTPError):
            if httpx.get(f"http://127.0.0.1:{port}/status/ready", timeout=5, trust_env=False).status_code == 200:
                return
        time.sleep(0.1)
    raise TimeoutError("the second machine is not ready")


def _break(here: Place, webs: Sequence[Process], draw: Random, outcome: Outcome, turn: int) -> None:
    what = ("statement cancelled", "connection ended", "web process")[turn % 3]
    outcome.broken[what] = outcome.broken.get(what, 0) + 1
    if what == "web process":
        if children := draw.choice(webs).children():
            with suppress(ProcessLookupError):
                os.kill(draw.choice(children), signal.SIGKILL)
        return
    how = "pg_cancel_backend" if what == "statement cancelled" else "pg_terminate_backend"
    here.sql(
        f"select {how}(pid) from pg_stat_activity where usename = 'drills_app' and state <> 'idle' limit 1"
        if turn % 2
        else f"select {how}(pid) from pg_stat_activity where usename = 'drills_app' order by random() limit 1"
    )


def _connections(here: Place) -> int:
    ours = "select count(*) from pg_stat_activity where usename = 'drills_app' and application_name <> 'drills.reader'"
    return int(here.sql(ours)[0][0])


def failover(seed: int, rounds: int) -> Outcome:
    """What was acknowledged is there, and the portal goes on by itself: its address names both servers."""
    outcome = Outcome()
    for turn in range(rounds):
        _fail_over(seed + turn, outcome, is_synchronous=True)
    return outcome


def failover_unsure(seed: int, rounds: int) -> Outcome:
    """The standby may lack the last commits: how many they are, and that nothing else is wrong."""
    outcome = Outcome()
    for turn in range(rounds):
        _fail_over(seed + turn, outcome, is_synchronous=False)
    return outcome


class Standby(Cluster):
    """A second server, which streams from the first."""

    def follow(self, primary: Cluster) -> None:
        """Copy it, and start."""
        command = [
            str(wheel_programs() / "pg_basebackup"),
            "-d",
            primary.url(),
            "-D",
            str(self._data),
            "-R",
            "-c",
            "fast",
        ]
        subprocess.run(command, check=True, capture_output=True, cwd="/", **self._as_user())
        self._owned(self._home / "superuser").write_text(primary.password(), encoding="ascii")
        self.start()

    def either(self, primary: Cluster) -> str:
        """The address of whichever of the two takes writes."""
        hosts = quote(f"{primary._socket},{self._socket}")
        return f"postgresql://drills_app:app@/drills?host={hosts}&target_session_attrs=read-write"


@contextmanager
def _standby(here: Place) -> Iterator[Standby]:
    made = Standby(here.folder / "standby")
    try:
        made.follow(here.cluster)
        either = made.either(here.cluster)
        here.environment["PORTAL_DATABASE_URL"] = here.web.environment["PORTAL_DATABASE_URL"] = either
        here.app.extensions["parvis.engine"].dispose()
        here.app.extensions["parvis.engine"] = db.connect(either)  # the readers' own
        yield made
    finally:
        made.stop()


def _fail_over(seed: int, outcome: Outcome, *, is_synchronous: bool) -> None:
    draw, history = Random(seed), History()
    with place() as here, _standby(here) as standby:
        if is_synchronous:
            _wait_for_every_commit(here)
        with here.app.app_context():
            everybody = world.fill(6, 6, 4)
        here.start()
        with Crowd(here, everybody, history, seed, ALL, patience_s=_PATIENCE_S):
            time.sleep(4 + draw.random() * 4)
            here.cluster.end(signal.SIGKILL)
            died = time.monotonic()
            time.sleep(1 + draw.random() * 2)  # until somebody, or something, notices
            with psycopg.connect(standby.url(), autocommit=True) as above:
                above.execute("select pg_promote(true, 30)")
            promoted = time.monotonic()
            here.cluster, former = standby, here.cluster
            lost = [] if is_synchronous else _lost(here, history, died)
            here.ready()
            late = time.monotonic() - promoted
            time.sleep(6)
        outcome.broken["primary"] = outcome.broken.get("primary", 0) + 1
        ended = [each.name for each in (here.web, *here.workers) if not each.is_alive()]
        outcome.check("nothing of the portal was started again", [f"{name} ended" for name in ended])
        outcome.check(f"ready within {_AGAIN_WITHIN_S:.0f} s", "" if late < _AGAIN_WITHIN_S else f"{late:.0f} s")
        here.app.extensions["parvis.engine"].dispose()
        readers.settle(here)
        outcome.read(here, history)
        gaps = outcome.figures.setdefault("seconds", [])
        gaps.append({"until promoted": round(promoted - died, 2), "ready after": round(late, 2)} | _how_old(lost, died))
        outcome.figures["acknowledged"] = len([each for each in history.all() if each.outcome == "ok"])
        former.stop()


def _lost(here: Place, history: History, died: float) -> Sequence[Operation]:
    """What was acknowledged by the primary and the standby has not; readers look at the rest."""
    here.app.extensions["parvis.engine"].dispose()
    told = [each for each in history.all() if each.outcome == OK and each.ended_at <= died + 1]
    with here.app.app_context():
        lost = [each for each in told if not is_there(here, each)]
    known = {idop for (idop,) in here.sql("select psp_ref from payment_attempt where psp_ref is not null")}
    history.beyond |= {one["idop"] for one in here.bank.truth()["operations"]} - known
    history.forget(lost)
    return lost


def _how_old(lost: Sequence[Operation], died: float) -> dict[str, float]:
    """How many were lost, and how long before the end the oldest of them was acknowledged."""
    return {"lost": len(lost), "lost_s": round(max((died - each.ended_at for each in lost), default=0.0), 3)}


def _wait_for_every_commit(here: Place) -> None:
    """Synchronous replication: a commit is acknowledged once the standby has it."""
    here.sql("alter system set synchronous_standby_names = '*'")
    here.sql("select pg_reload_conf()")
    until = time.monotonic() + _AGAIN_WITHIN_S
    while here.sql("select 1 from pg_stat_replication where sync_state = 'sync'") == []:
        if time.monotonic() > until:
            raise TimeoutError("the standby does not follow")
        time.sleep(0.1)


DRILLS = {
    "pgbouncer": (pooled, 30), "database.failover": (failover, 1), "database.failover-unsure": (failover_unsure, 1),
}  # fmt: skip
