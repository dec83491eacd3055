"""A machine whose clock is wrong lives by the database's, and notices when somebody sets its own."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest
from flask import Flask, session
from flask.testing import FlaskClient
from itsdangerous import TimestampSigner
from procrastinate.periodic import PeriodicRegistry

from portal import clocks, db, job_workers
from tests.conftest import Database


class Wrong:
    """What this machine believes, in seconds from the truth."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self._time = time.time

    def __call__(self) -> float:
        return self._time() + self.ahead


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wrong]:
    wrong = Wrong()
    before = list(clocks._last)
    clocks._last.clear()
    monkeypatch.setattr(time, "time", wrong)
    yield wrong
    clocks._last[:] = before


def compare(database: Database) -> None:
    with psycopg.connect(database.superuser_url) as connection:
        clocks.compare(connection)


def off_by(database: Database) -> float:
    """Seconds between our present moment and the database's."""
    with psycopg.connect(database.superuser_url) as connection:
        row = connection.execute("select clock_timestamp()").fetchone()
    assert row is not None
    return float((db.now() - row[0]).total_seconds())


@pytest.mark.parametrize("ahead", [-7200, -3, 3, 420, 11 * 3600])
def test_the_present_moment_is_the_databases(machine: Wrong, database: Database, ahead: float) -> None:
    machine.ahead = ahead
    compare(database)
    assert abs(off_by(database)) < 1
    assert clocks.ahead() == pytest.approx(ahead, abs=1)


@pytest.mark.parametrize("ahead", [-1.2, 0, 1.2])
def test_a_second_is_left_alone(machine: Wrong, database: Database, ahead: float) -> None:
    machine.ahead = ahead
    compare(database)
    assert clocks.ahead() == 0
    assert clocks.timestamp() == pytest.approx(machine(), abs=0.2)


def test_a_clock_that_is_set_right_counts_at_once(machine: Wrong, database: Database) -> None:
    machine.ahead = 3600
    compare(database)
    machine.ahead = 0
    assert clocks.ahead() == 0
    assert abs(clocks.timestamp() - machine()) < 1
    assert clocks._is_due(), "the database is asked again before its minute"


def test_it_is_compared_once_a_minute_on_a_connection_that_is_given_anyway(machine: Wrong, app: Flask) -> None:
    machine.ahead = 420
    with app.app_context():
        for _visit in range(3):
            with db.transaction(db.system("tests")) as current:
                current.connection()
            (first,) = clocks._last
            assert first.ahead == pytest.approx(420, abs=1)
            assert not clocks._is_due()


def test_a_connection_that_breaks_changes_nothing(machine: Wrong, database: Database) -> None:
    machine.ahead = 420
    compare(database)
    with psycopg.connect(database.superuser_url) as connection:
        pass
    clocks.compare(connection)
    assert clocks.ahead() == pytest.approx(420, abs=1)


def test_a_form_that_another_machine_wrote_a_little_ahead_is_ours(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.test_request_context("/"):
        session["csrf_token"] = "known"
        monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _self: int(time.time()) + 2)
        answer = app.make_response("")
        app.session_interface.save_session(app, session, answer)  # type: ignore[arg-type]  # the request's own
        monkeypatch.undo()
    cookie = answer.headers["Set-Cookie"].partition(";")[0].partition("=")[2]
    for kept, known in ((cookie, "known"), (cookie[:-3] + "AAA", None), ("", None)):
        header = f"{app.config['SESSION_COOKIE_NAME']}={kept}"
        with app.test_request_context("/", headers={"Cookie": header}):
            assert session.get("csrf_token") == known


def test_a_clock_that_is_set_back_still_starts_its_jobs() -> None:
    registry = PeriodicRegistry()  # type: ignore[no-untyped-call]  # theirs says nothing of types
    clock = job_workers._Clock(registry)
    noon = datetime(2026, 10, 25, 12, tzinfo=UTC).timestamp()
    clock.last_defers = {("early", ""): int(noon) + 3600, ("done", ""): int(noon) - 60}
    clock.forget_after(noon)
    assert clock.last_defers == {("done", ""): int(noon) - 60}
