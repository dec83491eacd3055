"""The preadmission room."""

import click
from flask import Flask


def register(app: Flask) -> None:
    """Furnish the room: routes, jobs, card, figures."""


def commands() -> list[click.Command]:
    """What an operator may type about this room."""
    return []
