"""What an operator types: `parvis backup …` and `parvis restore`."""

import base64
import secrets
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import click
import psycopg

from portal import config, logs
from portal.backup import BackupError, owner, restoring, taking, vault, verifying
from portal.backup.wal import EVERY_S, Shipper
from portal.config import Settings
from portal.file_crypto import FileKeysInvalid
from portal.gateways import DoorError, storage
from portal.gateways.storage import Store


@contextmanager
def _in_words() -> Iterator[None]:
    """Trouble as one sentence and exit status 1."""
    try:
        yield
    except (BackupError, FileKeysInvalid) as error:
        raise click.ClickException(str(error)) from error
    except DoorError as error:
        raise click.ClickException(f"the files: {error}") from error
    except psycopg.Error as error:
        words = str(error).strip().splitlines()
        raise click.ClickException(f"the database: {words[0] if words else type(error).__name__}") from error


@contextmanager
def _leaving_nothing() -> Iterator[None]:
    """Told to end (a unit that was stopped, or lasted too long), it removes what it has in clear on its way out."""

    def leave(_number: int, _frame: object) -> None:
        raise SystemExit(143)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _ground() -> tuple[Settings, vault.Vault]:
    current = config.load()
    logs.configure(current)
    return current, vault.of(current)


def _store(current: Settings) -> Store:
    if not current.backup_database_url.get_secret_value():
        raise BackupError("PORTAL_BACKUP_DATABASE_URL is needed (docs/backup.md)")
    return storage.connect(current.storage_url, *current.storage_keys())


@click.group("backup")
def backup() -> None:
    """Encrypted backups of the database, its log and the files."""


@backup.command()
def take() -> None:
    """Copy the whole database and what is new among the files; remove what is too old."""
    with _in_words(), _leaving_nothing():
        current, place = _ground()
        began = time.monotonic()
        taken = taking.take(current, place, _store(current), click.echo)
    took = time.monotonic() - began
    click.echo(f"backup {taken.id}: {taken.size / 1e6:.0f} MB packed, {took:.0f} s, ended {taken.ended_at.isoformat()}")


@backup.command()
@click.option("--every", default=EVERY_S, show_default=True, help="Seconds between two rounds.")
def wal(every: float) -> None:
    """Send every change away as it happens, with the files, until it is stopped."""
    stopped = False

    def stop(_number: int, _frame: object) -> None:
        nonlocal stopped
        stopped = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    with _in_words():
        current, place = _ground()
        Shipper(current, place, _store(current), every, click.echo).run(lambda: stopped)


@backup.command("list")
def list_() -> None:
    """Every whole backup, oldest first: when, how large, PostgreSQL's version, how many tables."""
    with _in_words():
        _current, place = _ground()
        for each in taking.listed(place, lambda words: click.echo(words, err=True)):
            click.echo(
                f"{each.id}  ended {each.ended_at.isoformat()}  {each.size / 1e6:.0f} MB  PostgreSQL {each.major}"
                f"  {len(each.facts.tables)} tables"
            )


@backup.command()
@click.option("--all-files", is_flag=True, help="Open every file, and not two hundred of them.")
def verify(all_files: bool) -> None:
    """Restore the last backup into a folder that is thrown away, start it and look; exit 1 when it does not hold."""
    with _in_words(), _leaving_nothing():
        current, place = _ground()
        proof = verifying.verify(current, place, all_files=all_files, say=click.echo)
    click.echo(
        f"backup {proof.backup.id} holds: {proof.tables} tables, {proof.events} sealed events of the audit,"
        f" {proof.files} of {proof.mentioned} files opened; its log ends at {_moment(proof.until)}"
    )


@backup.command()
def claim() -> None:
    """Say that this machine took over for good: the place is its own from now on, and no more the former one's."""
    with _in_words():
        current, place = _ground()
        url = current.backup_database_url.get_secret_value()
        with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
            mine = owner.here(connection)
        former = _former(place)
        owner.claim(place, mine)
    click.echo(f"the place belongs to {mine}" + (f"; it was of {former}" if former else ""))


def _former(place: vault.Vault) -> str:
    """Whose the place was, as far as its mark can be read: a lost key or a damage must not keep it from everybody."""
    try:
        return str(owner.kept(place) or "")
    except BackupError as error:
        return f"somebody unknown ({error})"


@backup.command()
def keygen() -> None:
    """Print a fresh PORTAL_BACKUP_KEYS; keep it where neither the portal nor its backups are."""
    click.echo(f"PORTAL_BACKUP_KEYS=b1:{base64.b64encode(secrets.token_bytes(32)).decode()}")


@click.command("restore")
@click.option("--into", type=click.Path(path_type=Path, file_okay=False), required=True, help="An empty folder.")
@click.option("--to", "moment", default="", help="The last moment to keep, with its offset: 2026-11-23T17:03:00+01:00.")
@click.option("--with-erased", is_flag=True, help="Bring back the files that were erased after that moment too.")
def restore(into: Path, moment: str, with_erased: bool) -> None:
    """Put the database and the files back in a folder, as they were last known or at a moment."""
    with _in_words(), _leaving_nothing():
        current, place = _ground()
        found = restoring.restore(
            current, place, into.absolute(), _aware(moment), with_erased=with_erased, say=click.echo
        )
    click.echo(f"database: {found.data}, as of {_moment(found.until)}")
    click.echo(
        f"files: {found.files} put back, {len(found.missing)} without a copy (missing.txt), {len(found.erased)} erased"
        f" since and left out (erased-since.txt), {found.unused} copies that this database does not mention"
    )
    if found.missing:
        raise click.ClickException("some files have no copy: docs/backup.md says what to do")


def _aware(text: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BackupError(f"--to {text}: a moment looks like 2026-11-23T17:03:00+01:00") from None
    if moment.tzinfo is None:
        raise BackupError(f"--to {text}: say the offset too, as 2026-11-23T17:03:00+01:00")
    return moment


def _moment(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at else "an unknown moment"


ALL: tuple[click.Command, ...] = (backup, restore)
