"""`parvis doctor`: what support needs to know of an installation, in one text that may be sent.

What may be shown is listed here; whatever is not listed is only said to be set. Errors are told by their class. No row
of a person is read: numbers, sizes, names of tables, doors and jobs.
"""

import locale
import os
import platform
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import psycopg
from flask import Flask
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from admin import queries_connectors, queries_jobs
from portal import check, db, logs, schema
from portal.config import PROVIDERS, Settings
from portal.db import session
from portal.gateways import board

Line = tuple[str, object]

SHOWN: Final = frozenset({
    "env", "database_prepare", "read_only", "log_level", "trusted_proxies", "web_processes", "franceconnect_ends_on",
})  # fmt: skip
"""Settings whose value is shown. A new one is not, until somebody adds it here."""
SCHEMES_SHOWN: Final = frozenset({
    "base_url", "database_url", "redis_url", "storage_url", "antivirus_url", "mail_url", "sms_url", "siem_url",
    "otlp_url",
})  # fmt: skip
"""Addresses of which the kind is shown (`smtp:`), and neither host nor login."""
OF_PROVIDERS: Final = frozenset({"signing_alg", "userinfo_mode", "token_auth_method"})
"""The same, of each identity provider."""
_LIBRARIES: Final = (
    "flask", "werkzeug", "sqlalchemy", "psycopg", "procrastinate", "gunicorn", "cryptography", "pydantic", "lxml",
    "pikepdf", "pillow", "redis", "opentelemetry-sdk",
)  # fmt: skip
_FOUND: Final = (
    "configuration", "database role", "database", "schema", "storage", "antivirus", "mail", "text messages",
    "collector of the audit", "hospital system", "secure mailbox", "payments", "national directory",
    "identity provider", "end of plain FranceConnect", "PORTAL_",
)  # fmt: skip
"""How what `parvis check` looks at is called: an address or a name that follows is left out."""
_SCHEME: Final = re.compile(r"[a-z0-9+]{1,12}")
_ADDRESS: Final = re.compile(
    r"[a-z][a-z0-9+.-]*://\S+|[^\s@'\"<>(]+@[^\s'\"<>)]+|\b(?:[\w-]+\.)+[a-z]{2,}\b(?::\d+)?|\b\d+(?:\.\d+){3}\b(?::\d+)?",
    re.IGNORECASE,
)
_LITERAL: Final = re.compile(r"'.*'|\$(?:[A-Za-z_]\w*)?\$.*|--.*|/\*.*|\b\d{4,}\b")
"""Values that the database has left in a statement (it forgets to number them when it forgets statements): from the
first quote to the last one, since what ends a text depends on how it was written; long numbers; remarks."""
_PLAIN: Final = re.compile(r"\s*(?:select|insert|update|delete|with)\b", re.IGNORECASE)


def report(app: Flask, settings: Settings) -> Iterator[str]:
    """The whole text, line by line. A part that cannot be read says which error kept it from being."""
    yield f"Parvis, report for support, {db.now():%Y-%m-%d %H:%M:%S} UTC"
    yield "No personal data, no secret, no address: it may be sent. Read it once before."
    for title, part in _parts(settings):
        yield f"\n== {title} =="
        try:
            with app.app_context():
                yield from (f"{name}: {value}" for name, value in part())
        except (SQLAlchemyError, psycopg.Error, OSError) as error:
            yield f"not read: {logs.kind(error)}"
    yield "\n== check =="
    yield from _checked(app, settings)


def _parts(settings: Settings) -> Iterator[tuple[str, Callable[[], Iterator[Line]]]]:
    yield "versions", _versions
    yield "settings", lambda: _settings(settings)
    yield "machine", lambda: _machine(settings)
    yield "database", lambda: _as_system(_database)
    yield "tables", lambda: _as_system(_tables)
    yield "slow statements", lambda: _as_system(_slow)
    yield "queue", lambda: _as_system(_queue)
    yield "jobs in trouble", lambda: _as_system(_troubles)
    yield "doors", lambda: _as_system(_doors)


def _as_system(part: Callable[[], Iterator[Line]]) -> Iterator[Line]:
    with db.transaction(db.system("cli.doctor")):
        yield from list(part())


def _versions() -> Iterator[Line]:
    yield "parvis", _version("parvis")
    yield "python", platform.python_version()
    yield "system", f"{platform.system()} {platform.release()} {platform.machine()}"
    for name in _LIBRARIES:
        yield name, _version(name)
    yield "schema of this release", schema.head()


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def _settings(settings: Settings) -> Iterator[Line]:
    for name, field in Settings.model_fields.items():
        if name != "providers":
            given = getattr(settings, name)
            yield f"PORTAL_{name.upper()}", _said(name, given, given == field.default, SHOWN)
    for provider in PROVIDERS:
        known = settings.providers[provider]
        for name, field in type(known).model_fields.items():
            given = getattr(known, name)
            if given != field.default:
                yield f"{provider} {name}", _said(name, given, False, OF_PROVIDERS)


def _said(name: str, given: object, is_default: bool, shown: frozenset[str]) -> str:
    """A value that may be shown, or whether there is one."""
    if name in shown:
        return str(given)
    bare = given.get_secret_value() if isinstance(given, SecretStr) else str(given)
    if name in SCHEMES_SHOWN and bare:
        scheme, colon, _rest = bare.partition(":")
        return f"{scheme}: …" if colon and _SCHEME.fullmatch(scheme) else "set"
    return "not set" if not bare else "as usual" if is_default else "set"


def _machine(settings: Settings) -> Iterator[Line]:
    yield "processors", os.cpu_count()
    yield "load", " ".join(f"{each:.2f}" for each in os.getloadavg())
    memory = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines())
    yield "memory", f"{memory['MemAvailable'].strip()} free of {memory['MemTotal'].strip()}"
    yield "encoding", f"{sys.getfilesystemencoding()}, {locale.getpreferredencoding(False)}"
    yield "clock", " ".join(time.tzname)
    scheme, _colon, path = settings.storage_url.partition(":")
    for name, place in (("files", path if scheme == "file" else ""), ("temporary files", "/tmp")):  # noqa: S108 - read
        if place:
            found = os.statvfs(place)
            free, size = found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize
            yield f"disk of {name}", f"{_mega(free)} MB free of {_mega(size)}, {found.f_favail} inodes free"


def _mega(size: int) -> int:
    return size >> 20


_KNOWN: Final = text(
    "select current_setting('server_version'), current_setting('server_encoding'), datcollate, datctype,"
    " current_setting('TimeZone'), current_setting('max_connections'), current_setting('statement_timeout'),"
    " current_setting('wal_level'), pg_is_in_recovery(), pg_database_size(oid),"
    " (select count(*) from pg_stat_activity where datname = current_database()),"
    " (select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'),"
    " (select count(*) from pg_stat_activity where datname = current_database()"
    "   and xact_start < now() - interval '5 minutes'),"
    " (select version_num from alembic_version) from pg_database where datname = current_database()"
)
_NAMES: Final = (
    "version", "encoding", "collation", "characters", "time zone", "connections at most", "statement timeout",
    "wal level", "is a replica", "size in MB", "connections", "waiting for a lock", "open for five minutes", "revision",
)  # fmt: skip


def _database() -> Iterator[Line]:
    values = list(session.execute(_KNOWN).one())
    values[9] = _mega(values[9])
    yield from zip(_NAMES, values, strict=True)
    before = db.now()
    there = session.execute(text("select clock_timestamp()")).scalar_one()
    offset = (there - (before + (db.now() - before) / 2)).total_seconds()
    yield "clock ahead of this machine's, in seconds", f"{offset:+.3f}"


_SIZES: Final = text(
    "select relname, greatest(reltuples, 0)::bigint, pg_total_relation_size(c.oid) from pg_class c"
    " where relkind in ('r', 'm') and relnamespace = 'public'::regnamespace order by 3 desc, 1 limit 60"
)


def _tables() -> Iterator[Line]:
    """The largest ones; rows as the database estimates them."""
    for name, rows, size in session.execute(_SIZES):
        yield name, f"{rows} rows, {size >> 10} kB"


_SLOW: Final = text(
    "select mean_exec_time, calls, query from pg_stat_statements s join pg_database d on d.oid = s.dbid"
    " where d.datname = current_database() order by total_exec_time desc limit 15"
)


def _slow() -> Iterator[Line]:
    """What takes most time in all, where pg_stat_statements is there; without any literal."""
    if session.scalar(text("select to_regclass('pg_stat_statements') is null")):
        yield "pg_stat_statements", "not installed"
        return
    for number, (mean_ms, calls, query) in enumerate(session.execute(_SLOW), start=1):
        yield f"{number}", f"{mean_ms:.1f} ms, {calls} times: {_without_values(query)}"


def _without_values(query: str) -> str:
    return _LITERAL.sub("…", " ".join(query.split()))[:300] if _PLAIN.match(query) else "(not a plain statement)"


def _queue() -> Iterator[Line]:
    found = queries_connectors.queue()
    yield from ((name, getattr(found, name)) for name in ("waiting", "later", "doing", "failed", "workers"))
    yield from ((f"missed by the clock: {each.name}", each.missed) for each in queries_jobs.clock() if each.missed)


_TROUBLES: Final = text(
    "select j.task_name, j.status::text, t.door, t.error, count(*), max(t.at) from job_trouble t"
    " join procrastinate_jobs j on j.id = t.job_id group by 1, 2, 3, 4 order by 6 desc limit 40"
)


def _troubles() -> Iterator[Line]:
    yield from (_trouble(row) for row in session.execute(_TROUBLES))


def _trouble(row: Sequence[Any]) -> Line:
    task, status, door, error, number, at = row
    return task, f"{status}, {error}{f' at {_door(door)}' if door else ''}, {number} times, last {at}"


def _doors() -> Iterator[Line]:
    """As processes saw them in a day; of the last failure, its class."""
    states = board.by_name(line.state for line in board.lines(db.now() - queries_connectors.SEEN_LATELY))
    for name, state in states.items():
        failure = state.last_failure.partition(":")[0] if state.last_failure else ""
        yield (
            _door(name),
            f"{state.breaker}, {state.done} done, {state.refused} refused, {state.failed} failed,"
            f" {state.mean_ms:.0f} ms, last success {state.last_success_at},"
            f" last failure {state.last_failure_at} {failure}",
        )
    for name, pause in board.pauses().items():
        yield f"{_door(name)} closed by people", f"since {pause.paused_at}, until {pause.until}"


def _checked(app: Flask, settings: Settings) -> Iterator[str]:
    for found in check.findings(app, settings):
        word = "TROUBLE" if found.trouble else "warning" if found.warning else "ok"
        told = _without_addresses(found.trouble or found.warning)
        yield f"{word:8}{_called(found.what)}" + (f": {told}" if told else "")


def _called(what: str) -> str:
    known = next((start for start in _FOUND if what.startswith(start)), "something")
    return what if known == "PORTAL_" and what.isidentifier() else f"{known} {board.finess_of(what)}".rstrip()


def _door(name: str) -> str:
    """Its kind and the hospital's number; what else is in its name may be a host."""
    return f"{name.partition(' ')[0]} {board.finess_of(name)}".rstrip()


def _without_addresses(said: str) -> str:
    """Words of our own about something outside, without the addresses and hosts that may be in them."""
    return _ADDRESS.sub("<address>", said)
