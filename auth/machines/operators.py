"""What an operator types about machines."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click
from flask import Flask

from auth.machines import actions, keys, scopes
from auth.machines.actions import Draft
from auth.machines.keys import NotAKeySet
from auth.machines.scopes import SCOPES, UnknownScope
from portal import config, db, establishments
from portal.config import ConfigurationError


@click.group("machine")
def machine() -> None:
    """Other systems of a hospital, which call the portal by themselves."""


@machine.command("add")
@click.argument("finess")
@click.argument("name")
@click.argument("scopes_asked", metavar="SCOPES")
@click.option("--jwks", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Its public keys.")
@click.option(
    "--quota", type=click.IntRange(1), default=actions.QUOTA_PER_HOUR, show_default=True, help="Calls an hour."
)
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="The day from which it is shut out.")
@click.pass_context
def add(
    context: click.Context,
    finess: str,
    name: str,
    scopes_asked: str,
    jwks: Path | None,
    quota: int,
    until: datetime | None,
) -> None:
    """Let a machine in, with the scopes of a list of words; print its client id, and its secret once."""
    try:
        wanted = scopes.parse(scopes_asked)
        key_set = keys.read_key_set(jwks.read_text(encoding="utf-8")) if jwks else None
    except UnknownScope as error:
        known = " ".join(scope.code for scope in SCOPES)
        raise click.BadParameter(f"{' '.join(error.args)}: the scopes are {known}") from error
    except (NotAKeySet, UnicodeDecodeError) as error:
        raise click.BadParameter(f"{jwks}: {error}") from error
    if not wanted:
        raise click.BadParameter("one scope at least is needed")
    _surround(context)
    with db.transaction(db.system("cli.machine_add")):
        hospital = establishments.by_finess(finess)
        expires_at = until.replace(tzinfo=UTC) if until else None
        made, secret = actions.add(Draft(hospital.id, name, wanted, key_set, quota, expires_at))
        client_id = made.client_id
    click.echo(f"client_id={client_id}")
    if secret:
        click.echo(f"client_secret={secret}")


def _surround(context: click.Context) -> None:
    """The application around the command. Exits when the environment makes no sense."""
    create_app: Callable[..., Flask] = context.obj
    try:
        context.with_resource(create_app(config.load()).app_context())
    except ConfigurationError as error:
        raise click.ClickException(str(error)) from error
