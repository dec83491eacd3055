"""Patients as practitioners of the city describe them: their own words, which find nobody."""

import click
from flask import Flask

from auth.wording import say
from services.sent_patients import belongings, journal


def register(_app: Flask) -> None:
    """What is said of this room in the journal, and what it holds for a patient."""
    say(journal.WORDS)
    belongings.declare()


def for_operators() -> list[click.Command]:
    """What an operator may type about this room."""
    return []
