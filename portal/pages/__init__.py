"""Pages about the portal itself: home, search, legal, accessibility, status."""

from flask import Flask

from portal.pages import legal, routes, services, status  # noqa: F401 - legal adds its pages to the blueprint


def register(app: Flask) -> None:
    app.register_blueprint(routes.pages)
    app.register_blueprint(status.status)
    app.after_request(services.count_arrival)
    app.jinja_env.globals["links_for"] = services.links_for
    if app.config["PORTAL_ENV"] in ("development", "demo", "test"):
        app.register_blueprint(routes.style)
