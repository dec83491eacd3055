"""Indicators of requests (domain catalogue, section 5.2): R3, R4."""

from flask_babel import lazy_gettext as _l

from portal import kpi
from portal.kpi import Definition, Figure, Period

_ANSWERED = "appointment_request_answered"


def declare() -> None:
    kpi.define(
        Definition(
            "R3",
            _l("Requests that became appointments"),
            _l("Requests that became an appointment"),
            _l("Requests closed, whatever their answer"),
            _became,
            unit="rate",
            event="appointment_request_became",
            service="appointments",
            events=("appointment_request_became", "appointment_request_closed"),
            better="up",
            of_people=True,
        ),
        Definition(
            "R3b",
            _l("Requests for appointments"),
            _l("Requests that patients sent, on the day they sent them"),
            "",
            _sent,
            event="appointment_request_sent",
            service="appointments",
            events=("appointment_request_sent",),
            of_people=True,
        ),
        Definition(
            "R4",
            _l("Requests answered within two working days"),
            _l("Requests whose first answer took sixteen hours of work at most"),
            _l("Requests that somebody of the hospital answered for the first time"),
            _in_time,
            unit="rate",
            event=_ANSWERED,
            service="appointments",
            events=("appointment_request_answered",),
            better="up",
            of_people=True,
        ),
    )


def _became(period: Period) -> Figure:
    became = kpi.counted("appointment_request_became", period)
    return Figure(became, kpi.counted("appointment_request_closed", period))


def _sent(period: Period) -> Figure:
    return Figure(kpi.counted("appointment_request_sent", period))


def _in_time(period: Period) -> Figure:
    return Figure(kpi.counted(_ANSWERED, period, dimension="in_time"), kpi.counted(_ANSWERED, period))
