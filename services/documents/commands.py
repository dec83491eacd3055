"""What an operator may type about documents."""

import json
from pathlib import Path

import click
from flask import Flask, current_app

from portal import db, establishments
from portal.establishments import UnknownEstablishment
from services.documents import jobs, parcels
from services.documents.actions import Outcome
from services.documents.his.hearing import take_in_message
from services.documents.his.states import SUBJECT
from services.exchanges.commands import replay_of


@click.group("documents")
def documents() -> None:
    """Letters of patients."""


@documents.command("receive")
@click.option("--establishment", "finess", required=True, help="FINESS number of the hospital that receives them.")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_context
def receive(context: click.Context, finess: str, paths: tuple[Path, ...]) -> None:
    """Take in CDA letters, IHE_XDM packages, mails that carry them or HL7 v2 messages (MDM, ORU), as if a door had
    brought them.

    One JSON line for each letter: file, outcome (filed, tray, quarantined, duplicate; withdrawn for a T04), code,
    reason, document_id.
    """
    app: Flask = context.obj()
    with app.app_context():
        for path in paths:
            for outcome in _take_in(finess, path):
                click.echo(json.dumps(_line(path, outcome)))


def _take_in(finess: str, path: Path) -> list[Outcome]:
    """The outcomes of one file, in a transaction of its own."""
    production: bool = current_app.config["SETTINGS"].is_production
    with db.transaction(db.system("documents.receive")):
        try:
            hospital = establishments.by_finess(finess)
        except UnknownEstablishment as error:
            raise click.ClickException(f"No hospital has the FINESS number {error}.") from error
        data = path.read_bytes()
        if parcels.is_hl7(data) and (outcomes := take_in_message(hospital, data)) is not None:
            return outcomes
        return jobs.take_in_file(hospital.id, "command", path.name, data, production=production)


def _line(path: Path, outcome: Outcome) -> dict[str, str | None]:
    return {
        "file": str(path),
        "outcome": outcome.outcome,
        "code": outcome.code,
        "reason": outcome.reason,
        "document_id": str(outcome.document_id) if outcome.document_id else None,
    }


documents.add_command(replay_of(SUBJECT))
