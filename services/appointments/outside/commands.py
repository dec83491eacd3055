"""What an operator types about the hospital's agenda."""

import json
from collections.abc import Callable
from pathlib import Path

import click
from flask import Flask

from portal import config
from portal.config import ConfigurationError
from portal.delimited import NotSuchAFile
from services.appointments.outside import jobs
from services.appointments.outside.jobs import ImportReport


@click.group("import")
def import_() -> None:
    """Bulk loads."""


@import_.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--busy-of", "rpps", default="", help="RPPS of the practitioner whose calendar (.ics) this is")
@click.option("--at", "finess", default="", help="FINESS of the hospital, with --busy-of")
@click.pass_context
def schedules(context: click.Context, files: tuple[Path, ...], rpps: str, finess: str) -> None:
    """Load sessions and busy times from the hospital's agenda (CSV), or from one practitioner's calendar; safe to run
    twice, and again after a cut."""
    if rpps and len(files) > 1:
        raise click.ClickException("one calendar holds all the events of a practitioner: give one file")
    create_app: Callable[..., Flask] = context.obj
    try:
        context.with_resource(create_app(config.load()).app_context())
    except ConfigurationError as error:
        raise click.ClickException(str(error)) from error
    for file in files:
        try:
            _say(jobs.import_calendar(file, finess, rpps) if rpps else jobs.import_schedules(file))
        except NotSuchAFile as error:
            raise click.ClickException(f"{file.name}: {error}") from error


def _say(report: ImportReport) -> None:
    for refusal in report.refusals:
        click.echo(
            json.dumps(
                {"line": refusal.line, "external_id": refusal.external_id, "refused": refusal.why}, ensure_ascii=False
            )
        )
    counts = ("added", "changed", "removed", "unchanged", "late", "refused", "stranded")
    click.echo(json.dumps({name: getattr(report, name) for name in counts}))
