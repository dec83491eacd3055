"""Visits that are booked together: a day of several consultations, or a series of the same one."""

from flask import Flask

from services.appointments.pathways import jobs, routes_patient, routes_public  # noqa: F401 - jobs registers


def register(app: Flask) -> None:
    app.register_blueprint(routes_public.pages)
    app.register_blueprint(routes_patient.pages)
