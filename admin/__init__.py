"""The staff's side of the rooms: dashboard, trays, staff, establishments, audit."""

from flask import Flask

from admin import routes_dashboard


def register(app: Flask) -> None:
    """Add the staff's screens."""
    app.register_blueprint(routes_dashboard.dashboard_pages)
