"""Practitioners of the city book for the patients they send."""

from flask import Flask
from flask_babel import lazy_gettext as _l

from portal import catalog
from portal.catalog import Card
from services.appointments.city import figures, routes_pro


def register(app: Flask) -> None:
    """Add the practitioners' pages, and their entry on their home and in their menu."""
    app.register_blueprint(routes_pro.pages)
    figures.declare()
    catalog.offer(
        Card(
            code="city_appointments",
            title=_l("Appointments for my patients"),
            text=_l("Book a consultation at the hospital for a patient you send, and follow it."),
            icon="calendar-plus",
            endpoint="city_appointments.sent",
            audience="professional",
        )
    )
