"""Paying without an account: whoever holds the hospital's letter sees what it asks for, and pays it."""

from flask import Flask
from flask_babel import lazy_gettext as _l

from auth.wording import say_who
from services.billing.guests import jobs  # noqa: F401 - registers its jobs
from services.billing.guests.browser import SYSTEM
from services.billing.guests.routes_bills import guest_pages
from services.billing.guests.routes_public import letter_pages


def register(app: Flask) -> None:
    """Add the pages of payers without an account, and say in the journal who they are."""
    say_who({SYSTEM: _l("Somebody with the hospital’s letter")})
    app.register_blueprint(letter_pages)
    app.register_blueprint(guest_pages)
