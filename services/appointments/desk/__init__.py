"""The hospital's desk: the agents' day, week, arrivals and phone bookings. Its screens are in `admin`."""

from flask import Flask

from services.appointments.desk import wording


def register(app: Flask) -> None:
    """Give the staff's templates the desk's words."""
    wording.register(app)
    app.jinja_env.globals["desk"] = wording
