"""The life of a file: its calendar, invitations, reminders, receipts, usual delays, and how long it is kept."""

from uuid import UUID

import click
from flask import Flask
from sqlalchemy import delete

from portal import db
from portal.db import session
from services.preadmission import additions, retention
from services.preadmission.actions import purging
from services.preadmission.calendars import queries as calendars
from services.preadmission.delays import jobs as _delay_jobs  # noqa: F401 - registers its tasks
from services.preadmission.delays import queries as delays
from services.preadmission.invitations import commands as invitation_commands
from services.preadmission.invitations import jobs as _invitation_jobs  # noqa: F401 - registers its tasks
from services.preadmission.invitations import routes_patient as invitation_pages
from services.preadmission.models import Preadmission
from services.preadmission.office.models import CardReading, OfficeLine
from services.preadmission.receipts import routes_patient as receipt_pages
from services.preadmission.reminders import jobs as _reminder_jobs  # noqa: F401 - registers its tasks


def register(app: Flask) -> None:
    """Add its pages, its jobs and its rules."""
    retention.declare()
    purging.forget_too(_forget_office)
    additions.judge_lateness(_is_late)
    for pages in (invitation_pages.pages, receipt_pages.pages, receipt_pages.checks):
        app.register_blueprint(pages)
    app.jinja_env.globals["usual_delay"] = delays.usual
    app.jinja_env.globals["kept_for"] = retention.kept_for


def for_operators() -> list[click.Command]:
    """`parvis import stays FILE`."""
    return [click.Group("import", [invitation_commands.stays])]


def _is_late(file: Preadmission) -> bool:
    return calendars.deadlines_of(file).is_late(db.now())


def _forget_office(file_id: UUID) -> None:
    """What agents noted and read goes with the file."""
    for table in (OfficeLine, CardReading):
        session.execute(delete(table).where(table.preadmission_id == file_id))
