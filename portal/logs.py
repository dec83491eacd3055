"""The technical log: JSON lines without personal data; readable lines in development.

What breaks is told by where it broke and by the class of the error: the text of an error may hold what somebody typed,
and what a database refuses it repeats. Libraries speak from WARNING on, whatever `PORTAL_LOG_LEVEL` says: below, they
tell addresses and answers.
"""

import json
import logging
import sys
import threading
import traceback
from collections.abc import Iterator, MutableMapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, TextIO

import psycopg
import structlog
from sqlalchemy.exc import DBAPIError

from portal.config import Settings

_ABOUT_CODE: Final = (AttributeError, ImportError, NameError, NotImplementedError, RecursionError)
"""Errors whose text names what is written in the code, and nothing that came from outside."""
_OF_SERVERS: Final = ("gunicorn.error",)
"""Loggers that keep handlers of their own."""


def configure(settings: Settings, stream: TextIO | None = None) -> None:
    """One line per event on standard error, or on this stream."""
    pretty = settings.env in ("development", "test")
    aloud = stream or sys.stderr
    ending: list[Any] = (
        [structlog.processors.format_exc_info, structlog.dev.ConsoleRenderer()]
        if pretty
        else [_with_fault, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *ending,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, settings.log_level)),
        logger_factory=structlog.PrintLoggerFactory(aloud),
        cache_logger_on_first_use=False,
    )
    if pretty:
        logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s", stream=aloud)
    else:
        _say_libraries(aloud)


def _say_libraries(stream: TextIO) -> None:
    """What libraries log comes in the same lines."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Lines())
    root = logging.getLogger()
    root.handlers[:] = [each for each in root.handlers if not isinstance(each.formatter, Lines)] + [handler]
    root.setLevel(logging.WARNING)
    for name in _OF_SERVERS:
        for each in logging.getLogger(name).handlers:
            each.setFormatter(Lines())
    logging.captureWarnings(True)


class Lines(logging.Formatter):
    """A record of the standard library as one of our lines. With an error, what was said around it is the library's
    pattern alone: the values put into it may be an address with its query."""

    def format(self, record: logging.LogRecord) -> str:
        """JSON, one line."""
        error = record.exc_info[1] if record.exc_info else None
        line: dict[str, Any] = {
            "event": self._said(record, error),
            "logger": record.name,
            "level": record.levelname.lower(),
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z"),
            **structlog.contextvars.get_contextvars(),
        }
        if error:
            line["exception"] = fault(error)
        return json.dumps(line, default=str)

    @staticmethod
    def _said(record: logging.LogRecord, error: BaseException | None) -> str:
        if isinstance(record.msg, BaseException):
            return kind(record.msg)
        said = str(record.msg) if error else record.getMessage()
        # gunicorn puts the sender's address and what it sent after this word.
        return said.partition(" from ")[0] if record.name in _OF_SERVERS else said


def _with_fault(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["exception"] = fault(error)
    return event


def fault(error: BaseException) -> str:
    """Where an error was raised and what kind it is, causes first; no value in it."""
    return "\n".join(line for each in _with_causes(error) for line in (*_frames(each), kind(each)))


def kind(error: BaseException) -> str:
    """The class of an error, and what may be said of it: of a database's, the code and what refused; of an error of
    the code, its text."""
    name = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    if isinstance(error, _ABOUT_CODE):
        return f"{name}: {error}"
    met = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(met, psycopg.Error):
        named = (met.diag.table_name, met.diag.column_name, met.diag.constraint_name)
        return " ".join(filter(None, (name, met.sqlstate, *named)))
    return name


def _with_causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    met: BaseException | None = error
    while met is not None and met not in found and len(found) < 10:
        found.append(met)
        met = met.__cause__ or (None if met.__suppress_context__ else met.__context__)
    return found[::-1]


def _frames(error: BaseException) -> Iterator[str]:
    for frame in traceback.extract_tb(error.__traceback__):
        yield f"  {frame.filename}:{frame.lineno} {frame.name}"


def guard_process(settings: Settings) -> None:
    """What ends this process, or one of its threads, is told as everything else is."""
    if settings.env in ("development", "test"):
        return
    sys.excepthook = _last_words
    threading.excepthook = lambda told: _last_words(told.exc_type, told.exc_value, told.exc_traceback)


def _last_words(_kind: type[BaseException], error: BaseException | None, _where: TracebackType | None) -> None:
    if isinstance(error, Exception):
        structlog.get_logger(__name__).error("process.broke", exc_info=error)
