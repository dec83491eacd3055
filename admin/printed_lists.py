"""Lists of the day on a place that survives the portal (`PORTAL_PRINTED_LISTS_DIR`): every hour, a locked PDF a unit.

A hospital chooses its password (`parvis lists password`, or its settings page), and keeps it on paper in a sealed
envelope: nothing of Parvis is needed to open its lists. See docs/degraded-mode.md.
"""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import click
import structlog
from flask import Flask, current_app
from sqlalchemy import or_, select, text
from sqlalchemy.orm import joinedload

from admin import printed_lists_sheets
from admin.printed_lists_files import Folder
from admin.printed_lists_sheets import Day
from portal import audit, calendar, config, db, establishments, jobs, reading_only
from portal.config import ConfigurationError, Settings
from portal.db import session
from portal.establishments import Establishment, Unit, UnknownEstablishment, goes_on
from portal.gateways import Unavailable
from services.appointments.desk import queries as desk
from services.appointments.desk.agenda import Agenda, Visit
from services.appointments.desk.queries import Span
from services.pieces import queries as piece_queries
from services.preadmission import queries as stays
from services.preadmission.queries import Row, TrayFilter

log = structlog.get_logger(__name__)

PASSWORD: Final = "printed_lists.password"  # noqa: S105 - the name of a setting
SHORTEST_PASSWORD: Final = 12
JOB: Final = "lists.write"
_SIGNS: Final = "23456789abcdefghjkmnpqrstuvwxyz"
"""Those that nobody takes for another when they are read on paper."""
_GROUPS, _OF_EACH = 5, 4
LATE_S: Final = 2 * 3600
_AHEAD: Final = timedelta(days=1)


def check(key: str, value: str) -> bool:
    """See `establishments.check_setting_with`: a password that any keyboard can type, and a secret."""
    if key != PASSWORD:
        return False
    if len(value) < SHORTEST_PASSWORD or not value.isascii() or not value.isprintable():
        raise ValueError(f"the password of the lists has {SHORTEST_PASSWORD} signs or more, without accents")
    return True


def new_password() -> str:
    """Five groups of four signs: 99 bits."""
    return "-".join("".join(secrets.choice(_SIGNS) for _ in range(_OF_EACH)) for _ in range(_GROUPS))


# -- what is written ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Written:
    """One hospital's lists, ready to be put in its folder. sheets: a PDF by unit. lines: people in them, all days
    together. at: on the hospital's clock."""

    establishment_id: UUID
    finess: str
    sheets: dict[str, bytes]
    lines: int
    at: datetime


def prepare(place: Establishment, password: str, now: datetime) -> Written:
    """The lists of a hospital's open units, as they are now. In a transaction of the system."""
    today = calendar.civil_day(now, place.tz)
    days = [today + timedelta(days=number) for number in range(_AHEAD.days + 1)]
    sheets, lines = {}, 0
    for unit in _open_units(place, days):
        told = [_day(unit, each) for each in days]
        sheets[unit.uf] = printed_lists_sheets.sheet(unit, told, now, password)
        lines += sum(each.visits + len(each.stays) for each in told)
    return Written(place.id, place.finess, sheets, lines, now.astimezone(place.tz))


def _open_units(place: Establishment, days: Sequence[date]) -> Sequence[Unit]:
    """Those that receive patients on one of these days."""
    return session.scalars(
        select(Unit)
        .options(joinedload(Unit.establishment), joinedload(Unit.site))
        .where(
            Unit.establishment_id == place.id,
            or_(Unit.opens_on.is_(None), Unit.opens_on <= days[-1]),
            goes_on(Unit.closes_on, days[0]),
        )
        .order_by(Unit.name)
    ).all()


def _day(unit: Unit, day: date) -> Day:
    agendas = desk.agendas(Span(unit, day, day))
    for agenda in agendas:
        agenda.lines = [each for each in agenda.lines if isinstance(each, Visit) and each.state != "cancelled"]
    files = _stays(unit, day)
    pieces = piece_queries.of_folders([row.file.id for row in files])
    return Day(day, [each for each in agendas if _expects(each)], files, pieces)


def _expects(agenda: Agenda) -> bool:
    return bool(agenda.visits)


def _stays(unit: Unit, day: date) -> Sequence[Row]:
    return stays.of_days(frozenset({unit.establishment_id}), TrayFilter(first=day, last=day, unit_id=unit.id))


# -- writing them ------------------------------------------------------------------------------------------------


def place_of(settings: Settings) -> Path | None:
    """Where lists are written; None when they are not."""
    return Path(settings.printed_lists_dir) if settings.printed_lists_dir else None


def put(written: Written, settings: Settings, now: datetime) -> None:
    """Show a hospital's lists in its folder, and let the old ones go. Raises Unavailable."""
    place = place_of(settings)
    if place is None or not place.is_dir():
        raise Unavailable("printed lists: no folder is there")
    folder = Folder(place / written.finess, timedelta(hours=settings.printed_lists_hours))
    folder.write(written.sheets, written.at)
    folder.forget(now)


def let_go(finess: Iterable[str], settings: Settings, now: datetime) -> None:
    """Erase what is too old of hospitals that have no lists any more, the last ones too. Raises Unavailable."""
    if (place := place_of(settings)) is None:
        return
    for each in finess:
        Folder(place / each, timedelta(hours=settings.printed_lists_hours)).forget(now, even_the_last=True)


def note(written: Written) -> None:
    """In the journal of the hospital: how many units and lines have left the portal, and never whose."""
    audit.record(
        "lists.written",
        establishment_id=written.establishment_id,
        object_kind="establishment",
        object_id=written.establishment_id,
        units=len(written.sheets),
        lines=written.lines,
    )


def passwords() -> dict[str, str]:
    """Hospital's FINESS number → its password, "" when it has none. As the system."""
    return {each.finess: establishments.setting(each.id, PASSWORD) for each in establishments.establishments()}


def _without_password() -> list[str]:
    return [finess for finess, password in passwords().items() if not password]


def _prepared(job: str, now: datetime) -> Iterator[Written]:
    """Hospital by hospital, a transaction each: the first one's lists do not wait for the last one's."""
    actor = db.system(job)
    with db.transaction(actor):
        ready = {finess: password for finess, password in passwords().items() if password}
    for finess, password in ready.items():
        with db.transaction(actor):
            prepared = prepare(establishments.by_finess(finess), password, now)
        yield prepared  # no transaction waits for a place that is slow


@jobs.periodic("5 * * * *", JOB)
def write_now() -> None:
    """Write every hospital's lists. One that cannot be written holds back no other, and the job then fails."""
    settings: Settings = current_app.config["SETTINGS"]
    if place_of(settings) is None:
        return
    failure: Unavailable | None = None
    done: list[Written] = []
    try:
        for written in _prepared(JOB, db.now()):
            try:
                put(written, settings, db.now())
            except Unavailable as error:
                failure = error
                log.error("lists.not_written", finess=written.finess, reason=error.reason)
            else:
                done.append(written)
    finally:  # what has left the portal is in the journal, whatever broke after it
        with jobs.effect():
            for written in done:
                note(written)
    with db.transaction(db.system(JOB)):
        without = _without_password()
    let_go(without, settings, db.now())
    if failure is not None:
        raise failure


# -- what monitoring reads ---------------------------------------------------------------------------------------

_AGE = text(
    "select extract(epoch from now()) - coalesce(max(d.defer_timestamp) filter (where j.status = 'succeeded'),"
    " min(d.defer_timestamp)) from procrastinate_periodic_defers d left join procrastinate_jobs j on j.id = d.job_id"
    " where d.task_name = :job"
)


def age_s() -> float:
    """How long ago the job last wrote every list, or was first due if it never did; 0 before."""
    return max(0.0, float(session.scalar(_AGE, {"job": JOB}) or 0))


# -- what an operator types --------------------------------------------------------------------------------------


@click.group("lists")
def commands() -> None:
    """Lists of the day, for work without the portal."""


@commands.command("write")
@click.pass_context
def write(context: click.Context) -> None:
    """Write every hospital's lists now, whatever the hour; also while the portal is read-only."""
    settings = _begin(context)
    if place_of(settings) is None:
        raise click.ClickException("PORTAL_PRINTED_LISTS_DIR is not set: there is nowhere to write.")
    try:
        with reading_only.held() if settings.read_only else nullcontext():
            for written in _prepared("cli.lists_write", db.now()):
                put(written, settings, db.now())
                with db.transaction(db.system("cli.lists_write")):
                    note(written)
                click.echo(f"{written.finess}: {len(written.sheets)} units, {written.lines} lines")
            with db.transaction(db.system("cli.lists_write")):
                without = _without_password()
    except Unavailable as error:
        raise click.ClickException(error.reason) from error
    for finess in without:
        click.echo(f"{finess}: no password, nothing written (parvis lists password {finess})")


@commands.command("password")
@click.argument("finess")
@click.pass_context
def password(context: click.Context, finess: str) -> None:
    """Choose a new password for a hospital's lists and print it once, for the envelope."""
    _begin(context)
    chosen = new_password()
    with db.transaction(db.system("cli.lists_password")):
        try:
            place = establishments.by_finess(finess)
        except UnknownEstablishment as error:
            raise click.ClickException(f"No hospital has the FINESS number {finess}.") from error
        establishments.change_setting(place.id, PASSWORD, chosen, secret=True)
        audit.record("lists.password_changed", establishment_id=place.id, object_kind="establishment",
                     object_id=place.id)  # fmt: skip
    click.echo(chosen)
    click.echo("Lists written from now on open with it; those of before, with the former one.", err=True)


def _begin(context: click.Context) -> Settings:
    create_app: Any = context.obj
    try:
        settings = config.load()
        app: Flask = create_app(settings)
    except ConfigurationError as error:
        raise click.ClickException(str(error)) from error
    context.with_resource(app.app_context())
    return settings


def for_operators() -> Sequence[click.Command]:
    """The commands of this module."""
    return [commands]
