"""Fictional visits that go together."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from auth.models import Patient
from portal import calendar, db
from portal.db import session
from portal.establishments import Unit
from services.appointments.models import Reason
from services.appointments.pathways import actions, queries
from services.appointments.pathways.actions import Facts
from services.appointments.pathways.models import Pathway
from services.appointments.pathways.queries import Visit

if TYPE_CHECKING:
    from tests.factories.demonstration import World


def pathway(unit: Unit, reasons: Sequence[Reason], **facts: Any) -> Pathway:
    """A day of consultations with at most an hour between two, open online."""
    usual: dict[str, Any] = {
        "kind": "day",
        "name": "Bilan d’une journée",
        "description": "",
        "bookable_online": True,
        "known_only": False,
        "min_gap_min": 0,
        "max_gap_min": 60,
        "times": 1,
        "every_days": 7,
        "tolerance_days": 2,
    }
    return actions.create(session.get_one(Unit, unit.id), Facts(**usual | facts), reasons)


def demonstrate(world: "World") -> None:
    """A day in cardiology, and a series of pregnancy visits that Camille has begun."""
    by_name = {(each.unit.name, each.name): each for each in session.scalars(select(Reason))}
    effort, follow_up = by_name["Cardiologie", "Épreuve d’effort"], by_name["Cardiologie", "Consultation de suivi"]
    pathway(
        effort.unit,
        [effort, follow_up],
        name="Bilan cardiologique en une demi-journée",
        description="Une épreuve d’effort, puis la consultation qui en explique le résultat.\nVenez en tenue de sport.",
        max_gap_min=90,
    )
    visit = by_name["Maternité et gynécologie", "Suivi de grossesse"]
    monthly = pathway(
        visit.unit,
        [visit],
        kind="series",
        name="Suivi mensuel de grossesse",
        description="Trois consultations, une par mois, avec la même équipe.",
        times=3,
        every_days=28,
        tolerance_days=5,
    )
    _begin(world.patients["camille"], monthly)


def _begin(person: Patient, monthly: Pathway) -> None:
    """The first free series from two weeks on, taken on the phone."""
    tz = monthly.unit.establishment.tz
    ways = queries.ways(monthly, "phone", calendar.civil_day(db.now(), tz) + timedelta(days=14))
    first = next(iter(ways.days.values()))[0][0]
    found = queries.series(monthly, first.offer.slot, "phone")
    actions.book_by_phone(person.id, monthly, [each for each in found if isinstance(each, Visit)])
