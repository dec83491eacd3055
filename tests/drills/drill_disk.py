"""disk.full: the folder of the files fills up, or becomes read-only, and is mended (a tmpfs: root only)."""

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.drills import readers, world
from tests.drills.history import FAIL, OK, History
from tests.drills.people import Crowd
from tests.drills.place import Place, place
from tests.drills.report import Outcome

_SIZE = "64m"
_BAD_FOR_S = 8.0
_PATIENCE_S = 3.0
_BACK_WITHIN_S = 120.0


def full(seed: int, rounds: int) -> Outcome:
    """Uploads are refused politely, reading goes on, it comes back by itself, no half document is left."""
    outcome, history = Outcome(), History()
    if os.geteuid() != 0:
        outcome.figures["skipped"] = "only root mounts a small file system"
        return outcome
    with _small_disk() as disk, place(storage=disk) as here:
        with here.app.app_context():
            crowd = world.fill(4, 8 * rounds, 2)
        here.start()
        back: list[float] = []
        for turn in range(rounds):
            for what, break_it in (("full", _fill_up), ("read-only", _lock)):
                outcome.broken[what] = outcome.broken.get(what, 0) + 1
                with break_it(disk), _crowd(here, crowd, history, seed + turn, _PATIENCE_S):
                    time.sleep(_BAD_FOR_S)
                back.append(_comes_back(here, crowd, history, seed + turn))
        refused = [each for each in history.all("upload") if each.unavailable]
        outcome.check("uploads were refused", "" if refused else "none was: nothing is proved")
        late = [f"{each:.0f} s" for each in back if each > _BACK_WITHIN_S]
        outcome.check(f"documents are taken again within {_BACK_WITHIN_S:.0f} s", late)
        outcome.figures["taken_again_after_s"] = [round(each, 1) for each in back]
        bad = [f"{each.facts['path']}: {each.status}" for each in history.all("read") if each.outcome == FAIL]
        outcome.check("reading pages stay up", bad)
        readers.settle(here)
        outcome.read(here, history, but=("everybody_answered",))
        outcome.check("nothing half-written is left", [path.name for path in (disk / ".incoming").glob("*")])
    return outcome


def _crowd(here: Place, crowd: world.World, history: History, seed: int, patience_s: float) -> Crowd:
    return Crowd(here, crowd, history, seed, {"send": 2, "read": 3}, patience_s=patience_s)


def _comes_back(here: Place, crowd: world.World, history: History, seed: int) -> float:
    """Seconds until a document is taken again, without a restart."""
    began = time.monotonic()
    while time.monotonic() - began < 2 * _BACK_WITHIN_S:
        with _crowd(here, crowd, history, seed + int(time.monotonic()), _PATIENCE_S):
            time.sleep(2)
        if any(each.outcome == OK for each in history.all("upload") if each.asked_at > began):
            break
    return time.monotonic() - began


@contextmanager
def _fill_up(disk: Path) -> Iterator[None]:
    """Not a byte is left."""
    ballast = disk / "ballast"
    with ballast.open("wb") as file, suppress(OSError):
        while True:
            file.write(bytes(64 * 1024))
            file.flush()
    try:
        yield
    finally:
        ballast.unlink()


@contextmanager
def _lock(disk: Path) -> Iterator[None]:
    """The file system is read-only, as after an error of its disk."""
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    try:
        yield
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)


@contextmanager
def _small_disk() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="parvis-disk-") as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "tmpfs", folder], check=True)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "-l", folder], check=True)


DRILLS = {"disk.full": (full, 2)}
