"""Indicators of requests (domain catalogue, section 5.2): R3, R4."""

from collections.abc import Iterator

from flask_babel import lazy_gettext as _l

from portal import kpi
from portal.kpi import Definition
from portal.kpi.formulas import number, part, share, within

_SENT, _ANSWERED, _DELAY = "appointment_request_sent", "appointment_request_answered", "appointment_request_delay"
_BECAME, _CLOSED = "appointment_request_became", "appointment_request_closed"


def declare() -> None:
    """Add them to the catalogue."""
    kpi.define(*_of_requests(), *_of_first_answers(), *_of_delays(), by_unit=True)


def _of_requests() -> Iterator[Definition]:
    yield Definition(
        "R3",
        _l("Requests that became appointments"),
        _l("Requests that became an appointment"),
        _l("Requests closed, whatever their answer"),
        share(_BECAME, _CLOSED),
        unit="rate",
        event=_BECAME,
        service="appointments",
        events=(_BECAME, _CLOSED),
        better="up",
        of_people=True,
    )
    yield Definition(
        "R3b",
        _l("Requests for appointments"),
        _l("Requests that patients sent, on the day they sent them"),
        "",
        number(_SENT),
        event=_SENT,
        service="appointments",
        events=(_SENT,),
        of_people=True,
    )


def _of_first_answers() -> Iterator[Definition]:
    yield Definition(
        "R4",
        _l("Requests answered within two working days"),
        _l("Requests whose first answer took sixteen hours of work at most"),
        _l("Requests that somebody of the hospital answered for the first time"),
        part(_ANSWERED, "in_time"),
        unit="rate",
        event=_ANSWERED,
        service="appointments",
        events=(_ANSWERED,),
        better="up",
        of_people=True,
    )


def _of_delays() -> Iterator[Definition]:
    for code, title, words, part_of_them in (
        ("R4a", _l("Working hours to answer a request, for half of them"),
         _l("Working hours of the hospital within which half of the first answers came"), 0.5),
        ("R4b", _l("Working hours to answer a request, for nine in ten"),
         _l("Working hours of the hospital within which nine first answers in ten came"), 0.9),
    ):  # fmt: skip
        yield Definition(
            code,
            title,
            words,
            "",
            within(_DELAY, part_of_them),
            unit="hours",
            event=_DELAY,
            missing=_l("A first answer in the period"),
            service="appointments",
            events=(_DELAY,),
            better="down",
            of_people=True,
        )
