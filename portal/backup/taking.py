"""One backup: the whole cluster as PostgreSQL copies it, the end of its log, and what its tables held at that moment.

It is written in a folder of its own, and renamed when it is whole: half a backup is never listed.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final, LiteralString

import psycopg

from portal.backup import BackupError, facts, marks, owner, programs
from portal.backup.facts import Facts
from portal.backup.segments import PARTIAL, number
from portal.backup.stock import Stock
from portal.backup.vault import Vault, pieces, smaller
from portal.backup.wal import begin_at
from portal.config import Settings
from portal.gateways.storage import Store

_BACKUPS: Final = "backups"
_UNFINISHED: Final = "unfinished"
_MANIFEST: Final = "manifest"
_PROVEN: Final = "proven"
AT_LEAST: Final = 7
"""Backups that are kept however old they say they are: a clock may be wrong for a night."""
_SEGMENT: Final = 16 << 20
_AHEAD: Final = timedelta(hours=1)
"""What the clocks of two machines may differ by."""
_BEGINS: Final = re.compile(r"write-ahead log start point: ([0-9A-F]+/[0-9A-F]+)")
_ENDS: Final = re.compile(r"write-ahead log end point: ([0-9A-F]+/[0-9A-F]+)")
_REPLAY: Final = ("max_connections", "max_worker_processes", "max_wal_senders", "max_prepared_transactions",
                  "max_locks_per_transaction", "wal_segment_size")  # fmt: skip


@dataclass(frozen=True)
class Backup:
    """A whole backup. start, stop: segments of the log; tail: those kept with it. size: bytes of the copy, packed."""

    id: str
    began_at: datetime
    ended_at: datetime
    system: str
    major: int
    start: str
    stop: str
    size: int
    tail: Sequence[str]
    settings: dict[str, str]
    database: str
    role: str
    facts: Facts

    @property
    def folder(self) -> str:
        return f"{_BACKUPS}/{self.id}"

    @property
    def segment_size(self) -> int:
        return int(self.settings["wal_segment_size"])


def listed(vault: Vault, unreadable: Callable[[str], object] | None = None) -> list[Backup]:
    """Every whole backup, oldest first. unreadable: told of those that cannot be read, which are then left aside: one
    that was touched must not keep the others from being restored. Raises BackupError otherwise."""
    found = []
    for name in vault.place.names(_BACKUPS):
        try:
            found.append(read(vault, name))
        except BackupError as error:
            if unreadable is None:
                raise
            unreadable(str(error))
    return found


def read(vault: Vault, backup_id: str) -> Backup:
    """Raises BackupError."""
    found: dict[str, Any] = json.loads(b"".join(vault.get(f"{_BACKUPS}/{backup_id}/{_MANIFEST}")))
    found["facts"] = Facts.of(found["facts"])
    for moment in ("began_at", "ended_at"):
        found[moment] = datetime.fromisoformat(found[moment])
    return Backup(**found)


def manifest(backup: Backup) -> bytes:
    """What is kept of it beside the copy; JSON."""
    told = {**vars(backup), "facts": backup.facts.as_json()}
    return json.dumps(told, default=datetime.isoformat).encode()


def take(settings: Settings, vault: Vault, store: Store, say: Callable[[str], object] = print) -> Backup:
    """Raises BackupError, Unavailable: nothing is listed then."""
    url = settings.backup_database_url.get_secret_value()
    with vault.place.alone("take"), psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
        mine = owner.here(connection)
        owner.hold(vault, mine)
        vault.place.sweep(_UNFINISHED)
        tools = programs.folder(connection.info.server_version // 10_000, settings.backup_programs)
        backup = _Taking(vault, connection, tools, url).take()
        stock = Stock.open(vault)
        lost = {*stock.follow(store, connection, backup.ended_at), *stock.lacking(connection)}
        if lost:
            say(f"{len(lost)} files that the database mentions are missing from the store: docs/backup.md")
        owner.hold(vault, mine)  # somebody may have taken over meanwhile
        vault.place.rename(_UNFINISHED, backup.folder)
        marks.write(connection, "taken", backup.ended_at)
    prune(vault, stock, settings.backup_keep_days, say)
    return backup


@dataclass
class _Taking:
    vault: Vault
    connection: psycopg.Connection
    tools: Path
    url: str
    end: str = ""

    def take(self) -> Backup:
        began = self._moment()
        backup_id = f"{began:%Y%m%dT%H%M%SZ}"
        with self._held():
            size, start, stop = self._copy(backup_id)
            with psycopg.connect(self.url, autocommit=True) as other:
                found = facts.gather(self.connection, partial(self._end, other))
            tail = list(self._tail(backup_id, stop))
        settings = {
            str(name): str(value)
            for name, value in self.connection.execute(
                "select name, setting from pg_settings where name = any(%s)", (list(_REPLAY),)
            )
        }
        info = self.connection.info
        backup = Backup(
            id=backup_id,
            began_at=began,
            ended_at=self._moment(),
            system=self._one("select system_identifier::text from pg_control_system()"),
            major=info.server_version // 10_000,
            start=self._segment(start),
            stop=self._segment(stop),
            size=size,
            tail=tail,
            settings=settings,
            database=info.dbname,
            role=info.user,
            facts=found,
        )
        self._put(backup_id, _MANIFEST, iter([manifest(backup)]))
        return backup

    def _end(self, other: psycopg.Connection) -> None:
        """A record of the log after the moment of the facts: replaying stops in front of it."""
        marks.write(other, "beat", self._moment())
        row = other.execute("select pg_current_wal_flush_lsn()::text").fetchone()
        assert row is not None
        self.end = str(row[0])

    def _copy(self, backup_id: str) -> tuple[int, str, str]:
        """PostgreSQL's own copy, packed, as one stream. Returns its size, where its log begins and ends."""
        command: list[str | Path] = [
            self.tools / "pg_basebackup", "--pgdata=-", "--format=tar", "--wal-method=fetch", "--checkpoint=fast",
            "--compress=client-gzip:1", "--no-password", "--verbose", f"--label=parvis {backup_id}",
        ]  # fmt: skip
        with subprocess.Popen(
            command, env=programs.environment(self.url, "parvis backup take"),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        ) as child:  # fmt: skip
            said: list[str] = []
            try:
                size = self._put(backup_id, "base", _until_the_end(child, said))
            finally:
                child.kill()
        begins, ends = _BEGINS.search(said[0]), _ENDS.search(said[0])
        if begins is None or ends is None:
            raise BackupError("pg_basebackup does not say where its log begins and ends")
        return size, begins[1], ends[1]

    def _tail(self, backup_id: str, lsn: str) -> Iterator[str]:
        """The log from the end of the copy to the moment of the facts: a backup is proven with nothing else."""
        spool = programs.private_folder("tail")
        try:
            self._must_fit(spool, lsn)
            begin_at(self.connection, spool, lsn)
            programs.run(
                self.tools / "pg_receivewal",
                ["--directory", spool, "--no-loop", f"--endpos={self.end}", "--synchronous", "--no-password"],
                programs.environment(self.url, "parvis backup take"),
            )
            for path in sorted(spool.iterdir()):
                with path.open("rb") as reader:
                    self._put(backup_id, path.name, smaller(pieces(reader)))
                yield path.name
        finally:
            shutil.rmtree(spool, ignore_errors=True)

    def _must_fit(self, spool: Path, lsn: str) -> None:
        """Raises BackupError rather than fill the memory where the log waits, which the whole machine needs."""
        needed = int(self._one("select (%s::pg_lsn - %s::pg_lsn)::bigint::text", self.end, lsn)) + 2 * _SEGMENT
        free = shutil.disk_usage(spool).free
        if needed > free / 2:
            raise BackupError(
                f"{needed / 1e6:.0f} MB of log were written while the tables were counted, and {spool.parent} has"
                f" {free / 1e6:.0f} MB free: take the backup at a quieter hour, or give it more memory"
            )

    def _segment(self, lsn: str) -> str:
        return self._one("select pg_walfile_name(%s::pg_lsn)", lsn)

    def _put(self, backup_id: str, name: str, chunks: Iterator[bytes]) -> int:
        return self.vault.put(f"{_BACKUPS}/{backup_id}/{name}", chunks, into=f"{_UNFINISHED}/{name}").size

    @contextmanager
    def _held(self) -> Iterator[None]:
        """The server forgets nothing of its log meanwhile, whatever else is shipped."""
        name = f"parvis_take_{os.getpid()}"
        self.connection.execute("select pg_create_physical_replication_slot(%s, true, true)", (name,))
        try:
            yield
        finally:
            self.connection.execute("select pg_drop_replication_slot(%s)", (name,))

    def _one(self, query: LiteralString, *values: str) -> str:
        row = self.connection.execute(query, values).fetchone()
        assert row is not None
        return str(row[0])

    def _moment(self) -> datetime:
        row = self.connection.execute("select clock_timestamp()").fetchone()
        assert row is not None
        moment: datetime = row[0]
        return moment.astimezone(UTC)  # names say Z, and are read in the order of time


def _until_the_end(child: subprocess.Popen[bytes], said: list[str]) -> Iterator[bytes]:
    """What it writes; a tool that ends badly makes the whole backup fail."""
    assert child.stdout is not None
    assert child.stderr is not None
    while piece := child.stdout.read(1 << 20):
        yield piece
    said.append(child.stderr.read().decode(errors="replace"))
    if child.wait():
        raise BackupError(f"pg_basebackup: {programs.last_words(said[0])}")


def prove(vault: Vault, backup: Backup) -> None:
    """Write down that it was restored and held."""
    vault.put(f"{_PROVEN}/{backup.id}", [backup.ended_at.isoformat().encode()])


def _last_proven(vault: Vault, every: Sequence[Backup]) -> Sequence[Backup]:
    """The last of these backups that was restored and held, if one was. Raises BackupError when that was touched."""
    names = set(vault.place.names(_PROVEN))
    found = [each for each in every if each.id in names][-1:]
    for each in found:
        b"".join(vault.get(f"{_PROVEN}/{each.id}"))
    return found


def too_old(vault: Vault, every: Sequence[Backup], keep_days: int, now: datetime) -> Sequence[Backup]:
    """Backups that no moment of the last days needs. Never the last that was proven nor the last few, whatever a clock
    said when they were taken; one of a moment that has not come makes no other old. Raises BackupError."""
    come = [each for each in every if each.ended_at <= now + _AHEAD]
    before = [each for each in come if each.ended_at <= come[-1].ended_at - timedelta(days=keep_days)]
    # The last one before the limit leads to the limit.
    safe = {each.id for each in (*before[-1:], *come[-AT_LEAST:], *_last_proven(vault, every))}
    return [each for each in before if each.id not in safe]


def prune(
    vault: Vault, stock: Stock, keep_days: int, say: Callable[[str], object] = print, now: datetime | None = None
) -> None:
    """Remove what is too old: backups, the log that leads to none, copies of files erased before all that is kept."""
    every = listed(vault)
    old = too_old(vault, every, keep_days, now or datetime.now(UTC))
    for each in old:
        vault.place.rename(each.folder, f"{_UNFINISHED}-{each.id}")
        vault.place.remove(f"{_UNFINISHED}-{each.id}")
        vault.place.remove(f"{_PROVEN}/{each.id}")
    gone = {each.id for each in old}
    kept = [each for each in every if each.id not in gone]
    size = {each.system: each.segment_size for each in kept}
    first = {
        system: min(number(each.start, each.segment_size) for each in kept if each.system == system) for system in size
    }
    for system in vault.place.names("wal"):
        for name in vault.place.names(f"wal/{system}"):
            segment = name.removesuffix(PARTIAL)
            if system not in first or (len(segment) == 24 and number(segment, size[system]) < first[system]):
                vault.place.remove(f"wal/{system}/{name}")
    erased = stock.prune(min(each.ended_at for each in kept)) if kept else 0
    if old or erased:
        say(f"removed: {len(old)} backups older than {keep_days} days, {erased} files erased before the oldest kept")
