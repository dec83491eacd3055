"""The `parvis` command: what an operator types. Rooms add their own commands."""

import base64
import os
import re
import secrets
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import click
import psycopg
from flask import Flask
from sqlalchemy.exc import OperationalError

from admin import queries_connectors
from auth import assurance
from auth.agents import actions as agents
from auth.agents.actions import Draft
from auth.assurance import UnknownMinimum
from portal import audit, catalog, config, db, establishments, jobs, kpi, logs, schema
from portal.audit import sending
from portal.backup.commands import ALL as BACKUP_COMMANDS
from portal.config import ConfigurationError, Settings
from portal.establishments import UnknownEstablishment
from portal.gateways import DoorError, UnsupportedUrl, board, storage
from portal.gateways.storage import copying
from portal.kpi.commands import kpi_commands
from portal.kpi.totals_commands import import_

CreateApp = Callable[..., Flask]
_FINESS = re.compile(r"[0-9][0-9AB][0-9]{7}")  # 2A and 2B are Corsica
SERVICES_AT_FIRST = ("appointments", "preadmission", "questionnaires", "billing", "documents")


class _Operator(click.Group):
    """Commands that say what is wrong in a sentence, and never show a traceback for it."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except ConfigurationError as error:
            raise click.ClickException(str(error)) from error
        except UnknownEstablishment as error:
            raise click.ClickException(f"No hospital has the FINESS number {error}.") from error
        except (OperationalError, psycopg.OperationalError) as error:
            raise click.ClickException("The database does not answer (parvis check says more).") from error


@click.group(cls=_Operator)
def parvis() -> None:
    """Parvis, the digital-services portal of hospital groups."""


def settings() -> Settings:
    """The environment's settings. Raises ConfigurationError."""
    current = config.load()
    logs.guard_process(current)
    return current


@contextmanager
def as_system(context: click.Context, job: str) -> Iterator[None]:
    """A transaction of the named system job, with the application around it."""
    app: Flask = context.obj(settings())
    with app.app_context(), db.transaction(db.system(job)):
        yield


@parvis.command()
@click.option("--bind", default="127.0.0.1:8000", show_default=True, help="Address and port to listen on.")
def web(bind: str) -> None:
    """Serve the portal: one group of web processes, two threads each."""
    from portal.web.listening import KEEP_ALIVE_S  # gunicorn takes a moment to load: only here

    processes = settings().web_processes or os.cpu_count() or 1
    arguments = [
        "gunicorn",
        "wsgi:app",
        "--bind",
        bind,
        "--workers",
        str(processes),
        "--threads",
        "2",
        "--worker-class",
        "portal.web.listening.PatientWorker",
        "--keep-alive",
        str(KEEP_ALIVE_S),
        "--timeout",
        "60",
        "--graceful-timeout",
        "20",
        "--preload",  # read the code once, then fork: half the start-up time; nothing connects before the fork
        "--no-control-socket",
        "--log-level",
        "warning",
        "--max-requests",
        "20000",
        "--max-requests-jitter",
        "2000",
    ]
    os.execv(sys.executable, [sys.executable, "-m", *arguments])


@parvis.command()
@click.option("--concurrency", default=4, show_default=True, help="Jobs at the same time.")
@click.option("--once", is_flag=True, help="Stop when the queue is empty.")
@click.pass_context
def work(context: click.Context, concurrency: int, once: bool) -> None:
    """Run one worker; any number may run, on any machine. While the portal is read-only, it waits and does nothing."""
    if settings().read_only:
        context.obj(settings())
        jobs.rest(wait=not once)
        return
    with as_system(context, "cli.work"):
        kpi.store_definitions()
    board.open_board("worker")
    current = settings()
    url, prepare = current.database_url.get_secret_value(), current.database_prepare
    jobs.work(url, concurrency=concurrency, wait=not once, prepare=prepare)


@parvis.command()
@click.option("--port", type=int, envvar="PORT", default=8000, show_default=True, help="Port of the portal.")
def demo(port: int) -> None:
    """Start the demonstration: database, portal, worker, identity provider and payment simulator."""
    from portal.embedded import supervisor

    sys.exit(supervisor.run(port))


@parvis.group("db")
def database() -> None:
    """The database's schema."""


@database.command()
@click.pass_context
def upgrade(context: click.Context) -> None:
    """Run the migrations; safe to run twice, and while the former version serves."""
    current = settings()
    owner = current.database_owner_url.get_secret_value()
    if not owner:
        raise click.ClickException("PORTAL_DATABASE_OWNER_URL is needed: migrations run as the schema's owner.")
    try:
        schema.upgrade(owner, current.database_url.get_secret_value())
    except schema.Busy as error:
        raise click.ClickException(
            "A transaction that stays open holds a table that a migration changes (docs/upgrade.md says how to find"
            " it). What was done stays done: run this again."
        ) from error
    with as_system(context, "cli.db_upgrade"):
        kpi.store_definitions()
    click.echo(f"schema at revision {schema.head()}")


@parvis.command("config")
def show_config() -> None:
    """List every PORTAL_* variable."""
    for name, kind, default, meaning, _secret in config.variables():
        click.echo(f"{name}\n    {kind}, default {default or '(none)'}\n    {meaning}")


@parvis.command()
def keygen() -> None:
    """Print fresh secrets for a new installation."""
    click.echo(f"PORTAL_SECRET_KEY={secrets.token_urlsafe(48)}")
    click.echo(f"PORTAL_FILE_KEYS=k1:{base64.b64encode(secrets.token_bytes(32)).decode()}")


@parvis.command()
@click.pass_context
def check(context: click.Context) -> None:
    """Look at the configuration, the database, each door and each identity provider; exit 1 on trouble."""
    from portal import check as checks

    current = settings()
    troubled = False
    for finding in checks.findings(context.obj(current), current):
        troubled = troubled or bool(finding.trouble)
        word = "TROUBLE" if finding.trouble else "warning" if finding.warning else "ok"
        told = finding.trouble or finding.warning
        click.echo(f"{word:8}{finding.what}" + (f": {told}" if told else ""))
    context.exit(1 if troubled else 0)


@parvis.command()
@click.option("--output", type=click.Path(dir_okay=False), help="Write it there, for its owner alone.")
@click.pass_context
def doctor(context: click.Context, output: str | None) -> None:
    """Say what support needs to know: versions, settings, database, queue, doors; no secret, no personal data."""
    from portal import doctor as reports

    current = settings()
    lines = reports.report(context.obj(current), current)
    if output is None:
        for line in lines:
            click.echo(line)
        return
    with open(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as written:
        written.writelines(f"{line}\n" for line in lines)


@parvis.group("admin")
def administrators() -> None:
    """The first administrators."""


@administrators.command("invite")
@click.argument("email")
@click.option("--siret", default="", help="The employer that ProConnect must name (14 digits).")
@click.pass_context
def invite_administrator(context: click.Context, email: str, siret: str) -> None:
    """Print a one-time link: whoever opens it and signs in with this e-mail administers every hospital.

    The way to a first administrator, and to a second one where there is only one: on the screens, the right to
    administer and the right to read the journal take two administrators.
    """
    if "@" not in email:
        raise click.BadParameter(f"{email!r} is not an e-mail address.")
    with as_system(context, "cli.admin_invite"):
        if not establishments.establishments():
            raise click.ClickException("There is no hospital yet: parvis establishment add FINESS NAME")
        token = agents.invite(Draft(email, db.RIGHTS, siret=siret))
    click.echo(f"{settings().base_url}/auth/proconnect/start?invitation={token}")
    click.echo(f"Valid for {agents.INVITATION_LIFE.days} days, once.")


@parvis.group()
def establishment() -> None:
    """Hospitals of the group."""


@establishment.command("add")
@click.argument("finess")
@click.argument("name")
@click.pass_context
def add_establishment(context: click.Context, finess: str, name: str) -> None:
    """Add a hospital, with every service open."""
    if not _FINESS.fullmatch(finess):
        raise click.BadParameter(f"{finess!r} is not a FINESS number (nine characters).")
    with as_system(context, "cli.establishment_add"):
        hospital = establishments.add(finess, name)
        for code in SERVICES_AT_FIRST:
            catalog.publish(hospital.id, code, datetime.now(hospital.tz).date())


@establishment.command("set")
@click.argument("finess")
@click.argument("key")
@click.argument("value")
@click.option("--secret", is_flag=True, help="Only jobs and administrators may read it.")
@click.pass_context
def set_establishment(context: click.Context, finess: str, key: str, value: str, secret: bool) -> None:
    """Change one setting of a hospital."""
    try:
        assurance.check_setting(key, value)
    except UnknownMinimum as error:
        raise click.ClickException(str(error)) from error
    try:
        with as_system(context, "cli.establishment_set"):
            establishments.change_setting(establishments.by_finess(finess).id, key, value, secret=secret)
    except ValueError as error:
        raise click.ClickException(str(error)) from error


@parvis.group("storage")
def storage_commands() -> None:
    """Where files are stored."""


@storage_commands.command("copy")
@click.argument("source")
@click.argument("target")
@click.option("--compare", is_flag=True, help="Read also what was there before, on both sides.")
@click.option("--remove", is_flag=True, help="Delete from TARGET what SOURCE does not have, before TARGET is used.")
@click.pass_context
def copy_storage(context: click.Context, source: str, target: str, compare: bool, remove: bool) -> None:
    """Copy every object of SOURCE to TARGET, written as PORTAL_STORAGE_URL; may be stopped and run again.

    Each one is read back. An S3 store is opened with PORTAL_STORAGE_ACCESS_KEY and PORTAL_STORAGE_SECRET_KEY. Exit 1
    when an object differs.
    """
    current = settings()
    if remove:
        _nobody_writes(context, current, target)
    logs.configure(current.model_copy(update={"log_level": "CRITICAL"}))  # not a line for each object
    number: Counter[str] = Counter()
    size = 0
    try:
        stores = [storage.connect(url, *current.storage_keys()) for url in (source, target)]
        for step in copying.copy(stores[0], stores[1], compare=compare, remove=remove):
            number[step.outcome] += 1
            size += step.size
            if step.outcome == "differs":
                click.echo(f"{step.key} is not the same in both", err=True)
    except (DoorError, UnsupportedUrl) as error:
        raise click.ClickException(f"{error}. {number['copied']} copied so far; run it again to go on.") from error
    click.echo(
        f"{number['copied']} copied ({size / 1e6:.1f} MB), {number['there']} there already, {number['gone']} erased"
        f" meanwhile, {number['removed']} removed, {number['differs']} different"
    )
    if number["differs"]:
        sys.exit(1)


def _nobody_writes(context: click.Context, current: Settings, target: str) -> None:
    """Raises ClickException when files may come or go meanwhile."""
    if storage.where(target) == storage.where(current.storage_url):
        raise click.ClickException("TARGET is PORTAL_STORAGE_URL: SOURCE lacks what people sent there. Nothing done.")
    if not current.read_only:
        raise click.ClickException(
            "Set PORTAL_READ_ONLY=true and restart web and workers first: what is sent meanwhile would be removed, and"
            " what is erased would come back. Nothing done."
        )
    with as_system(context, "cli.storage_copy"):
        workers = queries_connectors.queue().workers
    if workers:
        raise click.ClickException(
            f"{workers} workers gave a sign of life in the last minute, and one that only reads gives none: restart"
            " them with PORTAL_READ_ONLY=true, on every machine. Nothing done."
        )


@parvis.group("audit")
def audit_commands() -> None:
    """The audit's chain."""


@audit_commands.command()
@click.pass_context
def verify(context: click.Context) -> None:
    """Recompute the chain of sealed batches; exit 1 when it does not hold."""
    with as_system(context, "cli.audit_verify"):
        found = audit.verify()
    click.echo(f"{found.batches} batches, {found.events} events sealed, {found.unsealed} not sealed yet")
    if not found.holds:
        raise click.ClickException(f"The chain breaks at batch {found.broken_batch}.")


@audit_commands.command("export")
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The first day.")
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The last day, included.")
@click.pass_context
def export_audit(context: click.Context, first: datetime, last: datetime) -> None:
    """Every event of these days (of the group's clock), one JSON line each, oldest first; ids, no names."""
    if first > last:
        raise click.ClickException("The period ends before it begins.")
    zone = ZoneInfo(kpi.GROUP_ZONE)
    end = last + timedelta(days=1)
    with as_system(context, "cli.audit_export"):
        audit.record("journal.exported", first=f"{first:%Y-%m-%d}", last=f"{last:%Y-%m-%d}")
        for line in sending.between(first.replace(tzinfo=zone), end.replace(tzinfo=zone)):
            click.echo(line)


parvis.add_command(kpi_commands)
parvis.add_command(import_)
for command in BACKUP_COMMANDS:
    parvis.add_command(command)
