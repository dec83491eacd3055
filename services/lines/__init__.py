"""Direct lines: numbers that practitioners of the city call, who answers them and when, callbacks."""

import click
from flask import Flask
from flask_babel import lazy_gettext as _l

from auth.digests import sources
from auth.digests.sources import Waiting
from auth.wording import say, say_who
from portal import catalog
from portal.catalog import Card, Group
from services.lines import (
    figures,
    jobs,  # noqa: F401 - registers the jobs
    journal,
    queries,
    retention,
    routes_pro,
    wording,
)
from services.lines.commands import import_
from services.lines.models import RIGHT as RIGHT

STAFF_MENU = Group(_l("Direct lines"), "phone")


def register(app: Flask) -> None:
    """Furnish the room."""
    app.register_blueprint(routes_pro.pages)
    wording.register(app)
    say(journal.WORDS)
    say_who(journal.WHO)
    figures.declare()
    retention.declare()
    sources.offer(Waiting("callbacks", _l("Calls back"), RIGHT, "admin_callbacks.tray", queries.waiting_rows))
    catalog.offer(
        Card(
            "lines",
            _l("Direct lines"),
            _l("Numbers of the hospital’s units, who answers now, and calls back."),
            "phone",
            "lines.sheet",
            "professional",
        )
    )


def for_operators() -> list[click.Command]:
    """What an operator may type about this room."""
    return [import_]
