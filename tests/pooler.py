"""PgBouncer in front of a server of ours, as docs/scaling.md asks for it: transactions, and not many connections.

Debian's `pgbouncer` (1.18 or later); where it is absent, those who ask for it are skipped and say so.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict

from portal.embedded.postgres import dies_with_us, unprivileged_user

ABSENT = "no pgbouncer on this machine (Debian: apt-get install pgbouncer)"
_STARTS_WITHIN_S = 20.0


def program() -> str | None:
    """Where it is, if it is installed."""
    return shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@dataclass(frozen=True)
class Pooler:
    """port: on 127.0.0.1. console: a connection string of its own figures (`show pools`)."""

    port: int
    console: str
    log: Path

    def url(self, direct: str) -> str:
        """The address of a role's database through it."""
        facts = conninfo_to_dict(direct)
        login = f"{quote(str(facts['user']))}:{quote(str(facts['password']))}"
        return f"postgresql://{login}@127.0.0.1:{self.port}/{facts['dbname']}"

    def show(self, what: str) -> Sequence[dict[str, Any]]:
        """`show pools`, `show stats`…"""
        with psycopg.connect(self.console, autocommit=True, prepare_threshold=None) as connection:
            cursor = psycopg.ClientCursor(connection)
            rows = cursor.execute(f"show {what}".encode()).fetchall()
            names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in rows]


@contextmanager
def pooler(*directs: str, size: int) -> Iterator[Pooler]:
    """In front of these addresses (one database and role each), with so many connections to each, in transactions."""
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="parvis-pooler-")))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        _write(folder, [conninfo_to_dict(each) for each in directs], port, size)
        user, words = unprivileged_user(), {}
        if user is not None:
            for each in (folder, *folder.iterdir()):
                os.chown(each, user.pw_uid, user.pw_gid)
            words = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        log = folder / "pgbouncer.log"
        command = [*dies_with_us("KILL"), str(program()), "-q", str(folder / "pgbouncer.ini")]
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **words)  # type: ignore[call-overload]  # as in portal.embedded.postgres
        opened.callback(_end, child)
        made = Pooler(port, f"host=127.0.0.1 port={port} dbname=pgbouncer user=figures password=figures", log)
        _wait(made)
        yield made


def settings(size: int) -> str:
    """What docs/scaling.md says to write, and nothing else that matters."""
    return f"pool_mode = transaction\nmax_client_conn = 500\ndefault_pool_size = {size}\nquery_wait_timeout = 20\n"


def _write(folder: Path, directs: Sequence[dict[str, Any]], port: int, size: int) -> None:
    places = "".join(
        f"{each['dbname']} = host={each['host']} port={each.get('port') or 5432} dbname={each['dbname']}\n"
        for each in directs
    )
    people = {str(each["user"]): str(each["password"]) for each in directs} | {"figures": "figures"}
    (folder / "users.txt").write_text("".join(f'"{name}" "{secret}"\n' for name, secret in people.items()))
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n{places}[pgbouncer]\n{settings(size)}listen_addr = 127.0.0.1\nlisten_port = {port}\n"
        f"unix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {folder}/users.txt\nstats_users = figures\n"
        f"logfile = {folder}/pgbouncer.log\n"
    )


def _wait(made: Pooler) -> None:
    until = time.monotonic() + _STARTS_WITHIN_S
    while True:
        try:
            made.show("version")
            return
        except psycopg.OperationalError as error:
            if time.monotonic() > until:
                raise TimeoutError(made.log.read_text() if made.log.exists() else str(error)) from error
            time.sleep(0.02)


def _end(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.wait()
