"""A calendar one subscribes to: my appointments in my own calendar, until I take its address back."""

from flask import Flask
from flask_babel import lazy_gettext as _l

from auth import account_sections
from auth.account_sections import Section


def register(app: Flask) -> None:
    """Add the person's page and the calendar itself."""
    from services.appointments.feed import models, routes_patient, routes_public  # noqa: F401 - models are mapped

    app.register_blueprint(routes_patient.pages)
    app.register_blueprint(routes_public.pages)
    account_sections.offer(
        Section(
            _l("My calendar"),
            _l("Subscribe from your own calendar to see your appointments in it."),
            "calendar-plus",
            "calendar_feed.show",
            rank=23,
        )
    )
