"""A hospital's own OpenID provider (Keycloak, ADFS, Entra), through which its agents may sign in: one a hospital."""

from collections.abc import Iterator

import click
from flask import Flask


def register(app: Flask) -> None:
    """Keep the clients of these providers from one request to the next."""
    from auth.hospital_providers import models as models

    app.extensions["parvis.hospital_doors"] = {}


def for_operators() -> Iterator[click.Command]:
    """What an operator types about them."""
    from auth.hospital_providers.command_line import establishment

    yield establishment
