"""Second factors: what proves, besides a password, that the right person is there."""

from flask import Flask


def register(app: Flask) -> None:
    """Add the models of factors, and their keys."""
    from auth import tries  # noqa: F401
    from auth.factors import models, sealing  # noqa: F401

    sealing.configure(app.config["SETTINGS"])
