"""A patient's circle: who cares for them, with which role, what they agree to show, and who looked."""

import click
from flask import Flask
from flask_babel import lazy_gettext as _l

from auth import account_sections
from auth.account_sections import Section
from auth.wording import say
from portal import catalog
from portal.catalog import Card
from services.circle import (  # noqa: F401 - jobs registers its tasks
    belongings,
    export,
    jobs,
    journal,
    retention,
    routes_patient,
    routes_pro,
)


def register(app: Flask) -> None:
    """Furnish the room."""
    say(journal.WORDS)
    app.register_blueprint(routes_patient.pages)
    app.register_blueprint(routes_pro.pages)
    belongings.declare()
    export.declare()
    retention.declare()
    title = _l("My circle of care")
    text = _l("Your treating doctor, your care team, whom you let see your documents, and who looked.")
    account_sections.offer(Section(title, text, "users", "circle.overview", rank=15))
    catalog.offer(PROFESSIONAL_CARD)


PROFESSIONAL_CARD = Card(
    code="circle",
    title=_l("My patients who let me see"),
    text=_l("The hospital documents and coming visits of the patients who named you in their circle of care."),
    icon="users",
    endpoint="circle_patients.patients",
    audience="professional",
)


def for_operators() -> list[click.Command]:
    """What an operator may type about this room."""
    return []
