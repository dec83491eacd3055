"""Enrolment on the hospital's identity: accounts linked to a patient number (IPP), and what follows."""

import click
from flask import Flask
from flask_babel import lazy_gettext as _l

from auth import account_sections
from auth.account_sections import Section


def register(app: Flask) -> None:
    """Add the person's page and the jobs."""
    from auth.enrolment import export, jobs, routes  # noqa: F401 - jobs registers its tasks

    app.register_blueprint(routes.hospital_pages)
    export.declare()
    account_sections.offer(
        Section(
            _l("My hospitals"),
            _l("Link your account to your file at each hospital."),
            "hospital",
            "enrolment.hospitals",
            rank=30,
        )
    )


def for_operators() -> list[click.Command]:
    """What an operator may type about patients."""
    from auth.enrolment.commands import import_

    return [import_]
