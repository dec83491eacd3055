"""Questionnaires: what a unit wants to know before or after a visit, answered from home, alerts put in its tray.

Definitions are FHIR Questionnaires. What sends them (a stay, an appointment) is said by rooms above, through
`occasions`. Answers are health data: the right `care` alone opens them.
"""

import click
from flask import Flask
from flask_babel import lazy_gettext as _l

from auth.mandates import masking
from auth.mandates.masking import Maskable
from auth.wording import say
from portal import catalog
from portal.catalog import Card, Group
from services.questionnaires import (  # noqa: F401 - jobs registers its tasks
    affairs,
    api,
    belongings,
    digest,
    export,
    figures,
    jobs,
    journal,
    retention,
    routes_patient,
    wording,
)
from services.questionnaires.models import RIGHT, SERVICE, SentQuestionnaire

STAFF_MENU = Group(_l("Questionnaires"), "clipboard-check")
"""Every screen of the staff about questionnaires is under this entry of their menu."""


def register(app: Flask) -> None:
    """Furnish the room: routes, jobs, card, figures, and what the core asks of every room."""
    say(journal.WORDS)
    app.register_blueprint(routes_patient.pages)
    app.register_blueprint(api.pages)
    api.declare()
    wording.register(app)
    affairs.declare()
    belongings.declare()
    export.declare()
    figures.declare()
    digest.declare()
    retention.declare()
    page, desk = ("questionnaires.show", "sent_id"), ("admin_questionnaires.show", "sent_id")
    masking.offer(Maskable("questionnaire", SentQuestionnaire, RIGHT, page, desk))
    catalog.offer(
        Card(
            code=SERVICE,
            title=_l("Questionnaires"),
            text=_l("What your care team wants to know before or after you come. They alone read your answers."),
            icon="clipboard-check",
            endpoint="questionnaires.mine",
            staff_title=_l("Answers and alerts"),
            staff_endpoint="admin_questionnaires.tray",
            right=RIGHT,
            group=STAFF_MENU,
        )
    )


def for_operators() -> list[click.Command]:
    """What an operator may type about this room."""
    return []
