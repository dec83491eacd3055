"""The staff's side of the rooms: dashboard, trays, staff, establishments, audit."""

from flask import Flask

from admin import routes_appointments, routes_billing, routes_dashboard, routes_preadmission


def register(app: Flask) -> None:
    """Add the staff's screens."""
    app.register_blueprint(routes_dashboard.dashboard_pages)
    app.register_blueprint(routes_billing.billing_tray)
    app.register_blueprint(routes_appointments.pages)
    app.register_blueprint(routes_preadmission.preadmission_pages)
