"""What an operator types about planned stays."""

import json
from pathlib import Path
from typing import Any

import click

from portal import config
from portal.config import ConfigurationError
from portal.delimited import NotSuchAFile
from services.preadmission.invitations import importing


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_context
def stays(context: click.Context, file: Path) -> None:
    """Invite the patients of planned stays from the hospital's CSV file; safe to run twice, and again after a cut."""
    create_app: Any = context.obj
    try:
        context.with_resource(create_app(config.load()).app_context())
        report = importing.import_stays(file)
    except (ConfigurationError, NotSuchAFile) as error:
        raise click.ClickException(str(error)) from error
    for line in importing.told(report):
        click.echo(json.dumps(line))
