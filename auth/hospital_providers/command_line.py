"""`parvis establishment provider …`: a hospital's own provider, from the command line as from the screens."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import click
from flask import Flask

from auth.hospital_providers import actions, doors, queries
from auth.hospital_providers.actions import Draft, ProviderUnsafe, UnknownProvider
from portal import config, db, establishments
from portal.establishments import Establishment


@click.group()
def establishment() -> None:
    """Hospitals of the group."""


@establishment.group()
def provider() -> None:
    """A hospital's own OpenID provider, for its agents."""


@provider.command("set")
@click.argument("finess")
@click.option("--label", required=True, help="What the button says.")
@click.option("--issuer", required=True, help="The issuer the provider claims, to the letter.")
@click.option("--discovery-url", default="", help="Where it publishes itself; usual place by default.")
@click.option("--client-id", required=True)
@click.option("--secret-from", type=click.File(), default=None, help="A file with our client secret; - to type it.")
@click.option("--signing-alg", type=click.Choice(["RS256", "ES256"]), default="RS256", show_default=True)
@click.option("--scopes", default="openid profile email", show_default=True)
@click.option("--acr-values", default="", help="Assurance levels asked for.")
@click.option("--proof-claim", type=click.Choice(["acr", "amr"]), default="amr", show_default=True)
@click.option("--proof-values", default="mfa otp hwk swk", show_default=True, help="Its values that prove two factors.")
@click.pass_context
def set_provider(context: click.Context, /, finess: str, secret_from: TextIO | None, **given: str) -> None:
    """Set it up, or change it; without --secret-from the known secret stays."""
    values = given.pop("proof_values").replace(",", " ").split()
    secret = secret_from.read().strip() if secret_from else ""
    with _at(context, finess, "set") as hospital:
        try:
            actions.configure(hospital.id, Draft(**given, client_secret=secret, proof_values=values), config.load())
        except ProviderUnsafe as refused:
            raise click.ClickException(f"--{refused.setting.replace('_', '-')}: {refused.reason}") from refused
    click.echo(f"redirect URI to declare there: {config.load().base_url}/auth/{actions.door_name(finess)}/callback")


@provider.command("show")
@click.argument("finess")
@click.pass_context
def show_provider(context: click.Context, finess: str) -> None:
    """Print it without its secret, and what a test of it finds; exit 1 on trouble."""
    with _at(context, finess, "show") as hospital:
        found = queries.of_hospital(hospital.id)
        if found is None:
            raise click.ClickException("This hospital has no provider of its own.")
        for name in ("label", "issuer", "discovery_url", "client_id", "signing_alg", "scopes", "acr_values"):
            click.echo(f"{name}: {getattr(found, name)}")
        click.echo(f"proof: {found.proof_claim} among {', '.join(found.proof_values)}")
        client = doors.client(found)
    findings = client.examine()
    for finding in findings:
        click.echo(f"{'TROUBLE' if finding.trouble else 'ok':8}{finding.what} {finding.trouble}".rstrip())
    sys.exit(1 if any(finding.trouble for finding in findings) else 0)


@provider.command("remove")
@click.argument("finess")
@click.pass_context
def remove_provider(context: click.Context, finess: str) -> None:
    """Take it away; whoever came through it is signed out."""
    with _at(context, finess, "remove") as hospital:
        try:
            actions.remove(hospital.id)
        except UnknownProvider as error:
            raise click.ClickException("This hospital has no provider of its own.") from error


@contextmanager
def _at(context: click.Context, finess: str, verb: str) -> Iterator[Establishment]:
    app: Flask = context.obj(config.load())
    with app.app_context(), db.transaction(db.system(f"cli.establishment_provider_{verb}")):
        yield establishments.by_finess(finess)
