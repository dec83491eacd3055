"""Support mode: an agent sees a person's own screens for a quarter of an hour, read only, without their contents."""

from flask import Flask


def register(app: Flask) -> None:
    """Add what the person sees of it and can end; say which columns hold nothing to hide, and how long traces stay."""
    from auth.support import harmless, keeping, models, routes  # noqa: F401 - models are mapped

    harmless.declare()
    keeping.declare()
    app.register_blueprint(routes.pages)
