"""What an operator types about the register of doctors."""

from collections.abc import Callable
from pathlib import Path

import click
from flask import Flask

from portal import config
from portal.config import ConfigurationError
from services.preadmission.doctors import register
from services.preadmission.doctors.register import NotTheRegister


@click.group("import")
def import_() -> None:
    """Bulk loads."""


@import_.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_context
def doctors(context: click.Context, file: Path) -> None:
    """Load the public register of doctors (Annuaire Santé, PS_LibreAcces_Personne_activite), in place of the former."""
    create_app: Callable[..., Flask] = context.obj
    try:
        context.with_resource(create_app(config.load()).app_context())
        click.echo(f"{register.load(file)} doctors")
    except ConfigurationError as error:
        raise click.ClickException(str(error)) from error
    except (NotTheRegister, UnicodeDecodeError) as error:
        raise click.ClickException(f"{file.name}: not the register ({error})") from error
