"""PostgreSQL's programs: where they are, and how they are run (lists of arguments, passwords in the environment)."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import psycopg

from portal.backup import BackupError
from portal.embedded import postgres as embedded

_MEMORY = Path("/dev/shm")  # noqa: S108  # a folder of our own is made there, closed to the others
_DEBIAN = Path("/usr/lib/postgresql")


def folder(major: int, asked: str = "") -> Path:
    """Where the programs of this version are: as asked (PORTAL_BACKUP_PROGRAMS), Debian's, the wheel's, the path's.

    Raises BackupError: a tool of another version than the server refuses, or lies.
    """
    candidates = [Path(asked)] if asked else [_DEBIAN / str(major) / "bin", *_wheels(), *_on_path()]
    for each in candidates:
        if (each / "pg_basebackup").exists() and _major(each) == major:
            return each
    raise BackupError(
        f"the programs of PostgreSQL {major} (pg_basebackup, postgres…) are not here: install postgresql-{major}, or"
        " say where they are in PORTAL_BACKUP_PROGRAMS"
    )


def _wheels() -> list[Path]:
    try:
        return [embedded.wheel_programs()]
    except embedded.EmbeddedPostgresError:
        return []


def _on_path() -> list[Path]:
    found = shutil.which("pg_basebackup")
    return [Path(found).resolve().parent] if found else []


def _major(programs: Path) -> int:
    said = subprocess.run([programs / "pg_basebackup", "--version"], capture_output=True, text=True, check=False).stdout
    return int(said.split()[2].partition(".")[0].rstrip("abcdefghijklmnopqrstuvwxyz")) if said else 0


def environment(url: str, application: str) -> dict[str, str]:
    """The environment in which a program connects as this address says: a command line is read by every user."""
    options = psycopg.pq.Conninfo.parse(url.encode())
    named = {each.envvar.decode(): each.val.decode() for each in options if each.envvar and each.val}
    return {**os.environ, **named, "PGAPPNAME": application, "LC_ALL": "C"}


def run(program: Path, arguments: Sequence[str | Path], env: dict[str, str] | None = None) -> str:
    """What it said. Raises BackupError with its last words."""
    done = subprocess.run([program, *arguments], env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BackupError(f"{program.name}: {last_words(done.stderr or done.stdout)}")
    return done.stdout


def last_words(said: str) -> str:
    return " ".join(said.strip().splitlines()[-4:]) or "it said nothing"


def private_folder(name: str) -> Path:
    """A folder in memory where a log in clear may stay for a moment: of the unit, or of the machine."""
    runtime = os.environ.get("RUNTIME_DIRECTORY", "").partition(":")[0]
    base = Path(runtime) if runtime else _MEMORY if _MEMORY.is_dir() else Path(tempfile.gettempdir())
    made = base / f"parvis-{name}-{os.getpid()}"
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(mode=0o700)
    return made
