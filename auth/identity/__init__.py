"""Identity traits kept verbatim, the beneficiary number (NIR), people who may be one and the same."""

from flask import Flask
from flask_babel import lazy_gettext as _l

from auth import account_sections
from auth.account_sections import Section
from portal import establishments


def register(app: Flask) -> None:
    """Add the person's page."""
    from auth.identity import models, routes, sealing, traits  # noqa: F401 - tables, and keys of names

    sealing.configure(app.config["SETTINGS"])
    establishments.seal_secrets_with(sealing.seal_text, sealing.open_text)
    app.register_blueprint(routes.identity_pages)
    account_sections.offer(
        Section(
            _l("My identity"),
            _l("Your names, birth date and birthplace, and where to correct them."),
            "id-card",
            "identity.show",
            rank=10,
        )
    )
