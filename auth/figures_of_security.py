"""Indicators of security (domain catalogue, section 5.2): X1. What happened, never to whom."""

from collections.abc import Callable, Iterator

from flask_babel import lazy_gettext as _l

from auth import acts
from portal import kpi
from portal.kpi import Definition, Figure, Period
from portal.kpi.formulas import median, number, part

_REFUSED, _STAFF, _EMERGENCY = "sign_in_refused", "staff_session_opened", "emergency_opened"
_ASKED, _ANSWERED, _DELAY = "data_request_received", "data_request_answered", "data_request_delay"


def definitions() -> Iterator[Definition]:
    """All of them."""
    yield from _of_intrusions()
    yield from _of_staff()
    yield from _of_rights()


def _of_intrusions() -> Iterator[Definition]:
    for code, title, words, event in (
        ("X1a", _l("Sign-ins refused"), _l("Sign-ins that were refused, at any door"), _REFUSED),
        ("X1b", _l("Uploads blocked"), _l("Files refused because the antivirus found a virus"), acts.BLOCKED),
    ):
        yield Definition(
            code,
            title,
            words,
            "",
            _whole(event),
            event=event,
            portal=True,
            service="security",
            events=(event,),
            better="down",
        )


def _of_staff() -> Iterator[Definition]:
    yield Definition(
        "X1c",
        _l("Staff sessions with two factors"),
        _l("Sessions of agents whose provider proved two factors"),
        _l("Sessions of agents"),
        lambda period: part(_STAFF, "two_factors")(period.portal),
        unit="rate",
        event=_STAFF,
        portal=True,
        service="security",
        events=(_STAFF,),
        better="up",
    )
    yield Definition(
        "X1d",
        _l("Files opened in an emergency"),
        _l("Openings of a patient’s file beyond the agent’s rights, each reviewed afterwards"),
        "",
        number(_EMERGENCY),
        event=_EMERGENCY,
        service="security",
        events=(_EMERGENCY,),
        better="down",
        of_people=True,
    )


def _of_rights() -> Iterator[Definition]:
    yield Definition(
        "X1e",
        _l("Requests about personal data"),
        _l("Requests to correct, delete, restrict or stop using data, on the day they came"),
        "",
        number(_ASKED),
        event=_ASKED,
        service="security",
        events=(_ASKED,),
        of_people=True,
    )
    yield Definition(
        "X1f",
        _l("Requests about personal data answered in time"),
        _l("Requests answered by their legal date"),
        _l("Requests answered in the period"),
        part(_ANSWERED, "in_time"),
        unit="rate",
        event=_ANSWERED,
        service="security",
        events=(_ANSWERED,),
        better="up",
        of_people=True,
    )
    yield Definition(
        "X1g",
        _l("Days to answer a request about personal data"),
        _l("Median number of civil days between a request and its answer"),
        "",
        median(_DELAY),
        unit="days",
        event=_DELAY,
        missing=_l("A request answered in the period"),
        service="security",
        events=(_DELAY,),
        better="down",
        of_people=True,
    )


def _whole(event: str) -> Callable[[Period], Figure]:
    return lambda period: Figure(kpi.counted(event, period.portal))
