"""Indicators of places for births. No person in them."""

from flask_babel import lazy_gettext as _l

from portal import kpi
from portal.kpi import Definition, Figure


def declare() -> None:
    """Add them to the catalogue."""
    kpi.define(
        Definition(
            "P11",
            _l("Places asked for at maternity units"),
            _l("Requests received, counted once for each site wished"),
            "",
            lambda period: Figure(kpi.counted("maternity_received", period)),
            event="maternity_received",
            service="preadmission",
            events=("maternity_received",),
            of_people=True,
        ),
        Definition(
            "P12",
            _l("Places confirmed at maternity units"),
            _l("Places that patients accepted, counted on that day"),
            "",
            lambda period: Figure(kpi.counted("maternity_confirmed", period)),
            event="maternity_confirmed",
            service="preadmission",
            events=("maternity_confirmed",),
            of_people=True,
        ),
    )
