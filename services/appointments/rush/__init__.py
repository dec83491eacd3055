"""The waiting room of a rush: when thousands come at once, each waits their turn instead of meeting errors."""

from flask import Flask

from services.appointments.rush import doorway


def register(app: Flask) -> None:
    app.register_blueprint(doorway.pages)
