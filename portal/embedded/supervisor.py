"""Starts the demonstration and stops all of it: database, identity provider, payment simulators, portal, worker.

Each process has a group of its own, so that Ctrl-C reaches only the supervisor, which stops them in order.
"""

import base64
import contextlib
import fcntl
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import IO

import click
import psycopg

from portal import schema
from portal.embedded.postgres import EmbeddedPostgres, EmbeddedPostgresError, dies_with_us

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "var" / "demo"
_MSSANTE_PAPERS = FOLDER / "mssante"
_READY_TIMEOUT_S = 120
_STOP_TIMEOUT_S = 15
_ISSUERS = {
    "FRANCECONNECT": ("franceconnect", "https://franceconnect.demo.parvis.test/api/v2", "ES256"),
    "FRANCECONNECT_PLUS": (
        "franceconnect-plus",
        "https://franceconnect-plus.demo.parvis.test/api/v2",
        "ES256",
    ),
    "PROSANTECONNECT": (
        "prosanteconnect",
        "https://prosanteconnect.demo.parvis.test/auth/realms/esante-wallet",
        "RS256",
    ),
    "PROCONNECT": ("proconnect", "https://proconnect.demo.parvis.test/api/v2", "RS256"),
}


class _Stopped(Exception):
    """Somebody asked the demonstration to stop."""


def run(port: int) -> int:
    """Run until Ctrl-C. Returns the exit status: 0 stopped by hand, 1 a part failed, 2 it could not start."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        with _only_one(), contextlib.ExitStack() as parts:
            return _run(port, parts)
    except _Stopped:
        click.echo("Parvis is stopped.")
        return 0
    except (_CannotStart, EmbeddedPostgresError) as reason:
        click.echo(f"Parvis cannot start: {reason}", err=True)
        return 2


class _CannotStart(Exception):
    """The message says why, and what to do."""


def _stop(_number: int, _frame: FrameType | None) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise _Stopped


@contextlib.contextmanager
def _only_one() -> Iterator[None]:
    with (FOLDER / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise _CannotStart("the demonstration of this folder is already running.") from error
        yield


def _run(port: int, parts: contextlib.ExitStack) -> int:
    _refuse_taken_port(port)
    server = EmbeddedPostgres(FOLDER / "postgres")
    parts.callback(server.stop)
    server.start()
    environment = _environment(port, server)
    _prepare(server, environment)
    names = ("idp", "payfip", "stripe", "mssante_smtp", "mssante_imap")
    ports = {name: environment.pop(f"{name.upper()}_PORT") for name in names}
    children: list[subprocess.Popen[bytes]] = []
    parts.callback(_end, children)
    for name, arguments in _parts(port, ports, environment["PORTAL_BASE_URL"]).items():
        children.append(_start(parts, name, arguments, environment))
    _wait_until_ready(environment["PORTAL_BASE_URL"], children)
    _greet(environment["PORTAL_BASE_URL"])
    return _watch(children)


def _parts(port: int, ports: dict[str, str], base_url: str) -> dict[str, list[str]]:
    """Each part's name and Python arguments; the slowest to start comes first."""
    return {
        "web": ["-m", "portal", "web", "--bind", f"127.0.0.1:{port}"],
        "worker": ["-m", "portal", "work"],
        "identity": ["-m", "auth.demo_idp", "--port", ports["idp"], "--redirect-base", base_url],
        "payfip": ["-m", "portal.gateways.payments.payfip_twin", "--port", ports["payfip"]],
        "stripe": [
            "-m", "portal.gateways.payments.stripe_twin", "--port", ports["stripe"],
            "--webhook-url", f"{base_url}/callbacks/stripe",
        ],
        "mssante": [
            "-m", "portal.gateways.mssante.twin", "--papers", str(_MSSANTE_PAPERS),
            "--smtp-port", ports["mssante_smtp"], "--imap-port", ports["mssante_imap"],
        ],
    }  # fmt: skip


def _refuse_taken_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise _CannotStart(
                f"port {port} is taken by another program. Stop it, or choose another port: PORT={port + 80} make run"
            ) from error


def _free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def _former_port(part: str) -> str:
    """A part's port of last time when it is still free, another one otherwise."""
    kept = FOLDER / f"{part}.port"
    port = kept.read_text(encoding="utf-8") if kept.exists() else "0"
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(port)))
        except (OSError, ValueError, OverflowError):
            return _free_port()
        return str(probe.getsockname()[1])


def _environment(port: int, server: EmbeddedPostgres) -> dict[str, str]:
    """What every part is told; secrets are drawn once and kept in `var/`, readable by their owner alone."""
    kept = _kept_secrets()
    # The hospitals' own provider is a row of the database: its address and its secret outlive a start.
    idp_port, payfip_port, stripe_port = _former_port("identity"), _free_port(), _free_port()
    client_secret = kept["idp_secret"]
    payfip = f"http://127.0.0.1:{payfip_port}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")} | {
        "PORTAL_ENV": "demo",
        "PORTAL_PORTAL_NAME": "Hôpitaux du Val d’Arceau",
        "PORTAL_BASE_URL": f"http://127.0.0.1:{port}",
        "PORTAL_SECRET_KEY": kept["secret_key"],
        "PORTAL_FILE_KEYS": f"demo:{kept['file_key']}",
        "PORTAL_DATABASE_URL": server.url("parvis_app", kept["app_password"], "parvis"),
        "PORTAL_DATABASE_OWNER_URL": server.url("parvis_owner", kept["owner_password"], "parvis"),
        "PORTAL_STORAGE_URL": f"file:{FOLDER / 'files'}",
        "PORTAL_ANTIVIRUS_URL": "twin:",
        "PORTAL_LOG_LEVEL": "WARNING",
        "PORTAL_PAYFIP_ENDPOINT_URL": f"{payfip}/tpa/services/securite",
        "PORTAL_PAYFIP_PAYMENT_URL": f"{payfip}/tpa/paiementws.web",
        "PORTAL_STRIPE_API_BASE": f"http://127.0.0.1:{stripe_port}",
        "PORTAL_STRIPE_WEBHOOK_SECRETS": kept["stripe_secret"],
        "STRIPE_TWIN_SECRETS": kept["stripe_secret"],
        "DEMO_IDP_CLIENT_SECRET": client_secret,
        "PYTHONUNBUFFERED": "1",
        "IDP_PORT": idp_port,
        "PAYFIP_PORT": payfip_port,
        "STRIPE_PORT": stripe_port,
    }
    environment |= _secure_mail(idp_port)
    for provider, (path, issuer, algorithm) in _ISSUERS.items():
        environment |= {
            f"PORTAL_{provider}_DISCOVERY_URL": f"http://127.0.0.1:{idp_port}/{path}/.well-known/openid-configuration",
            f"PORTAL_{provider}_ISSUER": issuer,
            f"PORTAL_{provider}_CLIENT_ID": "parvis-demo",
            f"PORTAL_{provider}_CLIENT_SECRET": client_secret,
            f"PORTAL_{provider}_SIGNING_ALG": algorithm,
        }
    return environment


def _secure_mail(idp_port: str) -> dict[str, str]:
    """The MSSanté operator; its address is a row of the database too."""
    smtp, imap = _former_port("mssante_smtp"), _former_port("mssante_imap")
    return {
        "MSSANTE_SMTP_PORT": smtp,
        "MSSANTE_IMAP_PORT": imap,
        "MSSANTE_TWIN_URL": f"smtp+imap://:demonstration@127.0.0.1:{smtp}?imap=127.0.0.1:{imap}&auth=password",
        "MSSANTE_TWIN_PAPERS": str(_MSSANTE_PAPERS),
        "MSSANTE_TWIN_USERINFO_URL": f"http://127.0.0.1:{idp_port}/prosanteconnect/userinfo",
    }


def _kept_secrets() -> dict[str, str]:
    path = FOLDER / "secrets.json"
    known: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if "stripe_secret" in known:
        return known
    drawn = {
        "idp_secret": secrets.token_urlsafe(48),
        "stripe_secret": "whsec_" + secrets.token_urlsafe(24),
        "secret_key": secrets.token_urlsafe(48),
        "file_key": base64.b64encode(secrets.token_bytes(32)).decode(),
        "app_password": secrets.token_urlsafe(24),
        "owner_password": secrets.token_urlsafe(24),
    } | known
    path.touch(mode=0o600)
    path.write_text(json.dumps(drawn), encoding="utf-8")
    return drawn


def _prepare(server: EmbeddedPostgres, environment: dict[str, str]) -> None:
    """Roles, schema, and the demonstration's content when there is none yet."""
    kept = _kept_secrets()
    schema.create_database(
        server.url(), "parvis", ("parvis_owner", kept["owner_password"]), ("parvis_app", kept["app_password"])
    )
    owner_url = environment["PORTAL_DATABASE_OWNER_URL"]
    if _revision(owner_url) != schema.head():
        schema.upgrade(owner_url, environment["PORTAL_DATABASE_URL"])
    with psycopg.connect(owner_url) as connection:
        filled = connection.execute("select exists (select 1 from establishment)").fetchone() == (True,)
    if not filled:
        click.echo("Preparing the demonstration hospital (first start only)…")
        _write("tests.factories.demonstration", environment)
    _tell_where({"identity": environment["IDP_PORT"]}, "tests.factories.hospital_providers", environment)
    operator = {part: environment[f"{part.upper()}_PORT"] for part in ("mssante_smtp", "mssante_imap")}
    _tell_where(operator, "tests.factories.mssante", environment)


def _tell_where(ports: dict[str, str], module: str, environment: dict[str, str]) -> None:
    """Rows of the database say where these parts listen: write them again when a port is not that of last time."""
    kept = {FOLDER / f"{part}.port": port for part, port in ports.items()}
    if any(not path.exists() or path.read_text(encoding="utf-8") != port for path, port in kept.items()):
        _write(module, environment)
        for path, port in kept.items():
            path.write_text(port, encoding="utf-8")


def _write(module: str, environment: dict[str, str]) -> None:
    """Let a module of the demonstration write its part of the database."""
    done = subprocess.run([sys.executable, "-m", module], cwd=ROOT, env=environment, check=False)
    if done.returncode:
        raise _CannotStart("the demonstration's content could not be written (see above). Delete var/demo to retry.")


def _revision(owner_url: str) -> str:
    with psycopg.connect(owner_url) as connection:
        try:
            row = connection.execute("select version_num from alembic_version").fetchone()
        except psycopg.errors.UndefinedTable:
            return ""
    return str(row[0]) if row else ""


def _start(
    parts: contextlib.ExitStack, name: str, arguments: list[str], environment: dict[str, str]
) -> subprocess.Popen[bytes]:
    log: IO[bytes] = parts.enter_context((FOLDER / f"{name}.log").open("wb"))
    return subprocess.Popen(
        [*dies_with_us(), sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        process_group=0,
    )


def _end(children: list[subprocess.Popen[bytes]]) -> None:
    """Ask all of them at once, then wait for each."""
    for child in children:
        if child.poll() is None:
            child.terminate()
    for child in children:
        try:
            child.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def _wait_until_ready(base_url: str, children: list[subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + _READY_TIMEOUT_S
    while time.monotonic() < deadline:
        if any(child.poll() is not None for child in children):
            break
        try:
            with urllib.request.urlopen(f"{base_url}/status/ready", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise _CannotStart(f"a part did not come up; its log is in {FOLDER}\n{_last_words()}")


def _last_words() -> str:
    lines = []
    for log in sorted(FOLDER.glob("*.log")):
        if text := log.read_text(encoding="utf-8", errors="replace").strip():
            lines.append(f"--- {log.name}\n{text[-1500:]}")
    return "\n".join(lines)


def _watch(children: list[subprocess.Popen[bytes]]) -> int:
    while all(child.poll() is None for child in children):
        time.sleep(0.5)
    click.echo(f"A part of Parvis ended by itself.\n{_last_words()}", err=True)
    return 1


def _greet(base_url: str) -> None:
    click.echo(
        f"""
  Parvis is ready:  {base_url}

    patients        {base_url}/connexion        sign in as a fictional person
    practitioners   {base_url}/pro
    hospital staff  {base_url}/admin

  Ctrl-C stops everything. Data and logs are in var/demo; delete that folder to start afresh.
""",
    )
