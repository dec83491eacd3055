"""What waits in memory to be sent away has a bound, whatever is slow: a place that hangs must not fill the machine's
memory. The receiver is stopped, the server keeps the rest of its log (`max_slot_wal_keep_size` is its bound), and the
alerts of the marks and of the waiting log say so."""

import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Final

from portal.backup.segments import SEGMENT

MOST_WAITING: Final = 16
"""Whole segments in memory (16 MB each, as PostgreSQL comes)."""
_LOOK_S: Final = 0.1


class Bound:
    """Looks at the folder of a receiver, beside whoever empties it, and stops the receiver while it holds too much."""

    def __init__(self, child: subprocess.Popen[str], spool: Path, say: Callable[[str], object]) -> None:
        self._child, self._spool, self._say = child, spool, say
        self._ended, self.is_holding = Event(), False
        self._thread = Thread(target=self._watch, name="backup-bound", daemon=True)

    def __enter__(self) -> "Bound":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        self._hold(on=False)  # a stopped process does not hear that it must end

    def _watch(self) -> None:
        while not self._ended.wait(_LOOK_S):
            waiting = self._waiting()
            if waiting > MOST_WAITING and not self.is_holding:
                self._say(f"{waiting} segments wait to be sent away: the server keeps the rest meanwhile")
                self._hold(on=True)
            elif waiting <= MOST_WAITING // 2 and self.is_holding:
                self._hold(on=False)

    def _waiting(self) -> int:
        with suppress(FileNotFoundError):
            return sum(1 for path in self._spool.iterdir() if SEGMENT.fullmatch(path.name))
        return 0

    def _hold(self, *, on: bool) -> None:
        self.is_holding = on
        with suppress(ProcessLookupError):
            self._child.send_signal(signal.SIGSTOP if on else signal.SIGCONT)
