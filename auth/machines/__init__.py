"""Machines: the other systems of a hospital, which call the portal by themselves with OAuth2 client credentials."""

from collections.abc import Sequence

import click
from flask import Flask


def register(app: Flask) -> None:
    """Declare the tables and the jobs, and add the addresses that machines call."""
    from auth.machines import fhir, jobs, routes_oauth, routes_totals  # noqa: F401 - jobs registers its tasks

    app.register_blueprint(routes_oauth.token_pages)
    app.register_blueprint(routes_oauth.whoami_pages)
    app.register_blueprint(fhir.pages)
    app.register_blueprint(routes_totals.pages)


def for_operators() -> Sequence[click.Command]:
    """What an operator types about machines."""
    from auth.machines.operators import machine

    return [machine]
