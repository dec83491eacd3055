"""Enrolment on the hospital's identity: accounts linked to a patient number (IPP), and what follows."""

import click
from flask import Flask


def register(app: Flask) -> None:
    """Add the person's page and the jobs."""
    from auth.enrolment import jobs, models  # noqa: F401


def commands() -> list[click.Command]:
    """What an operator may type about patients."""
    from auth.enrolment.commands import import_

    return [import_]
