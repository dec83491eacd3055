"""What an operator types about direct lines."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import click
from flask import Flask

from portal import config, db, establishments
from portal.config import ConfigurationError
from portal.delimited import NotSuchAFile
from portal.establishments import UnknownEstablishment
from services.lines import loading


@click.group("import")
def import_() -> None:
    """Bulk loads."""


@import_.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--finess", required=True, help="The hospital whose duties these are (legal FINESS).")
@click.option("--replace", is_flag=True, help="Take away earlier imported duties of the same time that it lacks.")
@click.option("--dry-run", is_flag=True, help="Say what it would do, and change nothing.")
@click.pass_context
def duty(context: click.Context, file: Path, finess: str, replace: bool, dry_run: bool) -> None:
    """Bring who is on duty from a CSV file (see docs/lines.md). One JSON line of report.

    Safe to run twice. Exit code 3 when a line was refused.
    """
    create_app: Callable[..., Flask] = context.obj
    try:
        context.with_resource(create_app(config.load()).app_context())
        with db.transaction(db.system("cli.import_duty")):
            report = _load(file, finess, replace=replace, dry_run=dry_run)
    except ConfigurationError as error:
        raise click.ClickException(str(error)) from error
    except NotSuchAFile as error:
        raise click.ClickException(f"This is no file of duties: {error}.") from error
    except UnknownEstablishment as error:
        raise click.ClickException(f"No hospital has the FINESS number {error}.") from error
    click.echo(json.dumps(asdict(report) | {"dry_run": dry_run}, ensure_ascii=False))
    if report.refused:
        context.exit(3)


def _load(file: Path, finess: str, *, replace: bool, dry_run: bool) -> loading.Report:
    place = establishments.by_finess(finess)
    if not dry_run:
        return loading.load(file, place, replace=replace)
    with db.taken_back():
        return loading.load(file, place, replace=replace)
