"""Guests of one stay: somebody without an account sees one file or one appointment, and nothing medical."""

from flask import Flask


def register(app: Flask) -> None:
    """Add the guests' pages; a staff's page may ask for the way to an invitation."""
    from auth.guests import jobs, models, routes  # noqa: F401 - jobs registers its tasks

    app.register_blueprint(routes.guest_pages)
