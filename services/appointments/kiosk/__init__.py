"""Terminals: somebody scans their appointment in the hall, and the unit knows that they are there."""

from flask import Flask

from auth.wording import say, say_who
from services.appointments.kiosk import figures, journal, routes_sheet, routes_terminal, wording


def register(app: Flask) -> None:
    """The terminal's pages, the code on the patient's pages, the figures."""
    say(journal.WORDS)
    say_who(journal.WHO)
    wording.register(app)
    for pages in (routes_terminal.pages, routes_sheet.pages):
        app.register_blueprint(pages)
    figures.declare()
