"""Indicators of notifications: N1, N2, N3."""

from flask_babel import lazy_gettext as _l

from portal import kpi
from portal.kpi import Definition, Figure, Period


def declare() -> None:
    """Add them to the catalogue."""
    kpi.define(
        Definition(
            "N1",
            _l("News told"),
            _l("News that a message told to a practitioner or an agent"),
            "",
            lambda period: Figure(kpi.summed("news_told", period.portal)),
            event="news_told",
            portal=True,
            service="messages",
            events=("news_told",),
        ),
        Definition(
            "N2",
            _l("News told together"),
            _l("Messages that were not sent, since another one told the same"),
            _l("News told"),
            _grouped,
            unit="rate",
            event="news_told",
            portal=True,
            service="messages",
            events=("news_told",),
        ),
        Definition(
            "N3",
            _l("Messages withheld"),
            _l("Messages not sent: all that they told had been read, or nobody is told any more"),
            _l("Messages made"),
            _withheld,
            unit="rate",
            event="news_gathered",
            portal=True,
            service="messages",
            events=("news_gathered", "news_withheld"),
        ),
    )


def _grouped(period: Period) -> Figure:
    told = kpi.summed("news_told", period.portal)
    return Figure(told - kpi.counted("news_told", period.portal), told)


def _withheld(period: Period) -> Figure:
    return Figure(kpi.counted("news_withheld", period.portal), kpi.counted("news_gathered", period.portal))
