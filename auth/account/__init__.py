"""My account: the hub, my sessions and devices, who opened my file, what I agreed to, my data."""

from flask import Flask
from flask_babel import lazy_gettext as _l

from auth import account_sections
from auth.account_sections import Section

_EVERYBODY = ("patient", "professional", "staff")


def register(app: Flask) -> None:
    """Add the account's pages, their jobs and their words."""
    from auth.account import (  # noqa: F401 - jobs registers its tasks
        arrival,
        belongings,
        jobs,
        own_data,
        routes,
        routes_access,
        routes_consents,
        routes_data,
        wording,
    )

    app.register_blueprint(routes.account_pages)
    app.register_blueprint(routes_consents.consent_pages)
    app.register_blueprint(routes_access.access_pages)
    app.register_blueprint(routes_data.data_pages)
    arrival.register(app)
    wording.register(app)
    own_data.contribute()
    _offer_sections()


def _offer_sections() -> None:
    for section in (
        Section(
            _l("Sessions and devices"),
            _l("Where your account is open, and how to close it from here."),
            "lock",
            "account.my_sessions",
            _EVERYBODY,
        ),
        Section(
            _l("Who opened my file"),
            _l("Each opening and each change: when, where, in what function, what for."),
            "eye",
            "account_access.log",
        ),
        Section(
            _l("My data and my rights"),
            _l("Take a copy of everything, ask for a correction or a deletion."),
            "folder-open",
            "account_data.mine",
        ),
        Section(
            _l("What I agreed to"),
            _l("Terms and charters, each with its version and its date."),
            "file-check",
            "account_consents.consents",
            _EVERYBODY,
        ),
    ):
        account_sections.offer(section)
