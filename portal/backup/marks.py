"""When it last went well, written in the database by the backups' own role: the portal reads, and cannot pretend."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import psycopg
from sqlalchemy import text

from portal.backup import BackupError
from portal.db import session

KINDS: Final = ("wal", "taken", "verified")
"""wal: the moment up to which everything is out of the database's machine. taken, verified: a whole backup."""


LONGEST: Final = {"wal": timedelta(minutes=5), "taken": timedelta(hours=26), "verified": timedelta(days=8)}
_CALLED: Final = {
    "wal": "changes were last sent away",
    "taken": "a backup was last taken",
    "verified": "one was last proven",
}


def late(found: Mapping[str, datetime], now: datetime) -> str:
    """What did not go well for too long, in words; "" when all did."""
    trouble = [
        f"{_CALLED[kind]} {found[kind].isoformat(timespec='minutes') if kind in found else 'never'}"
        for kind, longest in LONGEST.items()
        if kind not in found or now - found[kind] > longest
    ]
    return "; ".join(trouble)


def log_is_unbounded() -> bool:
    """Whether the server keeps all of its log for whoever is to fetch it: once they are away, its disk fills."""
    return bool(session.scalar(text("select current_setting('max_slot_wal_keep_size') = '-1'")))


def write(connection: psycopg.Connection, kind: str, at: datetime) -> None:
    """Raises BackupError when deploy/backup.sql was never run on this database."""
    try:
        connection.execute(
            "insert into parvis_backup.mark (kind, at) values (%s, %s)"
            " on conflict (kind) do update set at = excluded.at",
            (kind, at),
        )
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        raise BackupError("run deploy/backup.sql on this database first (docs/backup.md)") from None


def read() -> Mapping[str, datetime]:
    """Inside a transaction of the portal; nothing when backups were never set up."""
    if session.scalar(text("select to_regclass('parvis_backup.mark')")) is None:
        return {}
    found = session.execute(text("select kind, at from parvis_backup.mark")).all()
    return {str(kind): at for kind, at in found}
