"""Requests for an appointment where no time can be booked online, followed to their answer."""

from flask import Flask

from auth.mandates import masking
from auth.mandates.masking import Maskable
from services.appointments.requests import (  # noqa: F401 - jobs registers
    affairs,
    belongings,
    export,
    figures,
    jobs,
    routes_patient,
    wording,
)
from services.appointments.requests.models import AppointmentRequest


def register(app: Flask) -> None:
    """Furnish this part of the room: pages, words, figures, and what the core asks of every room."""
    app.register_blueprint(routes_patient.pages)
    wording.register(app)
    affairs.declare()
    belongings.declare()
    export.declare()
    figures.declare()
    page, desk = ("requests.show", "request_id"), ("admin_appointment_requests.show", "request_id")
    masking.offer(Maskable("appointment_request", AppointmentRequest, "appointments", page, desk))
