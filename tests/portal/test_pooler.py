"""Behind PgBouncer in transaction mode: a connection is somebody else's a moment later, and nothing is left on it."""

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import psycopg
import pytest
from flask import Flask
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import DBAPIError

from auth.models import Patient
from portal import db, jobs, schema
from portal.db import ANONYMOUS, Actor
from portal.establishments import Establishment
from services.directory import loading
from tests import pooler
from tests.conftest import Database
from tests.factories import people
from tests.ground import count, prepared
from tests.pooler import Pooler
from tests.portal import jobs_under_test

pytestmark = [
    pytest.mark.usefixtures("app"),
    pytest.mark.skipif(pooler.program() is None, reason=pooler.ABSENT),
]
_CONNECTIONS = 3
_AT_ONCE = 8


@pytest.fixture(scope="module")
def in_front(database: Database) -> Iterator[Pooler]:
    with pooler.pooler(database.application_url, size=_CONNECTIONS) as made:
        yield made


@pytest.fixture
def address(in_front: Pooler, database: Database) -> str:
    return in_front.url(database.application_url)


@pytest.fixture
def engine(app: Flask, address: str) -> Iterator[Engine]:
    """The portal's own pool, on the other side of PgBouncer."""
    made = db.connect(address, prepare=False, pool_size=_AT_ONCE)
    yield made
    made.dispose()
    db._factory.configure(bind=app.extensions["parvis.engine"])


@pytest.fixture
def crowd() -> list[Actor]:
    """People who each see one patient, themselves; and one who sees none."""
    with prepared():
        known = [people.patient_with_account(birth_name=f"PERSONNE {number}") for number in range(6)]
    return [
        ANONYMOUS,
        *(Actor("patient", "", own.id, patients=frozenset({patient.id})) for own, patient in known),
    ]


def seen() -> set[UUID]:
    return set(db.session.scalars(select(Patient.id)))


def _read(actor: Actor) -> None:
    with db.transaction(actor):
        assert seen() == set(actor.patients)
        assert seen() == set(actor.patients)


def _fail(actor: Actor) -> None:
    with pytest.raises(DBAPIError), db.transaction(actor):  # noqa: PT012
        assert seen() == set(actor.patients)
        db.session.execute(text("select 1 / 0"))


def _take_too_long(actor: Actor) -> None:
    with pytest.raises(DBAPIError), db.transaction(actor):  # noqa: PT012
        db.session.execute(text("set local statement_timeout = '2ms'"))
        db.session.execute(text("select pg_sleep(1)"))


def _hang_up(actor: Actor) -> None:
    """The web process dies in the middle of a transaction."""
    with pytest.raises(DBAPIError), db.transaction(actor):  # noqa: PT012
        assert seen() == set(actor.patients)
        raw = db.session.connection().connection.driver_connection
        assert raw is not None
        raw.close()
        seen()


def _become_another(actor: Actor) -> None:
    with db.transaction(actor):
        seen()
        db.act_as(ANONYMOUS)
        assert seen() == set()


_ACTS: tuple[Callable[[Actor], None], ...] = (_read, _read, _read, _fail, _take_too_long, _hang_up, _become_another)


@pytest.mark.usefixtures("engine")
def test_nobody_sees_what_is_another_s_whatever_happens_to_a_connection(crowd: list[Actor], in_front: Pooler) -> None:
    def live(number: int) -> None:
        draw = random.Random(number)
        for _ in range(25):
            draw.choice(_ACTS)(draw.choice(crowd))

    with ThreadPoolExecutor(_AT_ONCE) as threads:
        for each in [threads.submit(live, number) for number in range(_AT_ONCE)]:
            each.result()
    (pool,) = [each for each in in_front.show("pools") if each["database"] != "pgbouncer"]
    assert pool["sv_active"] + pool["sv_idle"] + pool["sv_used"] + pool["sv_tested"] <= _CONNECTIONS


def test_nothing_of_anybody_is_left_on_a_connection(crowd: list[Actor], engine: Engine, address: str) -> None:
    for actor in crowd:
        _read(actor)
        _fail(actor)
        with psycopg.connect(address, autocommit=True, prepare_threshold=None) as stranger:
            for key in list(ANONYMOUS.keys()):
                (left,) = stranger.execute("select current_setting(%s, true)", (key,)).fetchone() or ("?",)
                assert left in ("", None)
            assert stranger.execute("select count(*) from patient").fetchone() == (0,)
            assert stranger.execute("show transaction_read_only").fetchone() == ("off",)


def test_what_is_set_for_the_role_counts_and_what_a_transaction_sets_ends_with_it(
    app: Flask, database: Database
) -> None:
    def at_once(number: int) -> tuple[str, str]:
        with db.transaction(ANONYMOUS) as current:
            before, place = current.scalar(text("show statement_timeout")), current.scalar(text("show search_path"))
            current.execute(text(f"set local statement_timeout = '{number + 1}s'"))
        return str(before), str(place)

    role = schema.role_of(database.application_url)
    with psycopg.connect(database.superuser_url, autocommit=True) as above:
        above.execute(f"alter role \"{role}\" set statement_timeout = '77s'")
        try:
            with pooler.pooler(database.application_url, size=_CONNECTIONS) as fresh:
                made = db.connect(fresh.url(database.application_url), prepare=False, pool_size=_AT_ONCE)
                with ThreadPoolExecutor(_AT_ONCE) as threads:
                    assert set(threads.map(at_once, range(40))) == {("77s", '"$user", public')}
                made.dispose()
        finally:
            above.execute(f'alter role "{role}" reset statement_timeout')
            db._factory.configure(bind=app.extensions["parvis.engine"])


def test_a_worker_works_through_it(address: str, engine: Engine) -> None:
    jobs_under_test.runs.clear()
    with prepared():
        for name in "abcdefghijkl":
            jobs.enqueue("tests.add", name=name)
    with ThreadPoolExecutor(1) as thread:
        thread.submit(jobs.work, address, concurrency=2, wait=False, prepare=False).result()
    assert count(Establishment) == 12
    assert sorted(jobs_under_test.runs) == list("abcdefghijkl")


@pytest.mark.usefixtures("engine")
def test_one_import_of_the_directory_at_a_time_and_the_next_one_may() -> None:
    inside, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with loading._alone():
            inside.set()
            leave.wait(10)

    with ThreadPoolExecutor(1) as thread:
        held = thread.submit(hold)
        assert inside.wait(10)
        with pytest.raises(loading.AlreadyLoading), loading._alone():
            pass
        leave.set()
        held.result()
    with loading._alone():
        pass
