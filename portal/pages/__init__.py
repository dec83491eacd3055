"""Pages about the portal itself: home, search, legal, accessibility, status."""

from flask import Flask

from portal.pages import (  # noqa: F401 - legal, working add their pages to the blueprint
    legal,
    numbers,
    routes,
    services,
    status,
    working,
)


def register(app: Flask) -> None:
    app.register_blueprint(routes.pages)
    app.register_blueprint(status.status)
    numbers.register()
    app.after_request(services.count_arrival)
    app.jinja_env.globals["links_for"] = services.links_for
    if app.config["PORTAL_ENV"] in ("development", "demo", "test"):
        app.register_blueprint(routes.style)
