"""Keys of the configuration, changed while people work: what a former one still holds, and sealing it anew."""

from collections.abc import Sequence

import click
from flask import Flask


def register(_app: Flask) -> None:
    """Let workers note which key signs, and forget what was sealed anew."""
    from auth.keys import standing, stored_files  # noqa: F401 - a job

    standing.register()


def for_operators() -> Sequence[click.Command]:
    """`parvis keys …`."""
    from auth.keys.commands import keys

    return [keys]
