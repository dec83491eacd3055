"""Where a person may be reached: mail and mobile, each proven by a code; language and channels of notification."""

from flask import Flask


def register(app: Flask) -> None:
    """Add the person's page."""
    from auth.contact import models  # noqa: F401
