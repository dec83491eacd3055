"""restore: the machine burns while people use the portal, its disk with it; another one goes on from the backups."""

import base64
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from portal import config, files
from portal.app import create_app
from portal.backup import programs
from tests.drills import readers, world
from tests.drills.history import OK, History, Operation
from tests.drills.people import ALL, Crowd
from tests.drills.place import ROOT, Cluster, Place, Process, place
from tests.drills.report import Outcome

_MOST_LOST_S, _MOST_AWAY_S = 300.0, 3600.0
_PATIENCE_S = 900.0
_ROUND_S = 300.0
_SECRET = "what the backups connect with"


def restore(seed: int, rounds: int) -> Outcome:
    """What was acknowledged before the last mark is there, nothing is there twice, and the portal goes on; again from
    what that portal sent away, `rounds` times."""
    draw, outcome, history = Random(seed), Outcome(), History()
    with place() as here, ExitStack() as clusters:
        with here.app.app_context():
            crowd = world.fill(6, 20 * rounds, 15 * rounds)
        here.start()
        kept = _Kept(here)
        with Crowd(here, crowd, history, seed, ALL, pause_s=0.5, patience_s=_PATIENCE_S):
            for turn in range(rounds):
                with kept.shipping() as shipper:
                    taken_s = kept.take()
                    time.sleep(35 + draw.random() * 30)  # a round of the shipper, and a part of the next
                    disaster = kept.burn(shipper)
                outcome.broken["machine"] = outcome.broken.get("machine", 0) + 1
                into = here.folder / f"restored{turn}"
                told = {"taken_s": taken_s, "restored_s": kept.restore(into, clusters)}
                told |= _compare(here, history, disaster, into, outcome)
                here.start()
                told["back_s"] = time.monotonic() - disaster.at
                outcome.check("back in time", "" if told["back_s"] < _MOST_AWAY_S else f"{told['back_s']:.0f} s")
                outcome.figures[f"machine {turn + 1}"] = {what: round(each, 1) for what, each in told.items()}
                time.sleep(5)
        readers.settle(here)
        outcome.read(here, history)
    return outcome


# -- the machine and its backups ---------------------------------------------------------------------------------


@dataclass
class Disaster:
    """at, mark: by the clock of histories; mark: until when everything was said to be safe. until: the same, by the
    database's clock."""

    at: float
    mark: float
    until: float


class _Kept:
    """A folder that survives the machine, the keys, and the portal's own commands."""

    def __init__(self, here: Place) -> None:
        self.here = here
        self._password = here.cluster.password()
        ((number,),) = here.sql("show server_version_num")
        programs.run(
            programs.folder(int(number) // 10_000) / "psql",
            ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-v", f"backup={_SECRET}", "-v", "app=drills_app",
             "-f", ROOT / "deploy" / "backup.sql"],
            programs.environment(here.cluster.url(database="drills"), "drills"),
        )  # fmt: skip
        self._keys = "b1:" + base64.b64encode(secrets.token_bytes(32)).decode()

    @contextmanager
    def shipping(self) -> Iterator[Process]:
        """`parvis backup wal` as its unit runs it, every 30 s; entered once it has made a round."""
        began = time.time()
        shipper = Process("shipper", self.here.folder, self._environment(), "portal", "backup", "wal")
        shipper.start()
        try:
            while self._marked() < began:
                if not shipper.is_alive() or time.time() > began + _ROUND_S:
                    raise TimeoutError(f"nothing is sent away\n{shipper.log()[-2000:]}")
                time.sleep(0.5)
            yield shipper
        finally:
            shipper.stop()

    def take(self) -> float:
        """Seconds that a whole backup took while people went on."""
        began = time.monotonic()
        self._run("backup", "take")
        return time.monotonic() - began

    def burn(self, shipper: Process) -> Disaster:
        """Everything that runs dies at once; database and files are gone."""
        until, at = self._marked(), time.monotonic()
        self.here.cluster.end(signal.SIGKILL)
        for each in (self.here.web, *self.here.workers, shipper):
            each.kill()
        self.here.cluster.burn()
        shutil.rmtree(self.here.environment["PORTAL_STORAGE_URL"].removeprefix("file:"))
        return Disaster(at, until - time.time() + time.monotonic(), until)

    def restore(self, into: Path, clusters: ExitStack) -> float:
        """docs/backup.md, elsewhere: other folders, another socket, the same address. Seconds, the audit's check
        included."""
        began = time.monotonic()
        self._run("restore", "--into", str(into), may_lack=into / "missing.txt")
        cluster = Cluster(self.here.folder / f"{into.name}-cluster")
        cluster.adopt(into / "data", self._password)
        cluster.start()
        clusters.callback(cluster.stop)
        self.here.cluster = cluster
        changed = {
            "PORTAL_DATABASE_URL": cluster.url("drills_app", "app", "drills"),
            "PORTAL_STORAGE_URL": f"file:{into / 'files'}",
        }
        self.here.environment |= changed
        self.here.web.environment |= changed
        self.here.app = create_app(config.load(self.here.environment))
        self._run("audit", "verify")
        return time.monotonic() - began

    def _environment(self) -> dict[str, str]:
        return self.here.environment | {
            "PORTAL_BACKUP_URL": f"file:{self.here.folder / 'kept'}",
            "PORTAL_BACKUP_KEYS": self._keys,
            "PORTAL_BACKUP_DATABASE_URL": self.here.cluster.url("parvis_backup", _SECRET, "drills"),
        }

    def _marked(self) -> float:
        """Until when everything is safe, as the database says."""
        ((at,),) = self.here.sql(
            "select coalesce(max(extract(epoch from at)), 0)::float8 from parvis_backup.mark where kind = 'wal'"
        )
        return float(at)

    def _run(self, *arguments: str, may_lack: Path | None = None) -> None:
        """Raises AssertionError with what it said. may_lack: which file names those without a copy (exit status 1)."""
        done = subprocess.run(
            [sys.executable, "-m", "portal", *arguments], cwd=ROOT, env=self._environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        lacks = done.returncode == 1 and may_lack is not None and may_lack.exists() and may_lack.stat().st_size
        assert done.returncode == 0 or lacks, f"parvis {' '.join(arguments)}: {done.stdout[-2000:]}"


# -- what was lost -----------------------------------------------------------------------------------------------


def _compare(here: Place, history: History, disaster: Disaster, into: Path, outcome: Outcome) -> dict[str, float]:
    """Before the portal opens again. What was lost and might be is forgotten: readers look at the rest."""
    lost = [each for each in history.all() if each.outcome == OK and not is_there(here, each)]
    outcome.check("what was said to be safe is", [
        f"{each.name} of {each.person}, {disaster.mark - each.ended_at:.1f} s before the mark"
        for each in lost if each.ended_at < disaster.mark
    ])  # fmt: skip
    lacking = (into / "missing.txt").read_text(encoding="ascii").split()
    outcome.check("files that were said to be safe are", [
        f"{key} has no copy" for (key,) in here.sql(
            "select storage_key from stored_file where storage_key = any(%s) and extract(epoch from created_at) < %s",
            lacking, disaster.until)
    ])  # fmt: skip
    known = {idop for (idop,) in here.sql("select psp_ref from payment_attempt where psp_ref is not null")}
    unknown = {one["idop"] for one in here.bank.truth()["operations"]} - known - history.beyond
    history.forget([each for each in lost if each.ended_at >= disaster.mark])
    history.beyond |= unknown | set(lacking)
    lost_s = max((disaster.at - each.ended_at for each in lost), default=0.0)
    outcome.check("little is lost", "" if lost_s < _MOST_LOST_S else f"{lost_s:.0f} s")
    return {
        "mark_s": disaster.at - disaster.mark, "lost_s": lost_s, "lost": len(lost), "files_without_copy": len(lacking),
        "payments_unknown": len(unknown),
    }  # fmt: skip


def is_there(here: Place, told: Operation) -> bool:
    """Whether the restored database, and the restored files, know what somebody was told."""
    if told.name == "book":
        return bool(here.sql("select 1 from appointment where id = %s", told.facts["appointment_id"]))
    if told.name == "submit":
        return bool(here.sql("select 1 from preadmission_change where preadmission_id = %s and to_state = 'submitted'",
                             told.facts["preadmission_id"]))  # fmt: skip
    if told.name == "upload":
        keys = here.sql("select storage_key from stored_file where sha256 = %s and attached_at is not null",
                        told.facts["sha256"])  # fmt: skip
        return any(files.is_stored(key) for (key,) in keys)
    return True


DRILLS = {"restore": (restore, 2)}
