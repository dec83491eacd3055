"""Emergency departments: who waits there and for how long, as the hospital says it, and never what is old."""

import click
from flask import Flask

from auth.wording import say
from services.attendance import (
    api,
    figures,
    jobs,  # noqa: F401 - registers the job
    journal,
    retention,
    routes_public,
    wording,
)
from services.attendance.models import RIGHT as RIGHT


def register(app: Flask) -> None:
    """Furnish the room: what everybody reads, what other systems say."""
    say(journal.WORDS)
    wording.register(app)
    for pages in (routes_public.pages, api.pages):
        app.register_blueprint(pages)
    figures.declare()
    retention.declare()


def for_operators() -> list[click.Command]:
    """What an operator may type about this room."""
    return []
