"""Indicators of this room: D3 and M2 of the domain catalogue (section 5.2)."""

from flask_babel import lazy_gettext as _l

from portal import kpi
from portal.kpi import Definition, Figure, Period


def declare() -> None:
    """Add them to the catalogue."""
    kpi.define(
        Definition(
            "D3",
            _l("Documents opened by patients"),
            _l("Documents opened for the first time, within 30 days of their filing"),
            _l("Documents put on patients’ shelves"),
            _opened,
            unit="rate",
            event="document_opened",
            service="documents",
            events=("document_opened", "document_filed"),
            better="up",
            of_people=True,
        ),
        Definition(
            "M2",
            _l("Active correspondents"),
            _l("Distinct practitioners who wrote to a unit, in the month of the last day"),
            "",
            _correspondents,
            event="exchange_sent",
            portal=True,
            by_month=True,
            service="messages",
            events=("exchange_sent",),
            better="up",
            of_people=True,
        ),
    )


def _opened(period: Period) -> Figure:
    opened = kpi.counted("document_opened", period, dimension="within_30_days")
    return Figure(opened, kpi.counted("document_filed", period))


def _correspondents(period: Period) -> Figure:
    return Figure(kpi.uniques("exchange_sent", period, audience="professional"))
