"""Pages of figures as agents like to find them again: under a name, for themselves or for those of their hospital."""

from flask import Flask

from auth.wording import say


def register(app: Flask) -> None:
    """Say what the journal calls them."""
    from auth.figure_views import journal

    say(journal.WORDS)
