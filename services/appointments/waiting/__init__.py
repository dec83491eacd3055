"""Those who would come earlier: times that come free are offered to them, in order, and never taken without a yes."""

from flask import Flask

from services.appointments.actions import when_freed, when_opened
from services.appointments.waiting import affairs, belongings, export, figures, jobs, routes_patient, wording


def register(app: Flask) -> None:
    """Furnish this part of the room: pages, words, figures, and what the core asks of every room."""
    app.register_blueprint(routes_patient.pages)
    wording.register(app)
    affairs.declare()
    belongings.declare()
    export.declare()
    figures.declare()
    when_freed(jobs.time_came_free)
    when_opened(jobs.time_was_opened)
