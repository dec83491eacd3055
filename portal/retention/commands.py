"""What an operator types: what would go, and letting it go."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import click

from portal import config, db, establishments, retention
from portal.config import ConfigurationError
from portal.retention import Outcome


@click.command("retention")
@click.option("--dry-run", is_flag=True, help="Say what would be erased, and erase nothing.")
@click.pass_context
def command(context: click.Context, dry_run: bool) -> None:
    """Erase what the portal has kept long enough; a proof is written for every batch. Safe to run twice."""
    create_app: Any = context.obj
    try:
        context.with_resource(create_app(config.load()).app_context())
    except ConfigurationError as error:
        raise click.ClickException(str(error)) from error
    with db.transaction(db.system("retention.run")):
        names = {each.id: each.finess for each in establishments.establishments()}
        outcomes = retention.look(db.now(), list(names)) if dry_run else []
        still_there = retention.not_erased_yet() if dry_run else retention.ask_storage_again()
    outcomes = outcomes or ([] if dry_run else retention.run(db.now()))
    for line in _lines(outcomes, dict(names), dry_run):
        click.echo(json.dumps(line))
    click.echo(json.dumps({"storage_still_has": still_there}))
    if any(each.failed for each in outcomes):
        context.exit(1)


def _lines(outcomes: Sequence[Outcome], names: dict[Any, str], dry_run: bool) -> Iterator[dict[str, object]]:
    """One line a rule and hospital where something is due."""
    for each in outcomes:
        if each.due:
            done = {} if dry_run else {"erased": each.erased, "failed": each.failed}
            yield {
                "rule": each.rule.code,
                "finess": names.get(each.establishment_id, ""),
                "older_than": each.older_than.date().isoformat(),
                "due": each.due,
                "held": each.held,
                **done,
            }
