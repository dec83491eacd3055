"""The ground of every test: a real PostgreSQL, the real application, pages that are checked as they pass.

The server is the embedded one, or `TEST_DATABASE_URL` (a superuser's URL). Each worker process has a database of
its own; each test starts with empty tables.
"""

import base64
import os
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import hypothesis
import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from auth import assurance, sessions
from auth.models import Account, WebSession
from portal import config, db, jobs, schema
from portal.app import create_app
from portal.catalog.legal import queries as legal_queries
from portal.catalog.notices import queries as notice_queries
from portal.config import Settings
from portal.embedded.postgres import EmbeddedPostgres
from portal.kpi import keys
from portal.web import branding
from tests import network
from tests.emptying import Tables
from tests.grouping import pytest_xdist_make_scheduler  # noqa: F401  # a hook: pytest finds it here
from tests.pages import PageClient

network.forbid()
# A busy machine is not a failure, and a run leaves nothing to the next one.
hypothesis.settings.register_profile("suite", deadline=None, database=None)
hypothesis.settings.load_profile("suite")

ROOT = Path(__file__).parents[1]
TESTDATA = ROOT.parent / "shared" / "testdata"


@dataclass(frozen=True)
class Database:
    superuser_url: str
    owner_url: str
    application_url: str


@pytest.fixture(scope="session")
def worker(request: pytest.FixtureRequest) -> str:
    return str(getattr(request.config, "workerinput", {}).get("workerid", "main"))


@pytest.fixture(scope="session")
def server_url(worker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A superuser's URL of the PostgreSQL server under test."""
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield given
        return
    cluster = os.environ.get("TEST_CLUSTER", "suite")
    binaries = os.environ.get("TEST_POSTGRES_BINARIES")
    server = EmbeddedPostgres(
        ROOT / "var" / "test" / f"{cluster}-{worker}", durable=False, server=Path(binaries) if binaries else None
    )
    server.start()
    yield server.url()
    server.stop()


@pytest.fixture(scope="session")
def database(server_url: str, worker: str) -> Iterator[Database]:
    """A migrated database with its two roles, dropped at the end."""
    stamp = secrets.token_hex(4)
    name = f"parvis_test_{worker}_{stamp}"
    owner, application = (f"owner_{stamp}", secrets.token_hex(16)), (f"app_{stamp}", secrets.token_hex(16))
    schema.create_database(server_url, name, owner, application)
    urls = Database(
        with_database(server_url, name),
        with_database(server_url, name, *owner),
        with_database(server_url, name, *application),
    )
    schema.upgrade(urls.owner_url, urls.application_url)
    yield urls
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f'drop database "{name}" with (force)')
        connection.execute(f'drop role "{owner[0]}"')
        connection.execute(f'drop role "{application[0]}"')


def with_database(url: str, database: str, user: str = "", password: str = "") -> str:
    """The same server, another database and, when given, another role."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    login = f"{user}:{password}" if user else parts.netloc.rpartition("@")[0]
    return urlunsplit(parts._replace(netloc=f"{login}@{host}", path=f"/{database}"))


@pytest.fixture(scope="session")
def settings(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return config.load(
        {
            "PORTAL_ENV": "test",
            "PORTAL_SECRET_KEY": "a secret key that only the tests use, 0123456789",
            "PORTAL_FILE_KEYS": "test:" + base64.b64encode(b"0" * 32).decode(),
            "PORTAL_DATABASE_URL": database.application_url,
            "PORTAL_STORAGE_URL": f"file:{tmp_path_factory.mktemp('files')}",
            "PORTAL_ANTIVIRUS_URL": "twin:",
            "PORTAL_BASE_URL": "http://127.0.0.1",
            "PORTAL_LOG_LEVEL": "ERROR",
        }
    )


@pytest.fixture(scope="session")
def app(settings: Settings) -> Flask:
    made = create_app(settings)
    made.test_client_class = PageClient
    for at in (db.now(), db.now() - timedelta(days=30)):
        keys.of_month(keys.month_of(at))  # asked for once by each process: no test counts it among its statements
    return made


@pytest.fixture(scope="session")
def tables(database: Database) -> Iterator[Tables]:
    """The application's tables, over one connection: opening one for each test would cost more than the test."""
    with psycopg.connect(database.superuser_url, autocommit=True) as connection:
        yield Tables(connection)


def _uses_the_application(request: pytest.FixtureRequest) -> bool:
    """Those that prepare one ground for a whole module say so: `own_ground`."""
    return "app" in request.fixturenames and request.node.get_closest_marker("own_ground") is None


@pytest.fixture(autouse=True)
def _cleared(request: pytest.FixtureRequest) -> None:
    """Tests that use the application start with empty tables, and nothing remembered of the former ones."""
    if _uses_the_application(request):
        request.getfixturevalue("tables").empty()
        assurance.forget()
        branding.forget()
        notice_queries.suppose_none()
        legal_queries.suppose_none()


@pytest.fixture(autouse=True)
def _ground(_cleared: None, request: pytest.FixtureRequest) -> Iterator[None]:
    """Tests that use the application stand inside its context."""
    if not _uses_the_application(request):
        yield
        return
    with request.getfixturevalue("app").app_context():
        yield


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser that nobody signed in with."""
    return app.test_client()


@pytest.fixture
def sign_in(app: Flask) -> Callable[[Account | UUID], FlaskClient]:
    """A browser signed in with this account, without the trip to the provider (which has its own tests)."""

    def signed_in(account: Account | UUID) -> FlaskClient:
        browser, token = app.test_client(), secrets.token_urlsafe(32)
        account_id = account if isinstance(account, UUID) else account.id
        with db.transaction(db.system("tests.sign_in")) as current:
            current.add(
                WebSession(
                    digest=sessions.digest(token),
                    account_id=account_id,
                    provider="franceconnect",
                    acr="eidas1",
                    amr="mfa",
                    activity={},  # what a sign-in settles for whoever has no site to choose from
                    expires_at=db.now() + sessions.LIMITS["patient"].absolute,
                )
            )
        browser.set_cookie(sessions.cookie_name(secure=False), token)
        return browser

    return signed_in


@pytest.fixture
def work_jobs(settings: Settings) -> Callable[[], None]:
    """Do every job that is due, in this process, and return when the queue is empty."""

    def work() -> None:
        # In a thread of its own: a browser test leaves an event loop running in this one.
        with ThreadPoolExecutor(1) as worker_thread:
            url = settings.database_url.get_secret_value()
            worker_thread.submit(jobs.work, url, concurrency=1, wait=False).result()

    return work


@pytest.fixture
def statements(app: Flask) -> Callable[[], object]:
    """`with statements() as seen:` lists the SQL statements sent meanwhile."""

    @contextmanager
    def counting() -> Iterator[list[str]]:
        seen: list[str] = []

        def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
            seen.append(statement)

        engine = app.extensions["parvis.engine"]
        event.listen(engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            event.remove(engine, "before_cursor_execute", note)

    return counting
