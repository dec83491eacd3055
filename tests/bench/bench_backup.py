"""backup.take, backup.restore: a database copied, packed and encrypted, then put back elsewhere to a chosen second and
opened, against copying its files as they are with PostgreSQL's own tool (no packing, no encryption, nothing replayed).

SIZE is the size of the database in megabytes."""

import base64
import shutil
import tempfile
import threading
import time
from pathlib import Path

import psycopg
from pydantic import SecretStr

from portal.backup import programs, restoring, taking, vault
from portal.backup.wal import Shipper
from portal.config import Settings
from portal.gateways import storage
from tests.bench.harness import Ground, ground, report, seconds, size

NAMES = ("backup.take", "backup.restore")
MEGABYTES = 60
_ROW = 1060
"""Bytes of a row of the filling, in a table."""


def run() -> None:
    with ground() as place, tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        _measure(place, Path(folder), size(MEGABYTES))


def _measure(place: Ground, folder: Path, megabytes: int) -> None:
    url = place.server.url(database="bench")
    with psycopg.connect(url, autocommit=True) as connection:
        tools = programs.folder(connection.info.server_version // 10_000)
        _fill(connection, megabytes)
        row = connection.execute("select sum(pg_database_size(oid)) / 1e6 from pg_database").fetchone()
        assert row is not None
        whole = float(row[0])
    programs.run(
        tools / "psql", ["-X", "-q", "-v", "backup=bench", "-v", "app=bench_app", "-f", "deploy/backup.sql"],
        programs.environment(url, "bench"),
    )  # fmt: skip
    settings = _settings(place, folder)
    kept, store = vault.of(settings), storage.connect(settings.storage_url)
    bare = [tools / "pg_basebackup", "-D", folder / "bare", "-c", "fast"]
    copied = seconds(lambda: programs.run(bare[0], bare[1:], programs.environment(url, "bench")))
    stop = threading.Event()
    shipping = threading.Thread(target=lambda: Shipper(settings, kept, store, 1.0, _quiet).run(stop.is_set))
    shipping.start()
    took = seconds(lambda: taking.take(settings, kept, store, _quiet))
    delay = _delay(url)
    with psycopg.connect(url, autocommit=True) as connection:
        _fill(connection, megabytes // 10, "more")
        row = connection.execute("select clock_timestamp()").fetchone()
        assert row is not None
        moment = row[0]
        connection.execute("drop table more")
    _delay(url)
    stop.set()
    shipping.join()
    shutil.rmtree(folder / "bare")
    restored = seconds(lambda: restoring.restore(settings, kept, folder / "there", moment, say=_quiet))
    report("backup.take", whole / took, "MB/s", whole / copied, note=f"{whole:.0f} MB, packed and encrypted")
    report(
        "backup.restore", restored, "s", copied, lower_is_better=True,
        note=f"{whole:.0f} MB and {megabytes // 10} MB of log; a commit was safe after {delay:.1f} s (rounds of 1 s)",
    )  # fmt: skip


def _settings(place: Ground, folder: Path) -> Settings:
    return place.settings.model_copy(
        update={
            "backup_url": f"file:{folder / 'kept'}",
            "backup_keys": SecretStr("b:" + base64.b64encode(b"k" * 32).decode()),
            "backup_database_url": SecretStr(place.server.url("parvis_backup", "bench", "bench")),
        }
    )


def _fill(connection: psycopg.Connection, megabytes: int, table: str = "filling") -> None:
    connection.execute(f"create table {table} (id bigint, words text)")  # type: ignore[call-overload]  # ours
    connection.execute(
        f"insert into {table} select n, (select string_agg(md5((n * 40 + m)::text), '') from generate_series(1, 31) m)"  # type: ignore[call-overload]  # ours
        f" from generate_series(1, {max(1, megabytes * 1_000_000 // _ROW)}) n"
    )


def _delay(url: str) -> float:
    """How long until a commit of this moment is safe."""
    began = time.monotonic()
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute("select clock_timestamp()").fetchone()
        while connection.execute(
            "select 1 from parvis_backup.mark where kind = 'wal' and at > %s", (row and row[0],)
        ).fetchone() is None:  # fmt: skip
            time.sleep(0.05)
    return time.monotonic() - began


def _quiet(_line: str) -> None:
    return None
