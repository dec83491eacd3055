"""The log of changes, out of the machine within half a minute, encrypted, never in clear on a disk.

`pg_receivewal` writes segments into a folder in memory; each is sealed into the place of the backups, the unfinished
one too at every round. A replication slot of ours moves only after a segment is safe: whatever dies, PostgreSQL keeps
what was not shipped and we start again from there. A round ends with the files, then with the mark that says so.
"""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import psycopg

from portal.backup import BackupError, marks, owner, programs
from portal.backup.bound import Bound
from portal.backup.segments import HISTORY, PARTIAL, SEGMENT, end_lsn, number, position
from portal.backup.stock import Stock
from portal.backup.vault import Vault, pieces, smaller
from portal.config import Settings
from portal.embedded.postgres import dies_with_us
from portal.gateways.storage import Store

SLOT: Final = "parvis_backup"
NAME: Final = "parvis backup wal"
EVERY_S: Final = 30.0
_LOOK_S = 0.3
_ARRIVES_WITHIN_S = 30


@dataclass
class Shipper:
    """One process that follows one server."""

    settings: Settings
    vault: Vault
    store: Store
    every_s: float = EVERY_S
    say: Callable[[str], object] = print

    def run(self, stopped: Callable[[], bool]) -> None:
        """Until told to stop. Raises BackupError, Unavailable."""
        url = self.settings.backup_database_url.get_secret_value()
        with self.vault.place.alone("wal"), psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
            connection.execute("set synchronous_commit = on")
            self._mine = owner.here(connection)
            owner.hold(self.vault, self._mine)
            facts = connection.execute("select current_setting('wal_segment_size')").fetchone()
            assert facts is not None
            self._system, self._size = self._mine.system, _bytes(facts[0])
            start = _slot(connection)
            self._next = position(start) // self._size
            self._stock = Stock.open(self.vault)
            self._lost: tuple[str, ...] = ()
            self._looked = False
            with self._receiving(connection, url, start) as (child, spool):
                self._follow(connection, child, spool, stopped)

    def _follow(
        self, connection: psycopg.Connection, child: subprocess.Popen[str], spool: Path, stopped: Callable[[], bool]
    ) -> None:
        due = time.monotonic()
        while not stopped():
            self._ship_whole(connection, spool)
            if time.monotonic() >= due:
                due = time.monotonic() + self.every_s
                self._round(connection, child, spool)
            if child.poll() is not None:
                raise BackupError(f"pg_receivewal: {programs.last_words(child.communicate()[1])}")
            time.sleep(_LOOK_S)

    def _round(self, connection: psycopg.Connection, child: subprocess.Popen[str], spool: Path) -> None:
        """Everything that was committed when it begins is safe when it ends, and the mark says so. Raises BackupError
        once another machine took over the place."""
        owner.hold(self.vault, self._mine)
        row = connection.execute("select clock_timestamp()").fetchone()
        assert row is not None
        began: datetime = row[0]
        marks.write(connection, "beat", began)
        self._wait_for(connection, child, spool)
        self._ship_all(connection, spool)
        lost = tuple(self._stock.follow(self.store, connection, began, lambda: self._keep_up(connection, spool)))
        if not self._looked:
            self._looked = True
            lost += tuple(self._stock.lacking(connection))
        if lost != self._lost:
            self._lost = lost
            self.say(f"{len(lost)} files that the database mentions are missing from the store: docs/backup.md")
        marks.write(connection, "wal", began)

    def _wait_for(self, connection: psycopg.Connection, child: subprocess.Popen[str], spool: Path) -> None:
        """Until the receiver has what is committed now; what it finishes meanwhile makes room for the rest."""
        row = connection.execute("select pg_current_wal_flush_lsn()::text").fetchone()
        assert row is not None
        deadline = time.monotonic() + _ARRIVES_WITHIN_S
        while time.monotonic() < deadline and child.poll() is None:
            found = connection.execute(
                "select max(flush_lsn)::text from pg_stat_replication where application_name = %s", (NAME,)
            ).fetchone()
            if found and found[0] and position(found[0]) >= position(row[0]):
                return
            self._ship_whole(connection, spool)
            time.sleep(0.1)
        if child.poll() is not None:
            raise BackupError(f"pg_receivewal: {programs.last_words(child.communicate()[1])}")
        raise BackupError("pg_receivewal does not get the log: is the server's wal_sender_timeout too short?")

    def _keep_up(self, connection: psycopg.Connection, spool: Path) -> None:
        """Between two files: the first copy of a store lasts for hours, and the log does not wait for it."""
        if time.monotonic() >= self._sent + self.every_s:
            self._ship_all(connection, spool)
        else:
            self._ship_whole(connection, spool)

    def _ship_all(self, connection: psycopg.Connection, spool: Path) -> None:
        self._ship_whole(connection, spool)
        for path in spool.glob(f"*{PARTIAL}"):
            with suppress(FileNotFoundError):  # just finished
                if path.stat().st_size:
                    self._ship(path, path.name)
        self._sent = time.monotonic()

    def _ship_whole(self, connection: psycopg.Connection, spool: Path) -> None:
        """Seal each finished segment; then, and only then, let the server forget it."""
        ready = sorted(path for path in spool.iterdir() if SEGMENT.fullmatch(path.name) or HISTORY.fullmatch(path.name))
        for path in ready:
            self._ship(path, path.name)
            if SEGMENT.fullmatch(path.name):
                self.vault.place.remove(self._name(path.name + PARTIAL))
                self._follows(path.name)
                _advance(connection, end_lsn(path.name, self._size))
            path.unlink()

    def _follows(self, segment: str) -> None:
        """A receiver that lost its place goes on from wherever the server is: the slot still has what it left out."""
        found = number(segment, self._size)
        if found > self._next:
            raise BackupError(f"the log jumps to {segment}: what is between is asked for again when this starts anew")
        self._next = max(self._next, found + 1)

    def _ship(self, path: Path, name: str) -> None:
        with suppress(FileNotFoundError), path.open("rb") as reader:  # an unfinished one may just have been finished
            self.vault.put(self._name(name), smaller(pieces(reader)))

    def _name(self, segment: str) -> str:
        return f"wal/{self._system}/{segment}"

    @contextmanager
    def _receiving(
        self, connection: psycopg.Connection, url: str, start: str
    ) -> Iterator[tuple[subprocess.Popen[str], Path]]:
        spool = programs.private_folder("wal")
        begin_at(connection, spool, start)
        tools = programs.folder(connection.info.server_version // 10_000, self.settings.backup_programs)
        child = subprocess.Popen(  # killed with us: one that `Bound` stopped hears nothing else
            [*dies_with_us("KILL"), tools / "pg_receivewal", "--directory", spool, "--synchronous", "--no-password"],
            env=programs.environment(url, NAME), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            with Bound(child, spool, self.say):
                yield child, spool
        finally:
            child.terminate()
            child.communicate()
            shutil.rmtree(spool, ignore_errors=True)


def begin_at(connection: psycopg.Connection, spool: Path, lsn: str) -> None:
    """`pg_receivewal` goes on from the last segment of its folder: an empty one tells it where to begin.

    That is the segment of the byte that follows: before PostgreSQL 17, `pg_walfile_name` gives the one before for the
    very end of a segment, which the slot does not keep any more.
    """
    row = connection.execute("select pg_walfile_name(%s::pg_lsn + 1)", (lsn,)).fetchone()
    assert row is not None
    (spool / f"{row[0]}{PARTIAL}").touch(mode=0o600)


def _slot(connection: psycopg.Connection) -> str:
    """Where we stopped last time; the slot is made the first time. Raises BackupError."""
    query = "select restart_lsn::text, wal_status from pg_replication_slots where slot_name = %s"
    row = connection.execute(query, (SLOT,)).fetchone()
    if row is None:
        connection.execute("select pg_create_physical_replication_slot(%s, true)", (SLOT,))
        row = connection.execute(query, (SLOT,)).fetchone()
    if row is None or row[0] is None or row[1] == "lost":
        raise BackupError(
            "the server no longer has what was not shipped (max_slot_wal_keep_size): drop the slot parvis_backup, start"
            " this again, and take a backup at once; moments in between cannot be restored (docs/backup.md)"
        )
    return str(row[0])


def _advance(connection: psycopg.Connection, lsn: str) -> None:
    connection.execute(
        "select pg_replication_slot_advance(%s, %s::pg_lsn) from pg_replication_slots"
        " where slot_name = %s and restart_lsn < %s::pg_lsn", (SLOT, lsn, SLOT, lsn),
    )  # fmt: skip


def _bytes(setting: str) -> int:
    """16MB, 64MB, 1GB."""
    units = {"kB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}
    return int(setting[:-2]) * units[setting[-2:]]
