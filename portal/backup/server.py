"""A restored cluster, started by itself behind a private socket, to replay the log and to be asked questions."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, LiteralString, TypedDict
from urllib.parse import quote

import psycopg

from portal.backup import BackupError, programs
from portal.backup.taking import Backup
from portal.embedded.postgres import can_enter, dies_with_us, unprivileged_user

_LONGEST_S: Final = 4 * 3600
_OURS: Final = {
    "listen_addresses": "", "archive_mode": "off", "restore_command": "false", "archive_cleanup_command": "",
    "recovery_end_command": "", "ssl": "off", "jit": "off", "shared_preload_libraries": "", "hot_standby": "on",
    "primary_conninfo": "", "primary_slot_name": "", "synchronous_standby_names": "", "logging_collector": "off",
    "log_destination": "stderr", "unix_socket_permissions": "0700", "max_wal_size": "2GB", "autovacuum": "off",
    "recovery_target_timeline": "latest", "fsync": "off",
}  # fmt: skip
"""Over what the copied cluster says: it must reach nobody, and nothing of the machine it came from. A restoration
that is cut short is done again from the start: what is kept of it reaches the disk at the end (`make_durable`)."""


@dataclass(frozen=True)
class Cluster:
    """A restored data directory and what is needed to run it."""

    data: Path
    backup: Backup
    programs: Path

    @contextmanager
    def running(self, until: LiteralString, **settings: str) -> Iterator[str]:
        """Its address, once it has replayed what `settings` ask. until: a question that is true then. Raises
        BackupError with its last words."""
        home = Path(tempfile.mkdtemp(prefix="parvis-", dir="/tmp"))  # a socket's path is short
        try:
            (home / "postgresql.conf").touch()
            (home / "hba.conf").write_text("local all all trust\n", encoding="ascii")
            give(home)
            with (home / "log").open("wb") as log:
                child = subprocess.Popen(
                    [*dies_with_us("INT"), self.programs / "postgres", "-D", self.data, *self._options(home, settings)],
                    stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd="/", process_group=0, **_as_user(),
                )  # fmt: skip
            try:
                address = f"postgresql://{self.backup.role}@/{self.backup.database}?host={quote(str(home))}"
                _wait(child, address, until, home / "log")
                yield address
            finally:
                _stop(child)
        finally:
            shutil.rmtree(home, ignore_errors=True)

    def _options(self, home: Path, more: Mapping[str, str]) -> list[str]:
        same = {name: value for name, value in self.backup.settings.items() if name != "wal_segment_size"}
        own = {
            "config_file": str(home / "postgresql.conf"), "hba_file": str(home / "hba.conf"),
            "ident_file": str(home / "hba.conf.none"), "unix_socket_directories": str(home),
        }  # fmt: skip
        return [part for name, value in (_OURS | same | own | dict(more)).items() for part in ("-c", f"{name}={value}")]


def make_durable(cluster: Cluster) -> None:
    """Everything that was restored reaches the disk. Raises BackupError."""
    tool = subprocess.run(
        [cluster.programs / "initdb", "--sync-only", "-D", cluster.data], capture_output=True, cwd="/", **_as_user()
    )  # fmt: skip
    if tool.returncode:
        raise BackupError(f"initdb --sync-only: {programs.last_words(tool.stderr.decode(errors='replace'))}")


def give(folder: Path) -> None:
    """To whoever runs the server, when we are root: PostgreSQL refuses to be. Raises BackupError."""
    user = unprivileged_user()
    if user is None:
        return
    if not can_enter(folder.parent, user):
        raise BackupError(f"{user.pw_name} cannot enter {folder.parent}: restore elsewhere, or not as root")
    for each in (folder, *folder.rglob("*")):
        os.chown(each, user.pw_uid, user.pw_gid, follow_symlinks=False)


class _Runs(TypedDict):
    """Who runs a program, for `subprocess`; None: whoever we are."""

    user: int | None
    group: int | None
    extra_groups: list[int] | None


def _as_user() -> _Runs:
    user = unprivileged_user()
    if user is None:
        return _Runs(user=None, group=None, extra_groups=None)
    return _Runs(user=user.pw_uid, group=user.pw_gid, extra_groups=[])


def _wait(child: subprocess.Popen[bytes], address: str, until: LiteralString, log: Path) -> None:
    deadline = time.monotonic() + _LONGEST_S
    while time.monotonic() < deadline and child.poll() is None:
        try:
            with psycopg.connect(address, connect_timeout=5) as connection:
                if connection.execute(until).fetchone() == (True,):
                    return
        except psycopg.OperationalError:
            pass  # it replays, and is not open yet
        time.sleep(0.1)
    raise BackupError(f"the restored server stopped: {programs.last_words(log.read_text(errors='replace'))}")


def _stop(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        child.send_signal(2)  # fast: what was replayed is written, nothing more
        try:
            child.wait(600)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
