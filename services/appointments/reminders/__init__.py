"""Reminders by mail and text: when each hospital wants them, as each person chose, never of what is cancelled."""

from flask import Flask
from flask_babel import lazy_gettext as _l

from auth import account_sections
from auth.account_sections import Section
from services.appointments import mails as messages


def register(app: Flask) -> None:
    """Add the person's page, the jobs, and what messages may tell."""
    from services.appointments.reminders import jobs, queries, routes_patient  # noqa: F401 - jobs registers its tasks

    app.register_blueprint(routes_patient.pages)
    messages.told_by(queries.says)
    account_sections.offer(
        Section(
            _l("My appointment reminders"),
            _l("Whether we remind you of your appointments, and how much our messages tell."),
            "bell",
            "reminder_choice.show",
            rank=22,
        )
    )
