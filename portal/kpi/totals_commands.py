"""What an operator types about hospitals' totals."""

import json
from collections.abc import Callable
from pathlib import Path

import click
from flask import Flask

from portal import config, db
from portal.config import ConfigurationError
from portal.delimited import NotSuchAFile
from portal.kpi import totals_file

_SYSTEM = db.system("totals.import")


@click.group("import")
def import_() -> None:
    """Bulk loads."""


@import_.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_context
def totals(context: click.Context, files: tuple[Path, ...]) -> None:
    """Load what hospitals say of themselves: CSV, `finess;code;day;grain;value`. Safe to run twice. One JSON line a
    refused line, then one a file."""
    create_app: Callable[..., Flask] = context.obj
    try:
        context.with_resource(create_app(config.load()).app_context())
    except ConfigurationError as error:
        raise click.ClickException(str(error)) from error
    for file in files:
        try:
            report = totals_file.import_totals(file, _SYSTEM)
        except NotSuchAFile as error:
            raise click.ClickException(f"{file.name}: {error}") from error
        for refused in report.remarks:
            click.echo(json.dumps({"file": file.name, "line": refused.line, "refused": str(refused.why)}))
        counts = {what: getattr(report, what) for what in ("added", "changed", "unchanged", "refused")}
        click.echo(json.dumps({"file": file.name} | counts))
