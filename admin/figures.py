"""Indicators of the house itself (domain catalogue, section 5.2): O3, S2, A1."""

from flask_babel import lazy_gettext as _l

from admin import availability, figures_of_help
from portal import kpi
from portal.kpi import Definition


def declare() -> None:
    """Add them to the catalogue."""
    kpi.define(
        *figures_of_help.definitions(),
        Definition(
            "O3",
            _l("Availability of the portal"),
            _l("Minutes of the period in which the portal’s own check, made every minute, found it in order"),
            _l(
                "Minutes of the period that are over, since the check began; maintenance declared beforehand apart."
                " A minute without a check counts as down"
            ),
            availability.availability,
            unit="rate",
            events=("minute_up", "minute_down", "minute_in_maintenance"),
            event="minute_up",
            service="portal",
            better="up",
            portal=True,
            missing=_l("The worker has not looked at the portal in this period."),
        ),
    )
