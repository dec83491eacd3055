"""Watching over accesses: the chain of the audit, unusual accesses, reviews of rights, incidents of security."""

from collections.abc import Sequence

import click
from flask import Flask


def register(app: Flask) -> None:
    """Declare the tables, the jobs and how long things are kept."""
    from auth.oversight import jobs, keeping, models  # noqa: F401 - jobs registers, models are mapped

    keeping.declare()


def for_operators() -> Sequence[click.Command]:
    """What an operator types when somebody is where they should not be."""
    from auth.oversight.commands import audit_commands, session_commands

    return [audit_commands, session_commands]
