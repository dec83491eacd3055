"""What an operator may type about boxes."""

import click
from flask import Flask

from portal import db, establishments
from portal.establishments import UnknownEstablishment
from portal.gateways import UnsupportedUrl
from services.documents.mailboxes import actions
from services.documents.mailboxes.actions import (
    KINDS,
    BoxDraft,
    BoxTaken,
    HolderMissing,
    NotABoxAddress,
    UnknownUnit,
)


@click.group("mailbox")
def mailbox() -> None:
    """MSSanté boxes of hospitals."""


@mailbox.command("add")
@click.argument("finess")
@click.argument("address")
@click.argument("kind", metavar="TYPE", type=click.Choice(KINDS))
@click.argument("url", default="")
@click.option("--label", default="", help="Who writes, as correspondents read it; the hospital's name when not given.")
@click.option("--unit", default="", help="Code (UF) of the unit whose box it is.")
@click.option("--holder", default="", help="RPPS number of the holder of a personal box (PER).")
@click.pass_context
def add(
    context: click.Context, finess: str, address: str, kind: str, url: str, label: str, unit: str, holder: str
) -> None:
    """Declare a box: PER (a person's), ORG (an organisation's) or APP (an application's).

    URL is its operator, when it is not the hospital's `mssante_url`. ORG and APP boxes are read in the background.
    """
    app: Flask = context.obj()
    with app.app_context(), db.transaction(db.system("mailbox.add")):
        try:
            hospital = establishments.by_finess(finess)
            actions.add_box(hospital, BoxDraft(address, kind, label, unit, holder, url))
        except UnknownEstablishment as error:
            raise click.ClickException(f"No hospital has the FINESS number {error}.") from error
        except BoxTaken as error:
            raise click.ClickException(f"{error} is declared already.") from error
        except NotABoxAddress as error:
            raise click.ClickException(f"{error} is not the address of a hospital's box.") from error
        except HolderMissing as error:
            raise click.ClickException("A personal box needs --holder, the RPPS number of an account here.") from error
        except UnknownUnit as error:
            raise click.ClickException(f"This hospital has no unit {error}.") from error
        except UnsupportedUrl as error:
            raise click.ClickException(str(error)) from error
    click.echo(f"{address.lower()} ({kind}) belongs to {finess}")
