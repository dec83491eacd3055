"""The whole demonstration for a browser: the portal and its worker as they run in life, on a database of their own.

The portal and the worker are processes (`parvis web`, `parvis work`); the identity provider and the payment twin live
in threads of the test, which can so look into them.
"""

import base64
import os
import re
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from auth.demo_idp.audiences import AUDIENCES
from auth.demo_idp.server import RunningIdp
from auth.demo_idp.server import start_in_thread as start_idp
from portal import schema
from portal.gateways.payments.payfip_twin import RunningTwin
from portal.gateways.payments.payfip_twin import start_in_thread as start_payfip
from portal.gateways.payments.stripe_twin import RunningTwin as StripeTwin
from portal.gateways.payments.stripe_twin import start_in_thread as start_stripe
from tests.conftest import with_database

ROOT = Path(__file__).parents[2]
_READY_S = 120
_CLIENT_SECRET = "the secret that only the journeys share with their provider"


@dataclass(frozen=True)
class Stack:
    """What a journey walks through. `sql` looks and acts as the database's superuser: an operator behind the scene."""

    url: str
    superuser_url: str
    environment: dict[str, str]
    folder: Path

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of a statement, committed; [] when it returns none."""
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def parvis(self, *arguments: str) -> str:
        """The output of an operator's command."""
        command = [sys.executable, "-m", "portal", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, check=True, capture_output=True, text=True, timeout=60
        )
        return done.stdout

    def work(self) -> None:
        """Wait until the worker has done every job that is due."""
        deadline = time.monotonic() + 30
        while self.sql(_DUE) and time.monotonic() < deadline:
            time.sleep(0.1)

    def mails(self) -> str:
        """Every mail sent until now, as the console door prints them."""
        return (self.folder / "worker.log").read_text(encoding="utf-8")

    def code(self) -> str:
        """The last code sent to a telephone."""
        self.work()
        return re.findall(r"--- sms ---\nTo: .*\n\n.*?(\d{6})", self.mails())[-1]

    def refuse_silent_faults(self) -> None:
        """Nothing may have broken behind the scene, whatever the pages said."""
        logs = "".join(log.read_text(encoding="utf-8", errors="replace") for log in self.folder.glob("*.log"))
        assert "Traceback" not in logs, logs[logs.index("Traceback") - 500 :][:4000]
        assert self.sql("select task_name from procrastinate_jobs where status = 'failed'") == []


_DUE = (
    "select 1 from procrastinate_jobs where status = 'doing'"
    " or (status = 'todo' and (scheduled_at is null or scheduled_at <= now())) limit 1"
)


@contextmanager
def running(server_url: str, folder: Path) -> Iterator[Stack]:
    """Create the database, fill it with the demonstration, start everything; stop and drop it all at the end."""
    with ExitStack() as parts:
        owner_url, application_url, superuser_url = parts.enter_context(_database(server_url))
        url = f"http://127.0.0.1:{_free_port()}"
        idp = start_idp(url, client_secret=_CLIENT_SECRET)
        parts.callback(idp.stop)
        payfip = parts.enter_context(start_payfip())
        environment = _environment(url, application_url, folder, idp, payfip)
        environment |= _stripe(parts.enter_context(start_stripe()), url)
        schema.upgrade(owner_url, application_url)
        _fill(environment)
        children = [
            _start(parts, folder / "web.log", environment, "web", "--bind", url.removeprefix("http://")),
            _start(parts, folder / "worker.log", environment, "work"),
        ]
        _wait_until_ready(url, children, folder)
        yield Stack(url, superuser_url, environment, folder)


@contextmanager
def _database(server_url: str) -> Iterator[tuple[str, str, str]]:
    stamp = secrets.token_hex(4)
    name = f"parvis_journeys_{stamp}"
    owner, application = (f"owner_{stamp}", secrets.token_hex(16)), (f"app_{stamp}", secrets.token_hex(16))
    schema.create_database(server_url, name, owner, application)
    yield (
        with_database(server_url, name, *owner),
        with_database(server_url, name, *application),
        with_database(server_url, name),
    )
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f'drop database "{name}" with (force)')
        connection.execute(f'drop role "{owner[0]}"')
        connection.execute(f'drop role "{application[0]}"')


def _stripe(twin: StripeTwin, url: str) -> dict[str, str]:
    """Let Stripe call the portal, and the portal Stripe."""
    secret = "whsec_" + secrets.token_urlsafe(24)
    twin.webhooks.url, twin.webhooks.secrets = f"{url}/callbacks/stripe", (secret,)
    return {"PORTAL_STRIPE_API_BASE": twin.base_url, "PORTAL_STRIPE_WEBHOOK_SECRETS": secret}


def _environment(url: str, database_url: str, folder: Path, idp: RunningIdp, payfip: RunningTwin) -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")} | {
        "PYTHONUNBUFFERED": "1",
        "PORTAL_ENV": "test",
        "PORTAL_BASE_URL": url,
        "PORTAL_SECRET_KEY": secrets.token_urlsafe(48),
        "PORTAL_FILE_KEYS": "journeys:" + base64.b64encode(secrets.token_bytes(32)).decode(),
        "PORTAL_DATABASE_URL": database_url,
        "PORTAL_STORAGE_URL": f"file:{folder / 'files'}",
        "PORTAL_ANTIVIRUS_URL": "twin:",
        "PORTAL_LOG_LEVEL": "WARNING",
        "PORTAL_WEB_PROCESSES": "1",
        "PORTAL_PAYFIP_ENDPOINT_URL": payfip.endpoint_url,
        "PORTAL_PAYFIP_PAYMENT_URL": payfip.payment_url,
    }
    for name, audience in AUDIENCES.items():
        prefix = f"PORTAL_{name.upper().replace('-', '_')}"
        environment |= {
            f"{prefix}_DISCOVERY_URL": idp.discovery_url(name),
            f"{prefix}_ISSUER": audience.issuer,
            f"{prefix}_CLIENT_ID": idp.config.client_id,
            f"{prefix}_CLIENT_SECRET": _CLIENT_SECRET,
        }
    return environment


def _fill(environment: dict[str, str]) -> None:
    subprocess.run([sys.executable, "-m", "tests.factories.demonstration"], cwd=ROOT, env=environment, check=True)


def _start(parts: ExitStack, log: Path, environment: dict[str, str], *arguments: str) -> subprocess.Popen[bytes]:
    child = subprocess.Popen(
        [sys.executable, "-m", "portal", *arguments],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=parts.enter_context(log.open("wb")),
        stderr=subprocess.STDOUT,
    )
    parts.callback(_end, child)
    return child


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(15)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _wait_until_ready(url: str, children: list[subprocess.Popen[bytes]], folder: Path) -> None:
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline and all(child.poll() is None for child in children):
        try:
            with urllib.request.urlopen(f"{url}/status/ready", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError("\n".join(log.read_text(errors="replace") for log in folder.glob("*.log")))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
