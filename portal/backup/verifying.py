"""A backup that was never restored is a hope: the last one is restored, started, and asked what it knows."""

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import psycopg
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from portal import audit, db, schema
from portal.backup import BackupError, facts, marks, stock, taking
from portal.backup.restoring import FORWARD, OPEN, chosen, last_beat, lay_log, unpack
from portal.backup.server import Cluster, give
from portal.backup.taking import Backup
from portal.backup.vault import Vault
from portal.config import Settings
from portal.file_crypto import FileCryptoError, FileKeys, decrypt

_SAMPLE = 200
_BESIDE = timedelta(minutes=1)
"""A round of the log and a whole backup write the same mark, each with the moment at which it began."""
_PAUSED = "select pg_get_wal_replay_pause_state() = 'paused'"


@dataclass(frozen=True)
class Proof:
    """What was looked at. until: the last moment that the end of the log knows. files: how many were opened."""

    backup: Backup
    tables: int
    until: datetime | None
    events: int
    files: int
    mentioned: int


def verify(
    settings: Settings, vault: Vault, *, all_files: bool = False, say: Callable[[str], object] = print
) -> Proof:  # fmt: skip
    """Restore the last backup into a folder that is thrown away, and write down that it held. Raises BackupError."""
    promised = _marks(settings)
    with vault.place.alone("verify"):
        home = Path(tempfile.mkdtemp(prefix="parvis-verify-"))
        try:
            give(home)
            proof = _look(settings, vault, home, all_files=all_files, say=say)
            check_promises(proof, promised)
            taking.prove(vault, proof.backup)
        finally:
            shutil.rmtree(home, ignore_errors=True)
    with psycopg.connect(settings.backup_database_url.get_secret_value(), autocommit=True) as connection:
        row = connection.execute("select clock_timestamp()").fetchone()
        assert row is not None
        marks.write(connection, "verified", row[0])
    return proof


def _marks(settings: Settings) -> Mapping[str, datetime]:
    """What was said to be safe before anything is looked at."""
    with psycopg.connect(settings.backup_database_url.get_secret_value(), autocommit=True) as connection:
        return {str(kind): at for kind, at in connection.execute("select kind, at from parvis_backup.mark")}


def check_promises(proof: Proof, promised: Mapping[str, datetime]) -> None:
    """What was found reaches as far as the marks said. Raises BackupError: a whole backup that is gone, a hole in the
    log after it."""
    taken, sent = promised.get("taken"), promised.get("wal")
    if taken is not None and proof.backup.ended_at < taken:
        raise BackupError(
            f"the last backup here ended at {proof.backup.ended_at.isoformat()}, and one was taken at"
            f" {taken.isoformat()}: it is gone"
        )
    if sent is not None and (proof.until is None or proof.until < sent - _BESIDE):
        end = proof.until.isoformat() if proof.until else "the start"
        raise BackupError(
            f"the log stops at {end}, and it was sent away until {sent.isoformat()}: a piece of it is missing; take a"
            " backup at once"
        )


def _look(
    settings: Settings, vault: Vault, home: Path, *, all_files: bool, say: Callable[[str], object]
) -> Proof:  # fmt: skip
    backup = chosen(vault)
    cluster = unpack(settings, vault, backup, home / "data")
    lay_log(vault, backup, cluster.data)
    _compare(cluster)
    say(f"{len(backup.facts.tables)} tables hold what they held at {backup.ended_at.isoformat()}")
    with cluster.running(OPEN, **FORWARD) as address:
        events = _audit(address, settings)
        with psycopg.connect(address) as connection:
            until = last_beat(connection)
            mentioned, opened = look_at_files(settings, vault, connection, all_files=all_files)
    return Proof(backup, len(backup.facts.tables), until, events, opened, mentioned)


def _compare(cluster: Cluster) -> None:
    """Stop in front of the moment of the facts, and count again."""
    then = cluster.backup.facts
    target = {
        "recovery_target_lsn": then.lsn, "recovery_target_inclusive": "off", "recovery_target_action": "pause",
    }  # fmt: skip
    with cluster.running(_PAUSED, **target) as address, psycopg.connect(address, autocommit=True) as connection:
        wrong = list(facts.differences(connection, then))
    if wrong:
        raise BackupError("the restored database differs: " + "; ".join(wrong[:5]))


def _audit(address: str, settings: Settings) -> int:
    """The audit's chain, recomputed as the portal does, with the portal's role. Returns the sealed events."""
    role = schema.role_of(settings.database_url.get_secret_value())
    rest = address.partition("@")[2]
    engine = create_engine(db.sqlalchemy_url(f"postgresql://{quote(role)}@{rest}"), poolclass=NullPool)
    try:
        with db.transaction(db.system("backup.verify")):
            db.session(bind=engine)
            found = audit.verify()
    finally:
        engine.dispose()
    if not found.holds:
        raise BackupError(f"the restored audit's chain breaks at batch {found.broken_batch}")
    return found.events


def look_at_files(
    settings: Settings, vault: Vault, connection: psycopg.Connection, *, all_files: bool = False
) -> tuple[int, int]:  # fmt: skip
    """How many files a restored database mentions, and how many of them were opened. Raises BackupError."""
    mentioned = _nothing_missing(vault, connection)
    return mentioned, sum(_opened(vault, settings, connection, all_files=all_files))


def _nothing_missing(vault: Vault, connection: psycopg.Connection) -> int:
    """Each object that the database mentions has its copy, unless it was erased since. Returns how many."""
    mentioned = {str(key) for (key,) in connection.execute(stock.MENTIONED)}
    missing = mentioned - set(stock.kept(vault)) - dict(stock.read_erased(vault)).keys()
    if missing:
        raise BackupError(f"{len(missing)} files have no copy, among them {min(missing)}")
    return len(mentioned)


def _opened(vault: Vault, settings: Settings, connection: psycopg.Connection, *, all_files: bool) -> Iterator[int]:
    """Files of the restored database, decrypted and compared with what it says of them."""
    erased = dict(stock.read_erased(vault))
    keys = FileKeys.of(settings.file_key_ring())
    rows = connection.execute(
        "select storage_key, sha256 from stored_file where state not in ('erased', 'infected') order by random() limit"
        " %s", (None if all_files else _SAMPLE,),
    )  # fmt: skip
    for key, digest in rows:
        if key in erased:
            continue
        try:
            with closing(vault.place.reading(stock.name_of(key))) as reader:
                found = hashlib.sha256()
                for chunk in decrypt(reader, keys, context=key.encode()):
                    found.update(chunk)
        except FileCryptoError as error:
            raise BackupError(f"the copy of the file {key} does not open ({type(error).__name__})") from None
        if found.digest() != bytes(digest):
            raise BackupError(f"the copy of the file {key} is not what was received")
        yield 1
