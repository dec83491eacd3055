"""A worker that dies of SIGKILL just before its nth statement: the portal's own worker, in a process of the drill's.

Nothing of this is in the portal: the entry point is here. `python -m tests.drills.faulty_worker` reads numbers, one a
line (0: live until the queue is empty), and answers each with `died` or `ended` and how many statements there were. The
portal is loaded once; each life is a fork.
"""

import os
import signal
import sys
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from portal import config, jobs
from portal.app import create_app


class _Fate:
    """Counts statements, commits among them, and dies before the one it is told."""

    def __init__(self, dies_at: int, tell: int) -> None:
        self._dies_at = dies_at
        self._tell = tell
        self.seen = 0

    def step(self, *_what: Any) -> None:
        self.seen += 1
        if self.seen == self._dies_at:
            os.write(self._tell, f"{self.seen}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)


def _live(engine: Engine, url: str, dies_at: int, tell: int) -> None:
    fate = _Fate(dies_at, tell)
    event.listen(engine, "before_cursor_execute", fate.step)
    event.listen(engine, "commit", fate.step)
    jobs.work(url, concurrency=1, wait=False)
    os.write(tell, f"{fate.seen}\n".encode())


def main() -> None:
    settings = config.load()
    engine = create_app(settings).extensions["parvis.engine"]
    print("ready", flush=True)
    for line in sys.stdin:
        heard, tell = os.pipe()
        if (child := os.fork()) == 0:
            _live(engine, settings.database_url.get_secret_value(), int(line), tell)
            os._exit(0)
        os.close(tell)
        _pid, status = os.waitpid(child, 0)
        with os.fdopen(heard) as told:
            seen = int(told.read() or -1)
        how = "died" if os.WIFSIGNALED(status) else "ended" if status == 0 else "failed"
        print(how, seen, flush=True)


if __name__ == "__main__":
    main()
