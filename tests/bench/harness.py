"""What the benchmarks share: a database of their own, a filled application, a server, and the line they print.

Value and limit are measured interleaved in one run, and the best of several rounds is kept: absolute figures drift
with the machine, their ratio does not. ratio = value / limit for rates, limit / value for times: 1 is the limit.
"""

import base64
import json
import os
import resource
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient

from auth import sessions
from auth.models import WebSession
from portal import config, db, schema
from portal.app import create_app
from portal.config import Settings
from portal.embedded.postgres import EmbeddedPostgres

ROUNDS = 5


@dataclass(frozen=True)
class Ground:
    """A migrated database on a durable embedded server, and settings that point to it."""

    server: EmbeddedPostgres
    settings: Settings
    environment: dict[str, str]


@contextmanager
def ground() -> Iterator[Ground]:
    """A fresh PostgreSQL with fsync on, as in production."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        server = EmbeddedPostgres(Path(folder) / "cluster")
        server.start()
        try:
            yield _ground(server, Path(folder))
        finally:
            server.stop()


def _ground(server: EmbeddedPostgres, folder: Path) -> Ground:
    schema.create_database(server.url(), "bench", ("bench_owner", "bench"), ("bench_app", "bench"))
    application = server.url("bench_app", "bench", "bench")
    schema.upgrade(server.url("bench_owner", "bench", "bench"), application)
    environment = {
        "PORTAL_ENV": "development",
        "PORTAL_SECRET_KEY": "a secret key that only the benchmarks use, 01234",
        "PORTAL_FILE_KEYS": "bench:" + base64.b64encode(b"1" * 32).decode(),
        "PORTAL_DATABASE_URL": application,
        "PORTAL_STORAGE_URL": f"file:{folder / 'files'}",
        "PORTAL_ANTIVIRUS_URL": "twin:",
        "PORTAL_LOG_LEVEL": "CRITICAL",
    }
    return Ground(server, config.load(environment), environment)


def application(settings: Settings) -> Flask:
    return create_app(settings)


def report(name: str, value: float, unit: str, limit: float, *, lower_is_better: bool = False, note: str = "") -> None:
    """Print the benchmark's line."""
    ratio = limit / value if lower_is_better else value / limit
    print(
        json.dumps(
            {
                "name": name,
                "value": round(value, 2),
                "unit": unit,
                "limit": round(limit, 2),
                "ratio": round(ratio, 3),
                "note": note,
            }
        ),
        flush=True,
    )


def interleaved(first: Callable[[], float], second: Callable[[], float], rounds: int = ROUNDS) -> tuple[float, float]:
    """The best (largest) of each, measured in turn."""
    pairs = [(first(), second()) for _ in range(rounds)]
    return max(one for one, _ in pairs), max(two for _, two in pairs)


def quickest(first: Callable[[], float], second: Callable[[], float], rounds: int = ROUNDS) -> tuple[float, float]:
    """The best (smallest) of each, measured in turn."""
    pairs = [(first(), second()) for _ in range(rounds)]
    return min(one for one, _ in pairs), min(two for _, two in pairs)


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def p95_ms(work: Callable[[], object], times: int) -> float:
    """Milliseconds within which nineteen times out of twenty it is done."""
    took = sorted(seconds(work) for _ in range(times))
    return took[int(times * 0.95)] * 1e3


def size(usual: int) -> int:
    """How large the data set is: `make bench NAME=… SIZE=…`."""
    return int(os.environ.get("SIZE") or usual)


def report_faults(name: str, count: int, unit: str, note: str) -> None:
    """Print the line of what must never happen: 1 when it did not, 0 otherwise."""
    line = {"name": name, "value": count, "unit": unit, "limit": 0, "ratio": float(count == 0), "note": note}
    print(json.dumps(line), flush=True)


def signed_in(app: Flask, account_id: UUID) -> FlaskClient:
    """A browser of this person. Call it in a transaction."""
    browser, token = app.test_client(), secrets.token_urlsafe(32)
    expires_at = db.now() + sessions.LIMITS["patient"].absolute
    db.session.add(
        WebSession(
            digest=sessions.digest(token), account_id=account_id, provider="franceconnect", acr="eidas1", amr="mfa",
            expires_at=expires_at,
        )
    )  # fmt: skip
    browser.set_cookie(sessions.cookie_name(secure=False), token)
    return browser


def cpu_seconds() -> float:
    """CPU time of this process so far, user and system."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


@contextmanager
def served(module: str, ground_: Ground, **environment: str) -> Iterator[str]:
    """`module:app` under the same gunicorn as production, one process; gives its base URL."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        module,
        "--bind",
        f"127.0.0.1:{port}",
        "--workers",
        "1",
        "--threads",
        "2",
        "--worker-class",
        "gthread",
        "--no-control-socket",
        "--log-level",
        "critical",
    ]
    child = subprocess.Popen(command, env=os.environ | ground_.environment | environment)
    try:
        _wait(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        child.terminate()
        child.wait()


def _wait(port: int) -> None:
    import socket

    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 0.5).close()
            return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError("the server did not come up")
