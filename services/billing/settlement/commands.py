"""What an operator types about files of payments."""

import json
from collections.abc import Callable
from pathlib import Path

import click
from flask import Flask

from portal import config
from portal.config import ConfigurationError
from portal.delimited import NotSuchAFile
from services.billing.settlement import jobs


@click.command("payments")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--finess", default="", help="The hospital of an accountant's file (PES) that does not name it.")
@click.pass_context
def import_payments(context: click.Context, files: tuple[Path, ...], finess: str) -> None:
    """Read files of payments: a provider's day, what was paid elsewhere, debits given back, the accountant's returns.

    Safe to run twice. One JSON line for each line left out, then one for each file. Exit code 3 when any line was.
    """
    create_app: Callable[..., Flask] = context.obj
    try:
        context.with_resource(create_app(config.load()).app_context())
    except ConfigurationError as error:
        raise click.ClickException(str(error)) from error
    refused = 0
    for path in files:
        try:
            report = jobs.import_payments(path, finess=finess)
        except NotSuchAFile as error:
            raise click.ClickException(f"{path.name}: {error}") from error
        for refusal in report.refusals():
            click.echo(json.dumps({"line": refusal.line, "reference": refusal.reference, "refused": refusal.why}))
        click.echo(json.dumps({"file": path.name, **report.totals()}))
        refused += report.totals()["refused"]
    if refused:
        context.exit(3)
