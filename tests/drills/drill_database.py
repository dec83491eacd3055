"""database.restart: PostgreSQL is restarted while people use the portal, in good order or not; nothing else is."""

import signal
import time
from random import Random

from portal.embedded.postgres import EmbeddedPostgresError
from tests.drills import readers, world
from tests.drills.history import History
from tests.drills.people import ALL, Crowd
from tests.drills.place import Cluster, place
from tests.drills.report import Outcome

_PATIENCE_S = 300.0
_BACK_WITHIN_S = 60.0
_WORKS_WITHIN_S = 120.0
_CLEARED_WITHIN_S = 240.0
_HOW = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT, "killed": signal.SIGKILL}


def restart(seed: int, rounds: int) -> Outcome:
    """The portal is ready again by itself, and so is its worker: neither is started again."""
    draw, outcome, history = Random(seed), Outcome(), History()
    with place() as here:
        with here.app.app_context():
            crowd = world.fill(6, 4 + 2 * rounds, 3 + rounds)
        here.start()
        back = []
        with Crowd(here, crowd, history, seed, ALL, patience_s=_PATIENCE_S):
            for turn in range(rounds):
                time.sleep(2 + draw.random() * 4)
                how = list(_HOW)[turn % len(_HOW)]
                outcome.broken[how] = outcome.broken.get(how, 0) + 1
                here.cluster.end(_HOW[how])
                time.sleep(draw.random() * 3)
                _start_again(here.cluster)
                back.append(here.ready())
            outcome.check("the worker works again", _worker_is_back(here.sql))
            outcome.check("no failure waits for hands", _nothing_failed(here.sql))
        ended = [each.name for each in (here.web, *here.workers) if not each.is_alive()]
        outcome.check("nothing of the portal ended", [f"{name} ended" for name in ended])
        late = [f"{each:.0f} s" for each in back if each > _BACK_WITHIN_S]
        outcome.check(f"ready again within {_BACK_WITHIN_S:.0f} s", late)
        here.app.extensions["parvis.engine"].dispose()  # the readers' own connections, which nobody tries before use
        readers.settle(here)
        outcome.read(here, history)
        outcome.figures["ready_after_s"] = [round(each, 2) for each in back]
    return outcome


def _start_again(cluster: Cluster) -> None:
    """As systemd does: once more, while what was killed has not quite ended."""
    until = time.monotonic() + _BACK_WITHIN_S
    while True:
        try:
            return cluster.start()
        except EmbeddedPostgresError:
            if time.monotonic() > until:
                raise
            time.sleep(0.5)


def _worker_is_back(sql: readers.Sql) -> str:
    """A job that was asked for after the last restart is done."""
    ((last,),) = sql("select coalesce(max(id), 0) from procrastinate_jobs")
    until = time.monotonic() + _WORKS_WITHIN_S
    while time.monotonic() < until:
        if sql("select 1 from procrastinate_jobs where id > %s and status = 'succeeded' limit 1", last):
            return ""
        time.sleep(0.5)
    return f"no job was done in {_WORKS_WITHIN_S:.0f} s"


def _nothing_failed(sql: readers.Sql) -> list[str]:
    """The clock's next minutes clear what the restarts stopped."""
    until = time.monotonic() + _CLEARED_WITHIN_S
    query = "select task_name, count(*) from procrastinate_jobs where status = 'failed' group by 1"
    while (left := sql(query)) and time.monotonic() < until:
        time.sleep(2)
    return [f"{count} {name}" for name, count in left]


DRILLS = {"database.restart": (restart, 12)}
