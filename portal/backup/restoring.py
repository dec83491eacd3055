"""A backup put back elsewhere: the copy, the log up to a moment, the files that the database then mentions."""

import gzip
import io
import os
import shutil
import tarfile
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import psycopg

from portal.backup import BackupError, programs, stock
from portal.backup.segments import HISTORY, PARTIAL, SEGMENT, number, without_gap
from portal.backup.server import Cluster, give, make_durable
from portal.backup.taking import Backup, listed
from portal.backup.vault import Reader, Vault, pieces, unpacked
from portal.config import Settings
from portal.gateways.storage import ObjectLost
from portal.gateways.storage.file import FileStore

OPEN: Final = "select not pg_is_in_recovery()"
FORWARD: Final = {"hot_standby": "off"}
"""To replay to the end: a server that is asked questions meanwhile stops where `max_connections` was raised."""


@dataclass(frozen=True)
class Restored:
    """What was put back. until: the moment of the last thing it knows. missing: objects that it mentions and that no
    copy has; erased: those that were erased after that moment, and did not come back; unused: copies that nothing of
    it mentions."""

    backup: Backup
    data: Path
    until: datetime | None
    files: int
    missing: Sequence[str]
    erased: Sequence[str]
    unused: int


def restore(
    settings: Settings, vault: Vault, into: Path, to: datetime | None = None, *, with_erased: bool = False,
    say: Callable[[str], object] = print,
) -> Restored:  # fmt: skip
    """Put everything back in an empty folder: `data` (a cluster that was stopped properly) and `files`.

    to: the last moment to keep, aware; everything that was shipped otherwise. Raises BackupError.
    """
    backup = chosen(vault, to, say)
    into.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(into.iterdir()):
        raise BackupError(f"{into} is not empty: nothing is restored over something")
    give(into)
    say(f"backup {backup.id}, PostgreSQL {backup.major}")
    cluster = unpack(settings, vault, backup, into / "data")
    wanted = lay_log(vault, backup, cluster.data, to)
    say(f"{wanted} segments of the log to replay")
    target = {} if to is None else {"recovery_target_time": to.isoformat(), "recovery_target_action": "promote"}
    with cluster.running(OPEN, **FORWARD, **target) as address, psycopg.connect(address) as connection:
        until = last_beat(connection)
        say("the database is open again; the files follow")
        found = _files(vault, connection, into / "files", with_erased=with_erased)
    make_durable(cluster)
    (into / "erased-since.txt").write_text("".join(f"{key}\n" for key in found[2]), encoding="ascii")
    (into / "missing.txt").write_text("".join(f"{key}\n" for key in found[1]), encoding="ascii")
    return Restored(backup, cluster.data, until, *found)


def chosen(vault: Vault, to: datetime | None = None, unreadable: Callable[[str], object] | None = None) -> Backup:
    """The last backup that ended before a moment. unreadable: see `listed`. Raises BackupError."""
    every = listed(vault, unreadable)
    usable = [each for each in every if to is None or each.ended_at <= to]
    if not usable:
        oldest = f"; the oldest one ended at {every[0].ended_at.isoformat()}" if every else ""
        raise BackupError(f"no backup leads to that moment{oldest}" if to else "there is no backup here")
    return usable[-1]


def unpack(settings: Settings, vault: Vault, backup: Backup, data: Path) -> Cluster:
    """The copy, checked file by file by `pg_verifybackup`. Raises BackupError."""
    tools = programs.folder(backup.major, settings.backup_programs)
    data.mkdir(mode=0o700)
    chunks = vault.get(f"{backup.folder}/base")
    with tarfile.open(fileobj=gzip.GzipFile(fileobj=io.BufferedReader(Reader(chunks), 1 << 20)), mode="r|") as archive:
        for member in archive:
            _lay(archive, member, data)
    for _rest in chunks:  # the end of the stream is what says that it is whole
        pass
    programs.run(tools / "pg_verifybackup", ["--quiet", data], {**os.environ, "LC_ALL": "C"})
    (data / "recovery.signal").touch(mode=0o600)
    give(data)
    return Cluster(data, backup, tools)


def _lay(archive: tarfile.TarFile, member: tarfile.TarInfo, data: Path) -> None:
    path = data / member.name
    if ".." in path.parts or not path.is_relative_to(data) or not (member.isdir() or member.isreg()):
        raise BackupError(f"the copy holds {member.name!r}: tablespaces are not supported")
    if member.isdir():
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    held = archive.extractfile(member)
    assert held is not None
    with held, os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as written:
        shutil.copyfileobj(held, written, 1 << 20)


def lay_log(vault: Vault, backup: Backup, data: Path, to: datetime | None = None) -> int:
    """The segments that follow the copy, without a hole; returns how many. Raises BackupError."""
    kept = f"wal/{backup.system}"
    names = vault.place.names(kept)
    for history in filter(HISTORY.fullmatch, names):
        _write(data, history, b"".join(unpacked(vault.get(f"{kept}/{history}"))))
    own = [number(name, backup.segment_size) for name in os.listdir(data / "pg_wal") if SEGMENT.fullmatch(name)]
    first, last = max(own), _enough(vault, backup, to)
    found: dict[str, list[str]] = {}
    for name in [*(f"{backup.folder}/{each}" for each in backup.tail), *(f"{kept}/{each}" for each in names)]:
        segment = name.rpartition("/")[2].removesuffix(PARTIAL)
        if SEGMENT.fullmatch(segment) and first < number(segment, backup.segment_size) <= last:
            found.setdefault(segment, []).append(name)
    wanted = list(without_gap(list(found), first + 1, backup.segment_size))
    for segment in wanted:
        _write(data, segment, _longest(vault, found[segment]))
    give(data / "pg_wal")
    return len(wanted)


def _longest(vault: Vault, names: Sequence[str]) -> bytes:
    """A finished segment, or the one of several beginnings of it that goes furthest."""
    whole = [name for name in names if not name.endswith(PARTIAL)]
    contents = [b"".join(unpacked(vault.get(_now(vault, name)))) for name in whole[:1] or names]
    return max(contents, key=lambda content: len(content.rstrip(b"\0")))


def _now(vault: Vault, name: str) -> str:
    """A beginning may have become the whole segment since it was listed."""
    return name if vault.place.size(name) is not None else name.removesuffix(PARTIAL)


def _enough(vault: Vault, backup: Backup, to: datetime | None) -> int:
    """The last segment that can matter: where a backup that began after that moment ends."""
    every = listed(vault, lambda _words: None)
    later = [each for each in every if to and each.began_at > to and each.system == backup.system]
    return number(later[0].stop, backup.segment_size) if later else 1 << 64


def _write(data: Path, name: str, content: bytes) -> None:
    path = data / "pg_wal" / name
    path.touch(mode=0o600)
    path.write_bytes(content)


def last_beat(connection: psycopg.Connection) -> datetime | None:
    """The last moment that the restored database has heard of."""
    row = connection.execute("select max(at) from parvis_backup.mark where kind = 'beat'").fetchone()
    return row[0] if row else None


def _files(
    vault: Vault, connection: psycopg.Connection, folder: Path, *, with_erased: bool
) -> tuple[int, list[str], list[str], int]:
    mentioned = {str(key) for (key,) in connection.execute(stock.MENTIONED)}
    have, erased = set(stock.kept(vault)), dict(stock.read_erased(vault))
    away = set() if with_erased else mentioned & erased.keys()
    wanted, store = (mentioned & have) - away, FileStore(folder)
    for key in wanted:
        try:
            with closing(vault.place.reading(stock.name_of(key))) as reader, store.sink(key) as sink:
                for piece in pieces(reader):
                    sink.write(piece)
                sink.commit()
        except ObjectLost:
            raise BackupError(f"the copy of {key} vanished") from None
    return len(wanted), sorted(mentioned - have - away), sorted(away), len(have - mentioned)
