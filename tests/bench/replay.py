"""A limit that cannot drift from the code: the statements of one action, recorded, then sent straight through psycopg.

Each play is rolled back, so that the next one finds the same rows, and ends with one small commit: the flush of the log
that the action would have waited for.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg
from flask import Flask
from sqlalchemy import event

from tests.bench.harness import Ground

Statements = Sequence[tuple[str, Any]]


@contextmanager
def recorded(app: Flask) -> Iterator[list[tuple[str, Any]]]:
    """The statements sent meanwhile, with their parameters."""
    kept: list[tuple[str, Any]] = []

    def keep(_connection: object, _cursor: object, statement: str, parameters: Any, *_rest: object) -> None:
        kept.append((statement, parameters))

    engine = app.extensions["parvis.engine"]
    event.listen(engine, "before_cursor_execute", keep)
    try:
        yield kept
    finally:
        event.remove(engine, "before_cursor_execute", keep)


@contextmanager
def player(place: Ground, statements: Statements, *, writes: bool) -> Iterator[Callable[[], None]]:
    """A function that plays them once. writes: whether the action waits for a flush of the log."""
    with ExitStack() as opened:
        connection = opened.enter_context(psycopg.connect(place.settings.database_url.get_secret_value()))
        if writes:
            flushing = opened.enter_context(psycopg.connect(place.server.url(database="bench"), autocommit=True))
            flushing.execute("create table if not exists flushed (at timestamptz)")

        def play() -> None:
            for statement, parameters in statements:
                _send(connection, statement, parameters)
            connection.rollback()
            if writes:
                flushing.execute("insert into flushed values (now())")

        yield play


def _send(connection: psycopg.Connection, statement: str, parameters: Any) -> None:
    if isinstance(parameters, list):
        connection.cursor().executemany(statement, parameters)
        return
    cursor = connection.execute(statement, parameters)
    if cursor.description:
        cursor.fetchall()
