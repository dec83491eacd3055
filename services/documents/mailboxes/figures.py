"""Indicators of mails: M1 of the domain catalogue (section 5.2), and its parts."""

from collections.abc import Iterator
from functools import partial

from flask_babel import lazy_gettext as _l

from portal import kpi
from portal.kpi import Definition, Figure, Period

_TAKEN = _l("Mails that an operator of MSSanté took charge of")


def declare() -> None:
    """Add them to the catalogue: all that left, to whom, and what was heard of it."""
    kpi.define(*_sent(), *_heard())


def _sent() -> Iterator[Definition]:
    """Mails that left, and to whom."""
    for code, title, meaning, dimension in (
        ("M1", _l("Secure mails sent"), _TAKEN, ""),
        (
            "M1a",
            _l("Secure mails sent to professionals"),
            _l("Those whose box is a professional’s or an organisation’s"),
            "professional",
        ),
        (
            "M1b",
            _l("Secure mails sent to patients"),
            _l("Those whose box is the patient’s own, in Mon espace santé"),
            "patient",
        ),
    ):
        compute = partial(_counted, "mss_sent", dimension=dimension)
        yield Definition(
            code, title, meaning, "", compute, event="mss_sent", service="messages", events=("mss_sent",), better="up"
        )


def _heard() -> Iterator[Definition]:
    """What receipts and bounces say of them."""
    arrived = _l("Those that a receipt says arrived")
    yield Definition(
        "M1c",
        _l("Secure mails delivered"),
        arrived,
        _TAKEN,
        _delivered,
        unit="rate",
        event="mss_delivered",
        service="messages",
        events=("mss_delivered", "mss_sent"),
        better="up",
    )
    refused = _l("Those that an operator or a recipient refused")
    yield Definition(
        "M1d",
        _l("Secure mails refused"),
        refused,
        "",
        partial(_counted, "mss_bounced"),
        event="mss_bounced",
        service="messages",
        events=("mss_bounced",),
        better="down",
    )


def _counted(event: str, period: Period, dimension: str = "") -> Figure:
    return Figure(kpi.counted(event, period, dimension=dimension))


def _delivered(period: Period) -> Figure:
    return Figure(kpi.counted("mss_delivered", period), kpi.counted("mss_sent", period))
