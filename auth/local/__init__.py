"""Accounts that no identity provider vouches for, the last resort."""

from flask import Flask


def register(app: Flask) -> None:
    """Add the models of local accounts."""
    from auth.local import models  # noqa: F401
