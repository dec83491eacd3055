"""Second factors: what proves, besides a password, that the right person is there."""

from flask import Flask
from flask_babel import lazy_gettext as _l

from auth import account_sections
from auth.account_sections import Section


def register(app: Flask) -> None:
    """Add the pages of factors, their jobs and their keys."""
    from auth.factors import jobs, routes_adding, routes_verification, sealing  # noqa: F401 - jobs registers its tasks
    from auth.factors.routes import factor_pages

    sealing.configure(app.config["SETTINGS"])
    app.register_blueprint(factor_pages)
    app.register_blueprint(routes_verification.verification)
    account_sections.offer(
        Section(
            _l("Signing in safely"),
            _l("Your passkeys, your codes, and the sheet for the day you lose your telephone"),
            "shield-check",
            "factors.show",
            ("patient", "professional", "staff"),
        )
    )
