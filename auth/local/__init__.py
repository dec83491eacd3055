"""Accounts that no identity provider vouches for, the last resort."""

from flask import Flask


def register(app: Flask) -> None:
    """Add the door without a provider."""
    from auth.local.routes import local_pages

    app.register_blueprint(local_pages)
