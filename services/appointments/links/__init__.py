"""Links in messages: see when and where, say that one comes, move or cancel, without signing in."""

from flask import Flask

from services.appointments import mails


def register(app: Flask) -> None:
    """Add the links' pages, and let messages carry links."""
    from services.appointments.links import actions, models, routes_public  # noqa: F401 - models are mapped

    app.register_blueprint(routes_public.pages)
    mails.linked_by(actions.path_to)
