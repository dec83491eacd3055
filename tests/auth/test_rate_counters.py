"""Limits on visits without Redis: processes and machines count together, and nobody is locked out when they cannot."""

from datetime import timedelta

import pytest
from flask import Flask
from flask_limiter import Limiter
from limits import parse
from limits.strategies import FixedWindowRateLimiter
from pydantic import SecretStr
from sqlalchemy import update

from auth import rate_counters
from auth.rate_counters import InTheDatabase
from auth.tries import FailedTries
from portal import db
from portal.config import Settings
from portal.web.limits import visitor
from tests.ground import count, prepared, rows

pytestmark = pytest.mark.usefixtures("app")
THREE = parse("3 per minute")


@pytest.fixture
def machines() -> tuple[FixedWindowRateLimiter, FixedWindowRateLimiter]:
    """Two processes: nothing is kept in the memory of either."""
    return FixedWindowRateLimiter(InTheDatabase()), FixedWindowRateLimiter(InTheDatabase())


Machines = tuple[FixedWindowRateLimiter, FixedWindowRateLimiter]


def test_machines_count_together(machines: Machines) -> None:
    one, other = machines
    assert [each.hit(THREE, "somebody") for each in (one, other, one, other, one)] == [True, True, True, False, False]
    assert other.hit(THREE, "somebody else")


def test_a_window_ends(machines: Machines) -> None:
    for _ in range(4):
        machines[0].hit(THREE, "somebody")
    assert not machines[1].test(THREE, "somebody")
    with prepared():
        db.session.execute(update(FailedTries).values(first_at=FailedTries.first_at - timedelta(seconds=61)))
    assert machines[1].hit(THREE, "somebody")


def test_a_counter_can_be_forgotten_and_names_nobody(machines: Machines) -> None:
    machines[0].hit(THREE, "192.0.2.7")
    (kept,) = rows(FailedTries)
    assert b"192.0.2.7" not in kept.digest
    assert len(kept.digest) == 32
    machines[1].clear(THREE, "192.0.2.7")
    assert count(FailedTries) == 0


def test_where_they_are_counted(settings: Settings) -> None:
    valkey = settings.model_copy(update={"redis_url": SecretStr("redis://127.0.0.1:1/0")})
    reading = settings.model_copy(update={"read_only": True})
    assert [rate_counters.address(each) for each in (settings, valkey, reading)] == [
        "database://", "redis://127.0.0.1:1/0", "memory://",
    ]  # fmt: skip


class TestPages:
    @pytest.fixture
    def site(self) -> Flask:
        """A page with a limit, as one process serves it."""
        made = Flask("limited")
        made.config.update(RATELIMIT_STORAGE_URI="database://", RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=True)
        limiter = Limiter(visitor)

        @made.get("/limited")
        @limiter.limit("2 per minute")
        def limited() -> str:
            return "seen"

        limiter.init_app(made)
        return made

    def test_who_asks_too_often_is_told(self, site: Flask) -> None:
        browser = site.test_client()
        assert [browser.get("/limited").status_code for _ in range(4)] == [200, 200, 429, 429]

    def test_nobody_is_locked_out_while_the_database_is_away(self, app: Flask, site: Flask) -> None:
        db.connect("postgresql://nobody@127.0.0.1:1/none")
        try:
            assert site.test_client().get("/limited").status_code == 200
        finally:
            db._factory.configure(bind=app.extensions["parvis.engine"])


def test_it_says_whether_the_database_answers(app: Flask) -> None:
    storage = InTheDatabase()
    assert storage.check()
    db.connect("postgresql://nobody@127.0.0.1:1/none")
    try:
        assert not storage.check()
    finally:
        db._factory.configure(bind=app.extensions["parvis.engine"])
