"""What the log says when something breaks: where and what kind, and nothing that somebody typed."""

import io
import json
import logging
from collections.abc import Callable, Iterator

import psycopg
import pytest
import structlog
from flask import Blueprint, Flask
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from auth import guards
from portal import db, logs
from portal.config import Settings
from tests.conftest import Database
from tests.ground import prepared

breaking = guards.public(Blueprint("breaking", __name__, url_prefix="/breaking"))


@breaking.get("/<value>")
def broken(value: str) -> str:
    raise ValueError(f"cannot read {value}")


@pytest.fixture
def said(settings: Settings) -> Iterator[io.StringIO]:
    """The log of a production at DEBUG; the suite's own one comes back."""
    before, handlers = structlog.get_config(), list(logging.getLogger().handlers)
    stream = io.StringIO()
    logs.configure(settings.model_copy(update={"env": "production", "log_level": "DEBUG"}), stream)
    yield stream
    logging.captureWarnings(False)
    logging.getLogger().handlers[:] = handlers
    structlog.configure(**before)


def lines(said: io.StringIO) -> list[dict[str, str]]:
    return [json.loads(line) for line in said.getvalue().splitlines()]


def raised(*errors: Exception) -> Exception:
    """The last of these, caused by the one before."""
    try:
        for error in errors[:-1]:
            raise error
    except Exception as cause:
        errors[-1].__cause__ = cause
    try:
        raise errors[-1]
    except Exception as error:
        return error


def test_an_error_is_told_by_its_class_and_its_place(said: io.StringIO) -> None:
    error = raised(KeyError("Jeanne"), ValueError("Jeanne MARTIN"))
    structlog.get_logger("tests").error("something.broke", exc_info=error)
    (line,) = lines(said)
    assert line["event"] == "something.broke"
    assert line["exception"].splitlines()[-1] == "ValueError"
    assert "KeyError" in line["exception"]
    assert "test_logs.py" in line["exception"]
    assert "Jeanne" not in said.getvalue()


def test_an_error_of_the_code_keeps_its_words(said: io.StringIO) -> None:
    structlog.get_logger("tests").error("something.broke", exc_info=raised(AttributeError("no attribute 'x'")))
    assert lines(said)[0]["exception"].endswith("AttributeError: no attribute 'x'")


def test_what_a_database_refuses_is_not_repeated(app: Flask, database: Database) -> None:
    twice = "(gen_random_uuid(), '1', 'Jeanne'), (gen_random_uuid(), '1', 'Jeanne')"
    with prepared(), pytest.raises(SQLAlchemyError) as refused, db.session.begin_nested():
        db.session.execute(text(f"insert into establishment (id, finess, name) values {twice}"))
    told = logs.fault(refused.value)
    assert "Jeanne" not in told
    assert "establishment" in told.splitlines()[-1]
    with psycopg.connect(database.application_url) as connection, pytest.raises(psycopg.Error) as bare:
        connection.execute("select 'Jeanne'::int")
    assert logs.kind(bare.value) == "psycopg.errors.InvalidTextRepresentation 22P02"


def test_libraries_speak_in_the_same_lines_and_only_of_what_worries_them(said: io.StringIO) -> None:
    structlog.contextvars.clear_contextvars()
    library = logging.getLogger("a.library")
    library.info("GET /?q=Jeanne")
    library.warning("slow: %s", "pool")
    (line,) = lines(said)
    assert (line["event"], line["logger"], line["level"]) == ("slow: pool", "a.library", "warning")
    assert line["timestamp"].endswith("Z")
    assert "Jeanne" not in said.getvalue()


def test_a_library_that_breaks_says_its_pattern_and_not_what_it_was_given(said: io.StringIO) -> None:
    library = logging.getLogger("a.library")
    try:
        raise ValueError("Jeanne")
    except ValueError as error:
        library.exception("Error handling request %s", "/recherche?q=Jeanne")
        library.exception(error)
    first, second = lines(said)
    assert first["event"] == "Error handling request %s"
    assert second["event"] == "ValueError"
    assert "Jeanne" not in said.getvalue()


def test_what_a_server_cannot_read_is_not_repeated(said: io.StringIO) -> None:
    server = logging.getLogger("gunicorn.error")
    propagates, server.propagate = server.propagate, True
    server.warning("Invalid request from ip=192.0.2.7: Invalid HTTP request line: 'GET /?q=Jeanne'")
    server.propagate = propagates
    (line,) = lines(said)
    assert line["event"] == "Invalid request"


def test_every_line_of_a_request_has_its_number_and_its_error_page_the_beginning_of_it(
    make_app: Callable[..., Flask], settings: Settings, said: io.StringIO
) -> None:
    client = make_app(breaking).test_client()
    logs.configure(settings.model_copy(update={"env": "production", "log_level": "DEBUG"}), said)
    answer = client.get("/breaking/Jeanne", check=False)
    again = client.get("/breaking/Jeanne", check=False)
    assert answer.status_code == 500
    numbers = [line["request"] for line in lines(said)]
    assert len(numbers) == 4
    assert numbers[0] == numbers[1] != numbers[2] == numbers[3]
    assert len(numbers[0]) == 32
    assert numbers[0][:8] in answer.text
    assert numbers[2][:8] in again.text
    assert "Jeanne" not in said.getvalue()
    assert structlog.contextvars.get_contextvars() == {}, "a thread keeps nothing of the former request"
