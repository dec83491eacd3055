"""The staff's side of the rooms: dashboard, trays, staff, establishments, audit."""

from flask import Flask

from admin import (
    figure_words,
    routes_appointments,
    routes_billing,
    routes_dashboard,
    routes_documents,
    routes_exchanges,
    routes_figures,
    routes_preadmission,
)


def register(app: Flask) -> None:
    """Add the staff's screens."""
    app.jinja_env.globals["figure_words"] = figure_words
    app.register_blueprint(routes_dashboard.dashboard_pages)
    app.register_blueprint(routes_figures.figure_pages)
    app.register_blueprint(routes_billing.billing_tray)
    app.register_blueprint(routes_appointments.pages)
    app.register_blueprint(routes_preadmission.preadmission_pages)
    app.register_blueprint(routes_documents.documents_pages)
    app.register_blueprint(routes_exchanges.exchanges_pages)
