"""`parvis check`: configuration, database, each door and each identity provider, one line each."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit
from uuid import UUID

import psycopg
from flask import Flask
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.exc import SQLAlchemyError

from admin import printed_lists, printed_lists_files
from auth import franceconnect, providers
from auth.hospital_providers import doors as hospital_doors
from auth.keys import standing as secret_keys
from auth.local import known_passwords
from auth.providers import Door
from portal import calendar, clocks, db, files, jobs, notifications, schema, text_messages
from portal.audit import sending as audit_sending
from portal.backup import marks
from portal.config import Settings
from portal.gateways import DoorError, UnsupportedUrl, board, door
from portal.gateways.board import DoorTest
from portal.gateways.mssante.operators import MssanteOperator
from services import exchanges
from services.billing.jobs import means
from services.billing.sources import queries as bill_sources
from services.directory import jobs as directory_files
from services.directory import reports as directory_reports
from services.documents import mailboxes
from services.documents.mailboxes.operators import Way


@dataclass(frozen=True)
class Finding:
    """One thing looked at. trouble: what is wrong, or nothing. warning: what will be, and waits for nobody yet."""

    what: str
    trouble: str = ""
    warning: str = ""


Check = Callable[[], object]
_HOUSE_DOORS: tuple[tuple[str, Check], ...] = (
    ("storage", files.check_storage),
    ("antivirus", files.check_antivirus),
    ("mail", notifications.check),
    ("text messages", text_messages.check),
    ("collector of the audit", audit_sending.check),
)
_CALLED = {"sms": "text messages", "siem": "collector of the audit"}
"""The family of a door → what `parvis check` calls it, where that is not the same."""


def findings(app: Flask, settings: Settings) -> Iterator[Finding]:
    """Look at everything this instance depends on."""
    yield Finding(f"configuration ({settings.env})")
    if settings.read_only:
        yield Finding("writing", warning="PORTAL_READ_ONLY is set: nothing is written, and workers take no job")
    yield from _laptop_doors(settings)
    yield from _lines_in_clear(settings)
    yield from _database(settings)
    for name, check in _HOUSE_DOORS:
        yield _door(name, check)
    yield from _secret_key(app)
    if settings.leaked_passwords:
        yield Finding("PORTAL_LEAKED_PASSWORDS", known_passwords.trouble(settings.leaked_passwords))
    yield from _printed_lists(app, settings)
    yield from _backups(app, settings)
    yield from _hospital_systems(app)
    yield from _payment_counters(app)
    yield from _national_directory(app)
    yield from _providers(app, settings)


def _secret_key(app: Flask) -> Iterator[Finding]:
    """Whether a former PORTAL_SECRET_KEY may go, or went too early."""
    try:
        with app.app_context(), db.transaction(db.system("cli.check")):
            yield Finding("secret key", warning=secret_keys.advice(db.now()))
    except SQLAlchemyError:
        return  # the database's own line says why


def _backups(app: Flask, settings: Settings) -> Iterator[Finding]:
    """Whether each part of the backups went well lately; in production, since the demonstration has none."""
    try:
        with app.app_context(), db.transaction(db.system("cli.check")):
            found, is_unbounded = marks.read(), marks.log_is_unbounded()
    except SQLAlchemyError:
        return  # the database's own line says why
    if settings.is_production or found:
        fills = "max_slot_wal_keep_size is not set: the server's disk fills while nobody fetches its log"
        yield Finding("backups", warning=marks.late(found, db.now()) or (fills if found and is_unbounded else ""))


def _hospital_systems(app: Flask) -> Iterator[Finding]:
    """Each hospital's own system, where its address is set."""
    try:
        with app.app_context(), db.transaction(db.system("cli.check")):
            found = exchanges.systems()
    except SQLAlchemyError:
        return  # the database's own line says why
    for finess, system in found.items():
        name = f"hospital system {finess}"
        yield Finding(name, str(system)) if isinstance(system, UnsupportedUrl) else _door(name, system.check)


def _printed_lists(app: Flask, settings: Settings) -> Iterator[Finding]:
    """Where lists of the day are written, who has no password, and how old the last ones are."""
    place = printed_lists.place_of(settings)
    if place is None:
        return
    apart = printed_lists_files.survives(place, Path(settings.storage_url.removeprefix("file:")))
    alone = "" if apart else "they are on this machine's own disk, and are lost with it"
    yield Finding("printed lists", printed_lists_files.trouble(place), alone)
    try:
        with app.app_context(), db.transaction(db.system("cli.check")):
            without = [finess for finess, password in printed_lists.passwords().items() if not password]
            late = printed_lists.age_s() > printed_lists.LATE_S and not settings.read_only
    except SQLAlchemyError:
        return  # the database's own line says why
    yield Finding("printed lists, last hour", warning="the last ones are more than two hours old" if late else "")
    for finess in without:
        yield Finding(f"printed lists {finess}", warning=f"no password: run parvis lists password {finess}")


def _national_directory(app: Flask) -> Iterator[Finding]:
    """Where its files are fetched, and how old what we have is."""
    doors = directory_files.doors()
    for name, look in doors:
        yield _door(name, look)
    if doors:
        try:
            with app.app_context(), db.transaction(db.system("cli.check")):
                yield Finding("national directory", warning=directory_reports.is_late(db.now()))
        except SQLAlchemyError:
            return  # the database's own line says why


def _mailboxes(app: Flask) -> Iterator[Finding]:
    """Each MSSanté box that jobs read: does its operator answer, prove who it is and let it in?"""
    try:
        with app.app_context(), db.transaction(db.system("cli.check")):
            found = mailboxes.ways()
    except SQLAlchemyError:
        return  # the database's own line says why
    for address, way in found.items():
        name = f"secure mailbox {address}"
        yield Finding(name, way) if isinstance(way, str) else _door(name, way.check)


def _payment_counters(app: Flask) -> Iterator[Finding]:
    """Each counter where a hospital's payments go: does its provider know it?"""
    try:
        with app.app_context(), db.transaction(db.system("cli.check")):
            found = bill_sources.counters()
    except SQLAlchemyError:
        return  # the database's own line says why
    for finess, psp, counter in found:
        name = f"payments {finess} {psp} {counter.account}" + (" (test mode)" if counter.is_test else "")
        yield _door(name, partial(means(psp).name_of, counter))


def _providers(app: Flask, settings: Settings) -> Iterator[Finding]:
    """Each identity provider: what it publishes, its keys, its clock; the hospitals' own ones last."""
    with app.app_context():
        own, unreadable = _hospitals_own()
        for door in [*providers.everywhere(), *own]:
            for found in door.client.examine():
                yield Finding(f"identity provider {door.name}: {found.what}", found.trouble)
    for name in unreadable:
        yield Finding(f"identity provider {name}", "its settings cannot be read: set them again (client secret, keys)")
    if settings.providers["franceconnect"].enabled:
        yield Finding("end of plain FranceConnect", warning=_ending(settings))


def _hospitals_own() -> tuple[list[Door], list[str]]:
    """The doors of hospitals, and the names of those that cannot be opened; none without a database to read."""
    try:
        return hospital_doors.doors(), hospital_doors.unreadable()
    except SQLAlchemyError:
        return [], []


def _ending(settings: Settings) -> str:
    today = calendar.civil_day(db.now(), calendar.GROUP_ZONE)
    if franceconnect.days_left(settings.franceconnect_ends_on, today) is None:
        return ""
    return f"health services may not use it after {settings.franceconnect_ends_on}: lead patients to FranceConnect+"


def _laptop_doors(settings: Settings) -> Iterator[Finding]:
    """What a laptop may do without, and real patients may not: told in production, since it starts all the same."""
    if not settings.is_production:
        return
    if settings.antivirus_url.startswith("none:"):
        yield Finding("PORTAL_ANTIVIRUS_URL", "none: files are opened that nobody has scanned")
    if settings.mail_url.get_secret_value().startswith("console:"):
        yield Finding("PORTAL_MAIL_URL", "console: mails reach nobody, and people's addresses go to the log")


def _lines_in_clear(settings: Settings) -> Iterator[Finding]:
    """What leaves this machine in clear, or to somebody who did not prove who they are; in production."""
    if not settings.is_production:
        return
    options = conninfo_to_dict(settings.database_url.get_secret_value())
    hosts = [host for host in str(options.get("host") or "").split(",") if not _is_here(host)]
    if hosts and options.get("sslmode") not in ("verify-ca", "verify-full"):
        yield Finding(
            "PORTAL_DATABASE_URL", warning="the database is not asked to prove itself: add sslmode=verify-full"
        )
    for name, url, answer in (
        ("PORTAL_REDIS_URL", settings.redis_url.get_secret_value(), "use rediss://"),
        ("PORTAL_MAIL_URL", settings.mail_url.get_secret_value(), "use smtps:// or add starttls=1"),
        ("PORTAL_STORAGE_URL", settings.storage_url, "use s3://"),
        ("PORTAL_ANTIVIRUS_URL", settings.antivirus_url, "give clamd a line that others cannot listen to"),
    ):
        parts = urlsplit(url)
        is_plain_mail = parts.scheme == "smtp" and "starttls=1" not in parts.query
        in_clear = parts.scheme in ("redis", "clamd", "s3+http") or is_plain_mail
        if in_clear and parts.hostname and not _is_here(parts.hostname):
            yield Finding(name, warning=f"this line is not encrypted: {answer}")


def _is_here(host: str) -> bool:
    """A socket of this machine, or its own address."""
    return host in ("", "localhost", "127.0.0.1", "::1") or host.startswith(("/", "@"))


def _database(settings: Settings) -> Iterator[Finding]:
    try:
        with psycopg.connect(settings.database_url.get_secret_value(), connect_timeout=5) as connection:
            yield Finding("database", _version_trouble(connection))
            yield Finding("database role", _role_trouble(connection))
            yield Finding("schema", _schema_trouble(connection))
            yield Finding("clock", warning=_clock_warning(connection))
    except psycopg.OperationalError as error:
        yield Finding("database", f"does not answer ({type(error).__name__})")


def _version_trouble(connection: psycopg.Connection) -> str:
    major = connection.info.server_version // 10_000
    return "" if major >= 15 else f"PostgreSQL {major} is too old: 15 is the oldest supported"


def _role_trouble(connection: psycopg.Connection) -> str:
    row = connection.execute(
        "select rolsuper or rolbypassrls, current_user = (select tableowner from pg_tables where"
        " tablename = 'audit_event') from pg_roles where rolname = current_user"
    ).fetchone()
    if row is None or row[0]:
        return "PORTAL_DATABASE_URL's role bypasses row-level security: use an ordinary role"
    return "PORTAL_DATABASE_URL's role owns the schema: use another role" if row[1] else ""


def _schema_trouble(connection: psycopg.Connection) -> str:
    try:
        row = connection.execute("select version_num from alembic_version").fetchone()
    except psycopg.errors.UndefinedTable:
        return "empty: run parvis db upgrade"
    found = str(row[0]) if row else "none"
    return "" if found == schema.head() else f"at revision {found}, expected {schema.head()}: run parvis db upgrade"


def _clock_warning(connection: psycopg.Connection) -> str:
    clocks.compare(connection)
    seconds = round(clocks.ahead())
    told = f"this machine's is {abs(seconds)} s {'ahead of' if seconds > 0 else 'behind'} the database's, which counts"
    return f"{told}: see to both (NTP)" if seconds else ""


def _door(name: str, check: Callable[[], object]) -> Finding:
    try:
        check()
    except DoorError as error:
        return Finding(name, str(error) or type(error).__name__)
    return Finding(name)


def declare() -> None:
    """Nothing more: this module was imported, so that workers know its job."""


# -- one door, when somebody asks on the connectors page -----------------------------------------------------------


@jobs.task("doors.test")
def try_door(test_id: str) -> None:
    """Go through one door, closed or not, and write down what came of it."""
    with jobs.reading() as current:
        asked = current.get_one(DoorTest, UUID(test_id))
        checks = _checks_of(asked.door)
    started = monotonic()
    with door.even_paused():
        trouble = _trouble_of(checks)
    with jobs.effect() as current:
        asked = current.get_one(DoorTest, UUID(test_id))
        asked.ended_at, asked.took_ms = db.now(), round(1000 * (monotonic() - started))
        asked.trouble = trouble[:500]


NOT_TRIED = "this door cannot be tried by itself"


def _trouble_of(checks: Sequence[Check]) -> str:
    told = [_door("", check).trouble for check in checks]
    return next((each for each in told if each), "" if checks else NOT_TRIED)


def _checks_of(name: str) -> Sequence[Check]:
    """How a door is tried, by its name; as the system."""
    family, finess = name.partition(".")[0].partition(" ")[0], board.finess_of(name)
    if family == "his":
        system = exchanges.systems().get(finess)
        return [system.check] if system and not isinstance(system, UnsupportedUrl) else []
    if family == "payments":
        account = name.rpartition(".")[2]
        return [partial(means(psp).name_of, found) for _finess, psp, found in bill_sources.counters()
                if found.account == account]  # fmt: skip
    if family == "mssante":
        return [way.check for way in mailboxes.ways().values() if not isinstance(way, str) and _goes_by(way, name)][:1]
    if family == "directory":
        return [check for _name, check in directory_files.doors()]
    return [check for known, check in _HOUSE_DOORS if known == _CALLED.get(family, family)]


def _goes_by(way: Way, name: str) -> bool:
    operator = way.operator
    return isinstance(operator, MssanteOperator) and name in (operator.smtp_door.name, operator.imap_door.name)
