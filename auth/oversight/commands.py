"""What an operator types when somebody is where they should not be: whose data they saw, and putting them out."""

import csv
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any, get_args
from uuid import UUID
from zoneinfo import ZoneInfo

import click

from auth.models import Audience
from auth.oversight import actions, affected
from auth.oversight.affected import Asked, Person, Touched
from portal import audit, config, db, establishments, kpi
from portal.web.spreadsheets import cell

COLUMNS = (
    "patient", "family_name", "first_name", "birth_on", "email", "mobile", "through", "deceased_on", "finess", "times",
    "first_at", "last_at",
)  # fmt: skip


class _Moment(click.ParamType[datetime]):
    """A day or a minute of the group's clock; a day as an end is included."""

    name = "DAY[THH:MM]"

    def __init__(self, *, is_end: bool = False) -> None:
        self._is_end = is_end

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        is_day = re.fullmatch(r"\d{4}-\d\d-\d\d", value)
        if not is_day and not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d", value):
            raise click.BadParameter(f"{value!r} is neither a day (2026-11-23) nor a minute (2026-11-23T14:05).")
        try:
            read = datetime.fromisoformat(value)
        except ValueError as error:
            raise click.BadParameter(f"{value!r} is in no calendar.") from error
        later = timedelta(days=1) if is_day and self._is_end else timedelta(0)
        return (read + later).replace(tzinfo=ZoneInfo(kpi.GROUP_ZONE))


@click.group("audit")
def audit_commands() -> None:
    """The audit's chain."""


@audit_commands.command("affected")
@click.option("--from", "first", type=_Moment(), help="The first day, or minute, of the group's clock.")
@click.option("--to", "end", type=_Moment(is_end=True), help="The last day (included), or the minute it ended.")
@click.option(
    "--actor", "actors", multiple=True, help="Who acted: staff:<account>, machine:<number>, or a number alone."
)
@click.option("--establishment", "finess", default="", help="At this hospital alone (FINESS number).")
@click.option("--object-file", type=click.File("r"), help="Things that leaked, one a line: numbers, keys, paths.")
@click.option("--output", type=click.Path(path_type=Path), required=True, help="Where to write; it must not exist.")
@click.pass_context
def list_affected(
    context: click.Context, first: datetime | None, end: datetime | None, actors: tuple[str, ...], finess: str,
    object_file: IO[str] | None, output: Path,
) -> None:  # fmt: skip
    """Whose data were touched, and how to reach them: a CSV file that its owner alone may read.

    Between two moments, by somebody, at a hospital; or because of things that leaked (then nothing else is asked).
    """
    _refuse(first, end, given=bool(actors or finess), things=object_file is not None)
    with context.obj(config.load()).app_context(), _only_mine(output) as file:
        with db.transaction(db.system("cli.audit_affected")):
            _say_it_was_sought(first, end, actors, finess)
        with db.transaction(db.system("cli.audit_affected")):
            affected.let_it_last()
            found, unknown = _found(first, end, actors, finess, object_file)
            written, reached = _write(file, affected.people(found))
            audit.record("people.listed", found=written, reached=reached)
    click.echo(f"{written} people, {reached} of them with a mail address or a mobile number: {output}")
    if unknown:
        click.echo(f"{unknown} of the things lead to nobody that the portal knows.")


def _refuse(first: datetime | None, end: datetime | None, *, given: bool, things: bool) -> None:
    if things and (first or end or given):
        raise click.UsageError("--object-file goes alone: things lead to their people whenever they were touched.")
    if not things and not (first and end):
        raise click.UsageError("--from and --to are needed, or --object-file.")
    if first and end and first >= end:
        raise click.UsageError("The period ends before it begins.")


def _say_it_was_sought(first: datetime | None, end: datetime | None, actors: tuple[str, ...], finess: str) -> None:
    """Before anything is read: a command that is cut has been asked for all the same."""
    hospital = establishments.by_finess(finess).id if finess else None
    audit.record(
        "people.sought",
        establishment_id=hospital,
        first=first.isoformat() if first else None,
        last=end.isoformat() if end else None,
        what="" if first else "things",
        actors=" ".join(actors)[:500],
    )


def _found(
    first: datetime | None, end: datetime | None, actors: tuple[str, ...], finess: str, things: IO[str] | None
) -> tuple[Iterable[Touched], int]:
    if things is not None:
        return affected.by_things(filter(None, map(str.strip, things)))
    assert first
    assert end
    hospital = establishments.by_finess(finess).id if finess else None
    return affected.by_audit(Asked(first, end, actors, hospital)), 0


@contextmanager
def _only_mine(path: Path) -> Iterator[IO[str]]:
    """A new file that nobody else may read, on disk at the end; none when it could not be finished."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise click.ClickException(f"{path} cannot be made: {error.strerror}.") from error
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _write(file: IO[str], people: Iterable[Person]) -> tuple[int, int]:
    """How many people, and how many of them with a way to reach them."""
    lines = csv.writer(file, delimiter=";", lineterminator="\n")
    lines.writerow(COLUMNS)
    written = reached = 0
    for person in people:
        lines.writerow(map(cell, _cells(person)))
        written += 1
        reached += bool(person.through)
    return written, reached


def _cells(person: Person) -> list[str]:
    touched = person.touched
    moments = [each.isoformat(timespec="seconds") if each else "" for each in (touched.first_at, touched.last_at)]
    return [
        str(touched.patient_id), person.family_name, person.first_name, person.birth_on.isoformat(), person.email,
        person.mobile, person.through, person.deceased_on.isoformat() if person.deceased_on else "",
        " ".join(person.finess), str(touched.times), *moments,
    ]  # fmt: skip


@click.group("sessions")
def session_commands() -> None:
    """Browsers that are signed in."""


@session_commands.command("end")
@click.option("--account", type=click.UUID, help="Of this account alone.")
@click.option("--audience", type=click.Choice(get_args(Audience)), help="Of every patient, professional or agent.")
@click.option("--everybody", is_flag=True, help="Of everybody.")
@click.option("--reason", required=True, help="Why, for the audit; no name.")
@click.pass_context
def end_sessions(
    context: click.Context, account: UUID | None, audience: Audience | None, everybody: bool, reason: str
) -> None:
    """Sign people out at once; they may sign in again, unless what they sign in with was taken away too."""
    if sum((account is not None, audience is not None, everybody)) != 1:
        raise click.UsageError("One of --account, --audience and --everybody is needed.")
    with context.obj(config.load()).app_context(), db.transaction(db.system("cli.sessions_end")):
        if account is not None:
            try:
                number = actions.end_sessions_of(account, reason)
            except actions.UnknownAccount as error:
                raise click.ClickException(f"No account has the number {account}.") from error
        else:
            number = actions.end_sessions_of_all([audience] if audience else get_args(Audience), reason)
    click.echo(f"{number} sessions ended")
