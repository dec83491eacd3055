"""What directors aim at, and the pages of figures that they come back to."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from auth.figure_views.models import FigureView
from portal import db, kpi
from portal.calendar import civil_day
from portal.db import session
from tests.factories.demonstration import World

_TARGETS: Final[Mapping[str, tuple[float, float]]] = {"R2a": (0.4, 0.45), "P4": (0.7, 0.75), "F1": (60, 80)}
"""Code → what was aimed at last year, and since a month."""
_VIEWS: Final = (
    ("Conseil de surveillance", "home", "", {"period": "last-quarter", "grain": "month", "compared": "year"}),
    ("Rendez-vous, semaine par semaine", "service", "appointments", {"period": "13-months", "grain": "week"}),
    ("Classement des hôpitaux", "comparison", "", {"figure": "R2a", "period": "last-quarter"}),
)


def demonstrate(world: World) -> None:
    north = world.north.establishment
    today = civil_day(db.now(), north.tz)
    for place in (north, world.south.establishment):
        for code, (before, since) in _TARGETS.items():
            kpi.set_target(code, place.id, before, from_on=today - timedelta(days=365))
            kpi.set_target(code, place.id, since, from_on=today - timedelta(days=30))
    director = world.agents["administrator"]
    for name, page, subject, choice in _VIEWS:
        session.add(
            FigureView(
                account_id=director.id, establishment_id=north.id, name=name, page=page, subject=subject, choice=choice
            )
        )
    session.flush()
