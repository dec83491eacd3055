"""The national directory: practitioners, where they work, and the MSSanté boxes to write to them.

A room below the others: whoever writes to somebody imports `queries`, which knows none of them. Nothing is imported
here before it is needed: the process that reads two million lines must stay small.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click
    from flask import Flask


def register(app: Flask) -> None:
    """Open the practitioners' pages, and say what the journal tells."""
    from flask_babel import lazy_gettext as _l

    from auth.wording import say
    from portal import catalog
    from portal.catalog import Card
    from portal.config import ConfigurationError
    from portal.gateways import UnsupportedUrl
    from services.directory import jobs, journal, lent, routes_pro

    try:
        jobs.connect(app.config["SETTINGS"])
    except UnsupportedUrl as error:
        raise ConfigurationError(f"PORTAL_DIRECTORY_URLS, PORTAL_DIRECTORY_ANCHORS: {error}") from error
    say(journal.WORDS)
    lent.declare()
    app.register_blueprint(routes_pro.pages)
    text = _l("Find a professional of the country, where they work and their MSSanté box.")
    title = _l("National directory")
    catalog.offer(
        Card("directory", title, text, "users", "directory.search", "professional", title, "admin_directory.search",
             "documents")
    )  # fmt: skip


def for_operators() -> list[click.Command]:
    """What an operator may type about the directory."""
    from services.directory.commands import import_

    return [import_]
