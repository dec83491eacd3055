"""Pre-admission: a patient prepares a stay from home, the admissions office answers, nobody queues."""

import click
from flask import Flask
from flask_babel import lazy_gettext as _l

from auth.keys import standing as keys
from auth.mandates import masking
from auth.mandates.masking import Maskable
from auth.wording import say
from portal import catalog
from portal.catalog import Card, Group
from services import pieces
from services.preadmission import (  # noqa: F401 - jobs registers its tasks
    affairs,
    api,
    belongings,
    choices,
    circle,
    companions,
    digest,
    exchanges,
    export,
    figures,
    guests,
    jobs,
    journal,
    life,
    maternity,
    occasions,
    routes_patient,
    routes_pieces,
)
from services.preadmission.doctors import commands as doctors
from services.preadmission.invitations import queries as invitations
from services.preadmission.models import Preadmission

STAFF_MENU = Group(_l("Stays"), "clipboard-list")
"""What agents open about stays: one entry of their menu."""


def register(app: Flask) -> None:
    """Furnish the room: routes, jobs, card, figures."""
    say(journal.WORDS)
    pieces.register(app)
    affairs.declare()
    guests.declare()
    belongings.declare()
    export.declare()
    occasions.declare()
    circle.declare()
    exchanges.register()
    api.register(app)
    life.register(app)
    maternity.register(app)
    choices.register(app)
    keys.offer("codes of stays' invitations", invitations.made_before)
    companions.register(app)
    app.register_blueprint(routes_patient.patient_pages)
    page, desk = ("preadmission.show", "preadmission_id"), ("admin_preadmission.show", "preadmission_id")
    masking.offer(Maskable("preadmission", Preadmission, "preadmission", page, desk))
    catalog.offer(
        Card(
            "preadmission",
            _l("Prepare my stay"),
            _l("Your details, your cover, your documents: sent from home, checked before you come."),
            "clipboard-list",
            "preadmission.home",
            staff_title=_l("Pre-admissions"),
            staff_endpoint="admin_preadmission.tray",
            right="preadmission",
            group=STAFF_MENU,
        )
    )
    figures.declare()
    digest.declare()


def for_operators() -> list[click.Command]:
    """What an operator may type about this room."""
    return [*exchanges.for_operators(), *life.for_operators(), doctors.import_]
