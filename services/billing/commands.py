"""What an operator types about bills."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
from flask import Flask

from portal import config, db
from portal.config import ConfigurationError
from portal.delimited import NotSuchAFile
from services.billing import jobs, queries
from services.billing.imports import jobs as imports
from services.billing.imports.jobs import ImportReport, Reading
from services.billing.jobs import Settled
from services.billing.models import PaymentAttempt
from services.billing.settlement import commands as settlement

_READABLE_FOR = timedelta(days=365)
"""PayFiP keeps results one year (guide, 3.5.2.6)."""
_UNHEARD = ("trouble", "left_alone")


def _as_system(context: click.Context, job: str) -> AbstractContextManager[Any]:
    _surround(context)
    return db.transaction(db.system(job))


def _surround(context: click.Context) -> None:
    """The application around a command, once. Exits when the environment makes no sense."""
    create_app: Callable[..., Flask] = context.obj
    try:
        context.with_resource(create_app(config.load()).app_context())
    except ConfigurationError as error:
        raise click.ClickException(str(error)) from error


@click.group()
def billing() -> None:
    """Bills and what the ledger says of them."""


@billing.command()
@click.argument("references", nargs=-1)
@click.pass_context
def balance(context: click.Context, references: tuple[str, ...]) -> None:
    """One JSON line a bill: reference, amounts in cents, state. Every bill when no reference is given."""
    with _as_system(context, "cli.billing_balance"):
        for found in queries.balances(references):
            click.echo(
                json.dumps(
                    {
                        "reference": found.bill.reference,
                        "establishment": found.bill.establishment.finess,
                        "due_cents": found.bill.due_cents,
                        "paid_cents": found.paid_cents,
                        "refunded_cents": found.refunded_cents,
                        "state": found.state,
                    }
                )
            )


@click.group()
def reconcile() -> None:
    """Compare what we believe with what others say."""


@reconcile.command()
@click.pass_context
def payments(context: click.Context) -> None:
    """Ask the providers about every open attempt now, whatever its schedule. One JSON line an attempt.

    Safe to run twice at once. Exit code 3 when a provider could not be asked, or said what a human must look at.
    """
    with _as_system(context, "cli.reconcile_payments"):
        attempts = queries.open_attempts(db.now() - _READABLE_FOR)
    found = [_reconciled(attempt) for attempt in attempts]
    if any(settled.silence in _UNHEARD or settled.state == "to_review" for settled in found):
        context.exit(3)


def _reconciled(attempt: PaymentAttempt) -> Settled:
    settled = jobs.settle_telling(attempt.id)
    told: dict[str, Any] = {
        "reference": ", ".join(bill.reference for bill in attempt.bills),
        "amount_cents": attempt.amount_cents,
        "before": attempt.state,
        "after": settled.state,
    }
    click.echo(json.dumps(told | ({"silence": settled.silence} if settled.silence else {})))
    return settled


@click.group("import")
def import_() -> None:
    """Bulk loads."""


@import_.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--finess", default="", help="the hospital, for PES files that do not name it")
@click.option("--ref-tiers-is-ipp", is_flag=True, help="in PES files, RefTiers is the patient's IPP")
@click.pass_context
def bills(context: click.Context, files: tuple[Path, ...], finess: str, ref_tiers_is_ipp: bool) -> None:
    """Load bills from the billing system: CSV, or titres in PES v2. Safe to run twice, and again after a cut."""
    _surround(context)
    for file in files:
        try:
            report = imports.import_bills(file, reading=Reading(finess, ref_tiers_is_ipp))
        except NotSuchAFile as error:
            raise click.ClickException(f"{file.name}: {error}") from error
        _say(file.name, report)


def _say(name: str, report: ImportReport) -> None:
    for remark in report.remarks:
        said = {"file": name, "line": remark.line, "reference": remark.reference, remark.kind: remark.why}
        click.echo(json.dumps(said, ensure_ascii=False))
    counts = ("added", "changed", "unchanged", "refused", "closed", "left_out")
    click.echo(json.dumps({"file": name} | {what: getattr(report, what) for what in counts}, ensure_ascii=False))


import_.add_command(settlement.import_payments)
