"""The harness itself, without its processes: a bad line is bad, readers see what is wrong, drills are told."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from flask import Flask

from tests.conftest import Database
from tests.drills import readers
from tests.drills.__main__ import known, main
from tests.drills.history import OK, History
from tests.drills.line import Line, Trouble
from tests.drills.people import picture, rudeness
from tests.factories import appointments, hospitals, people
from tests.ground import prepared

ROOT = Path(__file__).parents[2]


@pytest.fixture
def line() -> Iterator[Line]:
    """A line to somebody who repeats what they hear."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def repeat() -> None:
            while True:
                try:
                    caller, _address = listening.accept()
                except OSError:
                    return
                with caller:
                    while data := caller.recv(100):
                        caller.sendall(data)

        threading.Thread(target=repeat, daemon=True).start()
        made = Line(listening.getsockname())
        yield made
        made.close()
        listening.shutdown(socket.SHUT_RDWR)


def said_back(line: Line) -> bytes:
    with closing(socket.create_connection(("127.0.0.1", line.port), 5)) as caller:
        caller.settimeout(0.3)
        caller.sendall(b"good morning")
        return caller.recv(100)


def test_a_good_line_carries_what_is_said(line: Line) -> None:
    assert said_back(line) == b"good morning"


@pytest.mark.parametrize(
    ("trouble", "met"), [(Trouble.REFUSED, ConnectionError), (Trouble.SILENT, TimeoutError)], ids=str
)
def test_a_bad_line_is_bad_until_it_heals(line: Line, trouble: Trouble, met: type[Exception]) -> None:
    line.fail(trouble)
    with pytest.raises(met):
        said_back(line)
    line.heal()
    assert said_back(line) == b"good morning"


def test_a_line_may_be_cut_in_the_middle_of_an_answer(line: Line) -> None:
    line.fail(Trouble.CUT)
    assert said_back(line) == b"good mor"


def test_a_line_may_lie(line: Line) -> None:
    line.fail(Trouble.GARBLED)
    assert said_back(line) == bytes(255 - byte for byte in b"good morning")
    line.fail(Trouble.ELSEWHERE)
    assert said_back(line).startswith(b"HTTP/1.1 200 OK")
    line.fail(Trouble.OVERLOADED)
    assert said_back(line).startswith(b"HTTP/1.1 503 ")
    line.heal()
    assert said_back(line) == b"good morning"


@pytest.fixture
def here(app: Flask, database: Database) -> Any:
    """What readers look at: the tables of the test."""

    def sql(statement: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(database.superuser_url, autocommit=True) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    return SimpleNamespace(sql=sql, app=app)


def test_readers_see_a_booking_that_was_acknowledged_and_is_not_there(here: Any) -> None:
    with prepared():
        where = hospitals.hospital()
        reason = appointments.reason(where.unit)
        opened = appointments.consultation(where, [reason])
        made = appointments.booked(people.patient(), reason, opened)
    history = History()
    with history.invoke(1, "book") as kept:
        kept.outcome, kept.facts = OK, {"appointment_id": made.id, "slot": f"{opened.id}-0"}
    assert readers.acknowledged_bookings(here, history) == []
    assert readers.audit_chain(here, history) == []
    with history.invoke(2, "book") as lost:
        lost.outcome, lost.facts = OK, {"appointment_id": uuid4(), "slot": f"{opened.id}-2"}
    assert len(readers.acknowledged_bookings(here, history)) == 1
    assert len(readers.audit_chain(here, history)) == 1


def test_nobody_is_left_without_an_answer() -> None:
    history = History()
    with history.invoke(1, "book"):
        pass
    assert readers.everybody_answered(SimpleNamespace(), history) == ["book of 1: nobody knows"]  # type: ignore[arg-type]  # it looks at no place


def test_what_a_burnt_machine_took_with_it_is_forgotten_and_nothing_else(here: Any) -> None:
    history = History()
    here.bank = SimpleNamespace(truth=lambda: {"operations": [{"idop": "late", "paid_cents": 100}]})
    for person in (1, 2):
        with history.invoke(person, "book") as operation:
            operation.outcome, operation.facts = OK, {"appointment_id": uuid4(), "slot": f"{uuid4()}-0"}
    history.forget(history.all()[:1])
    assert [each.person for each in history.all()] == [2]
    assert len(readers.acknowledged_bookings(here, history)) == 1
    assert readers.money(here, history) == ["payment late: -100 cents"]
    history.beyond.add("late")
    assert readers.money(here, history) == []


@pytest.mark.parametrize(
    ("status", "text", "polite"),
    [
        (200, "psycopg", True),
        (503, '<div class="app-trouble">', True),
        (503, '<html class="govuk-template app-template">', True),
        (500, '<div class="app-trouble"> Traceback', False),
        (500, "Internal Server Error", False),
    ],
    ids=str,
)
def test_errors_that_show_the_inside_are_rude(status: int, text: str, polite: bool) -> None:
    assert (rudeness(httpx.Response(status, text=text)) == "") is polite


def test_the_same_seed_draws_the_same_picture() -> None:
    assert picture(Random(7)) == picture(Random(7)) != picture(Random(8))


def test_each_drill_is_told_in_the_documentation(capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "docs/drills.md").read_text(encoding="utf-8")
    drills: dict[str, tuple[Callable[..., Any], int]] = known()
    assert {name for name in drills if f"`{name}`" not in page} == set()
    assert main("no such drill", 1, 1) == 2
    assert "web.kill" in capsys.readouterr().err
