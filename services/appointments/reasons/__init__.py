"""Reasons for consultation, as the hospital describes them."""

from flask import Flask

from services.appointments.reasons import jobs, models, wording  # noqa: F401 - jobs register, a table of its own


def register(app: Flask) -> None:
    """Words for the pages of the room and of the staff."""
    wording.register(app)
