"""However many files there are, the tray and the search find theirs through an index, under row-level security."""

from collections.abc import Callable

import psycopg
import pytest
from flask import Flask
from sqlalchemy import event, text

from portal import db
from services.preadmission import queries
from services.preadmission.queries import TrayFilter
from tests.admin.admissions import Office, office
from tests.conftest import Database
from tests.factories import people


@pytest.fixture
def desk(app: Flask) -> Office:
    return office()


@pytest.fixture
def plans(app: Flask, desk: Office) -> Callable[[Callable[[], object]], str]:
    """What PostgreSQL does for a clerk's statements when it may not read whole tables of files and people, nor sort: a
    few files are cheaper sorted, and how few a table is remembered to hold depends on the tests before."""
    engine = app.extensions["parvis.engine"]

    def explained(ask: Callable[[], object]) -> str:
        seen: list[tuple[str, object]] = []

        def note(_connection: object, _cursor: object, statement: str, values: object, *_more: object) -> None:
            seen.append((statement, values))

        clerk = people.as_agent(desk.clerk, desk.hospital.establishment.id, "preadmission")
        with db.transaction(clerk) as current:
            for way in ("seqscan", "bitmapscan", "sort", "incremental_sort"):
                current.execute(text(f"set local enable_{way} = off"))
            event.listen(engine, "before_cursor_execute", note)
            try:
                ask()
            finally:
                event.remove(engine, "before_cursor_execute", note)
            raw = current.connection().connection.driver_connection
            assert raw is not None
            lines = [
                line
                for statement, values in seen
                if statement.startswith("SELECT")
                for (line,) in raw.execute(f"explain (costs off) {statement}", values).fetchall()
            ]
        return "\n".join(lines)

    return explained


@pytest.mark.parametrize(
    ("group", "index"),
    [
        ("to_process", "ix_preadmission_to_process"),
        ("unassigned", "ix_preadmission_to_process"),
        ("waiting", "ix_preadmission_waiting"),
        ("ready", "ix_preadmission_ready"),
        ("closed", "ix_preadmission_closed"),
    ],
)
def test_a_page_of_the_tray_is_read_in_its_order(
    desk: Office, plans: Callable[[Callable[[], object]], str], group: str, index: str
) -> None:
    here = frozenset([desk.hospital.establishment.id])
    assert index in plans(lambda: queries.tray(here, TrayFilter(group)))


@pytest.fixture
def crowd(desk: Office, database: Database) -> None:
    """Enough people for an index to be worth its while, and statistics that know it: a table that other tests emptied
    may be remembered as empty."""
    with db.transaction(db.system("tests")):
        for number in range(300):
            people.patient(f"NOM{number:03d}")
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute("analyze patient")
        owner.execute("analyze preadmission")


@pytest.mark.usefixtures("crowd")
def test_a_name_is_searched_through_its_key(desk: Office, plans: Callable[[Callable[[], object]], str]) -> None:
    here = frozenset([desk.hospital.establishment.id])
    plan = plans(lambda: queries.search(here, "mart"))
    assert "ix_patient_name_key" in plan
    assert "~~" not in plan
