"""What an operator types about patients."""

import json
from pathlib import Path
from typing import Any

import click

from auth.enrolment import jobs
from portal import config
from portal.config import ConfigurationError
from portal.delimited import NotSuchAFile


@click.group("import")
def import_() -> None:
    """Bulk loads."""


@import_.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_context
def patients(context: click.Context, file: Path) -> None:
    """Load patients from the hospital's CSV file; safe to run twice, and again after a cut."""
    create_app: Any = context.obj
    try:
        settings = config.load()
        context.with_resource(create_app(settings).app_context())
        report = jobs.import_patients(file, production=settings.is_production)
    except (ConfigurationError, NotSuchAFile) as error:
        raise click.ClickException(str(error)) from error
    for refusal in report.refusals:
        click.echo(json.dumps({"line": refusal.line, "ipp": refusal.ipp, "refused": refusal.why}))
    counts = {name: getattr(report, name) for name in ("added", "changed", "unchanged", "refused", "deaths")}
    click.echo(json.dumps({**counts, "removed": 0}))
