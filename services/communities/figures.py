"""Indicators of communities: how many members, messages and announcements; never what is said."""

from flask_babel import lazy_gettext as _l

from portal import kpi
from portal.kpi import Definition, Figure, Period

_JOINED, _LEFT = "community_joined", "community_left"
_WRITTEN, _ANNOUNCED = "community_post_written", "community_announced"


def declare() -> None:
    """Say what is counted."""
    kpi.define(
        Definition(
            "CO1",
            _l("Members of communities"),
            _l("Places taken in communities and not left, at the end of the period"),
            "",
            _members,
            event=_JOINED,
            service="messages",
            events=("community_joined", "community_left"),
            better="up",
            of_people=True,
        ),
        Definition(
            "CO2",
            _l("Messages in communities"),
            _l("Messages written in discussions of communities"),
            "",
            _messages,
            event=_WRITTEN,
            service="messages",
            events=("community_post_written",),
            better="up",
        ),
        Definition(
            "CO3",
            _l("Announcements in communities"),
            _l("Announcements published in communities"),
            "",
            _announcements,
            event=_ANNOUNCED,
            service="messages",
            events=("community_announced",),
        ),
    )


def _members(period: Period) -> Figure:
    return Figure(kpi.stock(_JOINED, period, less=_LEFT))


def _messages(period: Period) -> Figure:
    return Figure(kpi.counted(_WRITTEN, period))


def _announcements(period: Period) -> Figure:
    return Figure(kpi.counted(_ANNOUNCED, period))
