"""auth.request_overhead: what being signed in costs a request, in µs of CPU: the session, the guard, the context of
row-level security and one audit line, against the same page of the same application without them.

Limit: the same two statements through psycopg, in a transaction of their own. The aim is 500 µs.
"""

import secrets
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import psycopg
from flask import Blueprint, Flask
from sqlalchemy import text
from werkzeug.test import EnvironBuilder

from auth import guards, sessions
from auth.models import WebSession
from portal import audit, db
from portal.db import ANONYMOUS
from portal.establishments import establishments
from tests.bench.harness import Ground, application, ground, report
from tests.factories import hospitals, people

NAMES = ("auth.request_overhead",)
AIM_US = 500
_REQUESTS, _ROUNDS = 200, 9
_PAGE = "<!doctype html><html lang=fr><title>Page</title><ul>{% for name in names %}<li>{{ name }}{% endfor %}</ul>"
_INSERT = (
    "insert into audit_event (actor, actor_name, action, patient_id, establishment_id, object_kind, object_id, details)"
    " values (%s, '', 'bench.opened', %s, null, 'patient', null, '{}')"
)


def run() -> None:
    with ground() as place:
        app = application(place.settings)
        token, account_id = _fill(app)
        _add_pages(app)
        cookie = f"{sessions.cookie_name(secure=False)}={token}"
        guarded, plain = _asker(app, "/bench/guarded", cookie), _plain(app, _asker(app, "/bench/plain", ""))
        raw = _raw(place, token, account_id)
        times = [(_cpu_us(guarded), _cpu_us(plain), _cpu_us(raw)) for _round in range(_ROUNDS)]
        with_it, without, limit = (min(each) for each in zip(*times, strict=True))
        report(
            "auth.request_overhead", with_it - without, "µs CPU", limit, lower_is_better=True,
            note=f"aim {AIM_US} µs; the page takes {with_it:.0f} µs with and {without:.0f} µs without;"
            f" in PostgreSQL {_in_database(app, guarded):.0f} µs with and {_in_database(app, plain):.0f} µs without",
        )  # fmt: skip


def _fill(app: Flask) -> tuple[str, UUID]:
    token = secrets.token_urlsafe(32)
    with app.app_context(), db.transaction(db.system("bench")) as current:
        hospitals.hospital()
        account, _patient = people.patient_with_account()
        current.add(
            WebSession(
                digest=sessions.digest(token),
                account_id=account.id,
                provider="franceconnect",
                acr="eidas1",
                amr="mfa",
                expires_at=db.now() + sessions.LIMITS["patient"].absolute,
            )
        )
        return token, account.id


def _add_pages(app: Flask) -> None:
    """One page twice: behind the guard of one's own file, with its audit line; and without anything."""
    guarded = guards.patients(Blueprint("bench_guarded", __name__), "account")
    plain = guards.public(Blueprint("bench_plain", __name__))
    page = app.jinja_env.from_string(_PAGE)

    @guarded.get("/bench/guarded")
    def opened() -> str:
        audit.record("bench.opened", patient_id=guards.patient_id(), object_kind="patient")
        return page.render(names=[each.name for each in establishments()])

    @plain.get("/bench/plain")
    def shown() -> str:
        return page.render(names=[each.name for each in establishments()])

    app.register_blueprint(guarded)
    app.register_blueprint(plain)


def _asker(app: Flask, path: str, cookie: str) -> Callable[[], None]:
    """Ask for the page once, below any HTTP server. Without a user agent nothing is counted as a visit."""
    environ = EnvironBuilder(path, headers={"Cookie": cookie} if cookie else {}).get_environ()

    def ask() -> None:
        status: list[str] = []
        answer = app.wsgi_app(dict(environ), lambda code, _headers, _info=None: status.append(code))
        body = b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
        if status != ["200 OK"]:
            raise RuntimeError(f"{path} answered {status}: {body[:300]!r}")

    return ask


def _plain(app: Flask, ask: Callable[[], None]) -> Callable[[], None]:
    """The same, in an application that neither looks for a session nor declares anybody to the database."""

    def asked() -> None:
        known = app.extensions["parvis.declare"], app.extensions["parvis.foresee"]
        app.extensions["parvis.declare"], app.extensions["parvis.foresee"] = lambda *_: ANONYMOUS, lambda _: ANONYMOUS
        try:
            ask()
        finally:
            app.extensions["parvis.declare"], app.extensions["parvis.foresee"] = known

    return asked


def _raw(place: Ground, token: str, account_id: UUID) -> Callable[[], None]:
    connection = psycopg.connect(place.settings.database_url.get_secret_value())
    digest = sessions.digest(token)

    def ask() -> None:
        row = connection.execute("select * from open_web_session(%s)", (digest,)).fetchone()
        assert row is not None
        connection.execute(_INSERT, (f"patient:{account_id}", row[14] or None))
        connection.commit()

    return ask


def _cpu_us(ask: Callable[[], None]) -> float:
    """CPU time of this process per call."""
    for _warming in range(20):
        ask()
    before = time.process_time()
    for _request in range(_REQUESTS):
        ask()
    return (time.process_time() - before) / _REQUESTS * 1e6


def _in_database(app: Flask, ask: Callable[[], None]) -> float:
    """CPU time of the connection's PostgreSQL process per call."""
    with app.extensions["parvis.engine"].connect() as connection:
        backend = connection.scalar(text("select pg_backend_pid()"))
    ticks = Path(f"/proc/{backend}/schedstat")
    before = int(ticks.read_text().split()[0])
    for _request in range(_REQUESTS):
        ask()
    return (int(ticks.read_text().split()[0]) - before) / _REQUESTS / 1e3
