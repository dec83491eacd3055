"""The figures of each month, told to those who ask for them: made once, kept as they were, masked."""

from flask import Flask

from auth.wording import say


def register(app: Flask) -> None:
    """Add the job, and say what the journal calls things."""
    from auth.figure_reports import jobs, journal  # noqa: F401 - registers the job

    say(journal.WORDS)
