"""Identity traits kept verbatim, the beneficiary number (NIR), people who may be one and the same."""

from flask import Flask


def register(app: Flask) -> None:
    """Add the person's page."""
    from auth.identity import models, sealing, traits  # noqa: F401

    sealing.configure(app.config["SETTINGS"])
