"""Where a person may be reached: mail and mobile, each proven by a code; language and channels of notification."""

from flask import Flask
from flask_babel import lazy_gettext as _l

from auth import account_sections
from auth.account_sections import Section


def register(app: Flask) -> None:
    """Add the person's page and the jobs."""
    from auth.contact import jobs, routes
    from portal import notifications

    app.register_blueprint(routes.contact_pages)
    notifications.reached_by(jobs.reach)
    account_sections.offer(
        Section(
            _l("My contact details"),
            _l("E-mail, mobile, language, and how we tell you."),
            "mail",
            "contact.show",
            rank=20,
        )
    )
