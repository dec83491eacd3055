"""Pages about the portal itself: home, search, legal, accessibility, status."""

from flask import Flask

from portal.pages import routes, status


def register(app: Flask) -> None:
    app.register_blueprint(routes.pages)
    app.register_blueprint(status.status)
    if app.config["PORTAL_ENV"] in ("development", "demo", "test"):
        app.register_blueprint(routes.style)
