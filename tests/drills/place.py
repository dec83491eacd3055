"""What runs during a drill: a durable PostgreSQL, the portal, its worker, those it calls; all of it ends with it."""

import base64
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
from flask import Flask

from auth.demo_idp.audiences import AUDIENCES
from auth.demo_idp.server import RunningIdp
from auth.demo_idp.server import start_in_thread as start_idp
from portal import config, schema
from portal.app import create_app
from portal.embedded.postgres import EmbeddedPostgres, dies_with_us
from portal.gateways.antivirus.clamd_twin import ClamdTwin
from portal.gateways.his.twin import HisTwin
from tests.campaign.house import Bank
from tests.drills.letterbox import Letterbox
from tests.drills.line import Line
from tests.gateways import s3_twin

ROOT = Path(__file__).parents[2]
_READY_S = 600.0
_SECRET = "the secret that only the drills share with their provider"


class Cluster(EmbeddedPostgres):
    """The database server, which can be stopped as an operator or a failing machine stops it."""

    def end(self, how: signal.Signals) -> None:
        """SIGINT: fast shutdown; SIGQUIT: immediate, the next start recovers from the journal."""
        assert self._process is not None, "it runs"
        self._process.send_signal(how)
        self._process.wait(60)
        self._process = None

    def burn(self) -> None:
        """Its disk is gone: no byte is left of what was killed."""
        while self._home.exists():
            shutil.rmtree(self._home, ignore_errors=True)  # its children may write for a moment more
            time.sleep(0.05)

    def password(self) -> str:
        """The superuser's, which survives in a safe."""
        return self._password()

    def adopt(self, data: Path, password: str) -> None:
        """Serve a data directory that comes from elsewhere, and moves here."""
        data.rename(self._data)
        self._owned(self._home / "superuser").write_text(password, encoding="ascii")


class Process:
    """One program of the portal; started from the main thread alone (it dies with the thread that started it)."""

    def __init__(self, name: str, folder: Path, environment: Mapping[str, str], *arguments: str) -> None:
        self.name = name
        self.arguments = arguments
        self.environment = dict(environment)
        self.kills = 0
        self._log = folder / f"{name}.log"
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._child is not None, "started"
        return self._child.pid

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(
                [*dies_with_us("KILL"), sys.executable, "-m", *self.arguments], cwd=ROOT, env=self.environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def is_alive(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def kill(self) -> None:
        """SIGKILL, children included: nothing is finished, nothing is said."""
        self.kills += 1
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def send(self, number: signal.Signals) -> None:
        os.killpg(self.pid, number)

    def children(self) -> list[int]:
        """The processes it forked, that live."""
        found = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return [int(pid) for pid in found.read_text().split()] if found.exists() else []

    def log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""

    def _end(self, how: signal.Signals) -> None:
        if not self.is_alive():
            return
        self.send(signal.SIGCONT)
        self.send(how)
        assert self._child is not None, "alive"
        try:
            self._child.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self.pid, signal.SIGKILL)
            self._child.wait()


@dataclass
class Place:
    """`lines`: what the portal calls, each on a line that can go bad: mail, antivirus, payments, identity, the
    hospital's system, and the storage if it is no folder. hospital: that system, which hears of those told to call it.
    """

    folder: Path
    cluster: Cluster
    environment: dict[str, str]
    url: str
    bank: Bank
    idp: RunningIdp
    mail: Letterbox
    hospital: HisTwin
    lines: dict[str, Line]
    app: Flask
    web: Process
    workers: list[Process] = field(default_factory=list)

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """As the superuser, committed; [] when it returns nothing. Waits while the database is away."""
        until = time.monotonic() + _READY_S
        while True:
            try:
                with psycopg.connect(self.cluster.url(database="drills"), autocommit=True) as connection:
                    cursor = connection.execute(statement, values)
                    return cursor.fetchall() if cursor.description else []
            except (psycopg.OperationalError, FileNotFoundError):
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)

    def start(self, *, workers: int = 1) -> None:
        """Start the web processes and the workers, and wait until the portal is ready."""
        self.web.start()
        self.workers[:] = [self.worker(number) for number in range(workers)]
        for each in self.workers:
            each.start()
        self.ready()

    def worker(self, number: int) -> Process:
        return Process(f"worker{number}", self.folder, self.environment, "portal", "work")

    def ready(self, within: float = _READY_S) -> float:
        """Wait until `/status/ready` says so; how many seconds it took. Raises TimeoutError."""
        began = time.monotonic()
        while time.monotonic() - began < within and self.web.is_alive():
            try:
                if httpx.get(f"{self.url}/status/ready", timeout=5, trust_env=False).status_code == 200:
                    return time.monotonic() - began
            except httpx.HTTPError:
                pass
            time.sleep(0.02)
        raise TimeoutError(f"not ready after {within} s\n{self.web.log()[-3000:]}")

    def logs(self) -> str:
        return "".join(each.log() for each in (self.web, *self.workers))


@contextmanager
def place(*, storage: Path | None = None, s3: bool = False, **changes: str) -> Iterator[Place]:
    """Everything but the portal's own processes, which `Place.start` starts. storage: of files; s3: in a store."""
    with ExitStack() as parts:
        folder = Path(parts.enter_context(tempfile.TemporaryDirectory(prefix="parvis-drill-")))
        folder.chmod(0o755)
        cluster = Cluster(folder / "cluster")
        parts.callback(cluster.stop)
        cluster.start()
        url = f"http://127.0.0.1:{free_port()}"
        idp = start_idp(url, client_secret=_SECRET)
        parts.callback(idp.stop)
        bank = _bank(parts, folder)
        mail = Letterbox(free_port())
        parts.callback(mail.close)
        hospital = parts.enter_context(HisTwin())
        ports = {
            "mail": mail.port,
            "antivirus": int(parts.enter_context(ClamdTwin()).server_address[1]),
            "payments": int(bank.base_url.rpartition(":")[2]),
            "identity": int(idp.base_url.rpartition(":")[2]),
            "hospital": int(hospital.server_address[1]),
        }
        if s3:
            ports["storage"] = int(parts.enter_context(s3_twin.S3Twin()).server_address[1])
        lines = _lines(parts, ports)
        environment = _environment(cluster, url, storage or folder / "files", lines, bank) | changes
        schema.upgrade(cluster.url("drills_owner", "owner", "drills"), environment["PORTAL_DATABASE_URL"])
        app = create_app(config.load(environment))
        web = Process("web", folder, environment, "portal", "web", "--bind", url.removeprefix("http://"))
        found = Place(folder, cluster, environment, url, bank, idp, mail, hospital, lines, app, web)
        parts.callback(_stop, found)
        yield found


def _stop(found: Place) -> None:
    for each in (found.web, *found.workers):
        each.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _bank(parts: ExitStack, folder: Path) -> Bank:
    port = free_port()
    twin = Process(
        "payfip", folder, os.environ, "portal.gateways.payments.payfip_twin", "--port", str(port), "--control"
    )
    twin.start()
    parts.callback(twin.stop)
    bank = Bank(f"http://127.0.0.1:{port}")
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline:
        try:
            bank.truth()
            return bank
        except httpx.HTTPError:
            time.sleep(0.05)
    raise TimeoutError(twin.log())


def _lines(parts: ExitStack, ports: Mapping[str, int]) -> dict[str, Line]:
    made = {name: Line(("127.0.0.1", port)) for name, port in ports.items()}
    for each in made.values():
        parts.callback(each.close)
    return made


def _environment(cluster: Cluster, url: str, storage: Path, lines: Mapping[str, Line], bank: Bank) -> dict[str, str]:
    schema.create_database(cluster.url(), "drills", ("drills_owner", "owner"), ("drills_app", "app"))
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
    environment = plain | {
        "PYTHONUNBUFFERED": "1",
        "PORTAL_ENV": "test",  # no limits on how often one address may try: everybody lives here
        "PORTAL_BASE_URL": url,
        "PORTAL_SECRET_KEY": secrets.token_urlsafe(48),
        "PORTAL_FILE_KEYS": "drills:" + base64.b64encode(secrets.token_bytes(32)).decode(),
        "PORTAL_DATABASE_URL": cluster.url("drills_app", "app", "drills"),
        "PORTAL_STORAGE_URL": f"file:{storage}",
        "PORTAL_ANTIVIRUS_URL": f"clamd://127.0.0.1:{lines['antivirus'].port}",
        "PORTAL_MAIL_URL": f"smtp://127.0.0.1:{lines['mail'].port}",
        "PORTAL_LOG_LEVEL": "WARNING",
        "PORTAL_WEB_PROCESSES": "2",
        "PORTAL_TRUSTED_PROXIES": "1",
        "PORTAL_PAYFIP_ENDPOINT_URL": f"http://127.0.0.1:{lines['payments'].port}/tpa/services/securite",
        "PORTAL_PAYFIP_PAYMENT_URL": bank.payment_url,
    }
    audience = AUDIENCES["franceconnect"]
    discovery = f"http://127.0.0.1:{lines['identity'].port}/franceconnect/.well-known/openid-configuration"
    return (
        environment
        | _store(lines)
        | {
            "PORTAL_FRANCECONNECT_DISCOVERY_URL": discovery,
            "PORTAL_FRANCECONNECT_ISSUER": audience.issuer,
            "PORTAL_FRANCECONNECT_CLIENT_ID": "parvis-demo",
            "PORTAL_FRANCECONNECT_CLIENT_SECRET": _SECRET,
        }
    )


def _store(lines: Mapping[str, Line]) -> dict[str, str]:
    if "storage" not in lines:
        return {}
    address = f"127.0.0.1:{lines['storage'].port}/{s3_twin.BUCKET}/drills?region={s3_twin.REGION}"
    return {
        "PORTAL_STORAGE_URL": f"s3+http://{address}",
        "PORTAL_STORAGE_ACCESS_KEY": s3_twin.ACCESS_KEY,
        "PORTAL_STORAGE_SECRET_KEY": s3_twin.SECRET_KEY,
    }
