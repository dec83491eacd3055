"""Pre-admission: a patient prepares a stay from home, the admissions office answers, nobody queues.

Figures (domain catalogue, section 5.2): P1 counts files sent; P2 needs the hospital's own total of planned stays.
"""

import click
from flask import Flask
from flask_babel import lazy_gettext as _l

from auth.mandates import masking
from auth.mandates.masking import Maskable
from portal import catalog, kpi
from portal.catalog import Card
from portal.kpi import Definition, Figure, Period
from services import pieces
from services.preadmission import (  # noqa: F401 - jobs registers its tasks
    affairs,
    api,
    belongings,
    choices,
    companions,
    exchanges,
    export,
    guests,
    jobs,
    life,
    routes_patient,
    routes_pieces,
)
from services.preadmission.doctors import commands as doctors
from services.preadmission.models import Preadmission


def register(app: Flask) -> None:
    """Furnish the room: routes, jobs, card, figures."""
    pieces.register(app)
    affairs.declare()
    guests.declare()
    belongings.declare()
    export.declare()
    exchanges.register()
    api.register(app)
    life.register(app)
    choices.register(app)
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
        )
    )
    kpi.define(*_figures())


def commands() -> list[click.Command]:
    """What an operator may type about this room."""
    return [*exchanges.commands(), *life.commands(), doctors.import_]


def _figures() -> tuple[Definition, ...]:
    return (
        Definition(
            "P1",
            _l("Pre-admissions online"),
            _l("Files sent by patients, counted on the day they were sent"),
            "",
            _submitted,
            event="preadmission_submitted",
        ),
        Definition(
            "P2",
            _l("Share of stays prepared online"),
            _l("Files accepted by the hospital, counted on the day they were accepted"),
            _l("Planned stays of the period, as the hospital counts them"),
            _share_of_stays,
            unit="rate",
            event="preadmission_validated",
            missing=_l("The hospital's total of planned stays"),
        ),
    )


def _submitted(period: Period) -> Figure:
    return Figure(kpi.counted("preadmission_submitted", period))


def _share_of_stays(period: Period) -> Figure:
    """Not fed: the number of planned stays comes from the hospital's own system."""
    return Figure(kpi.counted("preadmission_validated", period), fed=False)
