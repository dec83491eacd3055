"""Deaths: what ends at once, what is only listed, and how two agents undo a mistake."""

from flask import Flask


def register(app: Flask) -> None:
    """Add the page of closed accounts, and silence every message to or about somebody who died."""
    from auth.death import models, queries, routes  # noqa: F401 - models are mapped
    from portal import notifications

    app.register_blueprint(routes.closed_pages)
    notifications.withhold_when(queries.is_silenced)
