"""Machines: the other systems of a hospital, which call the portal by themselves with OAuth2 client credentials."""

from flask import Flask


def register(app: Flask) -> None:
    """Declare the tables, and add the addresses that machines call."""
    from auth.machines import models  # noqa: F401
