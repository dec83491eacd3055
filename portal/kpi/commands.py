"""What an operator types: a figure as one JSON line, and every event counted again."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import click

from portal import config, db, establishments, kpi
from portal.establishments import UnknownEstablishment
from portal.kpi.rebuilding import Difference, Rebuilt


@click.group("kpi")
def kpi_commands() -> None:
    """Figures."""


@contextmanager
def _as_system(context: click.Context, job: str) -> Iterator[None]:
    create_app: Any = context.obj
    with create_app(config.load()).app_context(), db.transaction(db.system(job)):
        yield


@kpi_commands.command()
@click.pass_context
def rebuild(context: click.Context) -> None:
    """Count every event of open months again, and compare closed months with the events that are still kept.

    One JSON line a difference, then a summary. Closed months are never written; exit 1 when one of them was altered,
    or differs by something else than events that came late.
    """
    with _as_system(context, "cli.kpi_rebuild"):
        done = kpi.rebuild()
        finess = {each.id: each.finess for each in establishments.establishments()}
    for line in done.differences:
        click.echo(json.dumps(_line(line, finess)))
    for month in done.altered:
        click.echo(json.dumps({"month": f"{month:%Y-%m}", "altered": True}))
    click.echo(json.dumps(_summary(done)))
    context.exit(1 if done.altered or any(each.is_unexplained for each in done.differences) else 0)


def _line(found: Difference, finess: dict[Any, str]) -> dict[str, object]:
    return {
        "month": f"{found.month:%Y-%m}",
        "event": found.event,
        "establishment": finess.get(found.establishment_id, ""),
        "frozen": found.frozen,
        "late": found.late,
        "events": found.events,
        "frozen_quantity": found.frozen_quantity,
        "late_quantity": found.late_quantity,
        "quantity": found.quantity,
        "unexplained": found.is_unexplained,
    }


def _summary(done: Rebuilt) -> dict[str, object]:
    return {
        "events": done.events,
        "rows": done.rows,
        "compared": len(done.compared),
        "forgotten": len(done.forgotten),
        "altered": len(done.altered),
        "differences": len(done.differences),
    }


@kpi_commands.command()
@click.argument("code")
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), required=True)
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]), required=True)
@click.option("--establishment", "finess", default="")
@click.pass_context
def show(context: click.Context, code: str, first: datetime, last: datetime, finess: str) -> None:
    """One JSON line: code, definition version, numerator, denominator, value."""
    if first > last:
        raise click.ClickException("The period ends before it begins.")
    try:
        with _as_system(context, "cli.kpi_show"):
            hospital = establishments.by_finess(finess).id if finess else None
            definition = kpi.definition(code)
            figure = definition.compute(kpi.Period(first.date(), last.date(), hospital))
            version = kpi.version_of(code)
    except UnknownEstablishment as error:
        raise click.ClickException(f"No hospital has the FINESS number {error}.") from error
    except KeyError as error:
        raise click.ClickException(f"No figure has the code {code}.") from error
    told = {"code": code, "version": version, "numerator": figure.numerator, "denominator": figure.denominator}
    click.echo(json.dumps(told | {"value": figure.value}))
