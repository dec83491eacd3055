"""Indicators of help and of accessibility (domain catalogue, section 5.2): S2, A1."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from portal import kpi
from portal.calendar import civil_day
from portal.catalog.legal import content
from portal.catalog.legal.content import Accessibility
from portal.catalog.legal.models import LegalPage
from portal.db import session
from portal.kpi import Definition, Figure, Period

REPORTED: Final = "accessibility_reported"
_VISIT: Final = "visit_started"
_USERS: Final = ("patient", "professional", "anonymous")
_PER: Final = 1000
_MOTIVES: Final[dict[str, tuple[Any, str, tuple[str, ...], str]]] = {
    "S2a": (_l("Questions about a bill"), "bill_question_asked", (), ""),
    "S2b": (_l("Appointments made by phone"), "appointment_booked", ("phone",), ""),
    "S2c": (_l("Links to the hospital’s file asked of an agent"), "link_asked", (), ""),
    "S2d": (_l("Complaints sent"), "record_request_sent", (), "complaint"),
    "S2e": (_l("Pages that somebody could not use"), REPORTED, (), ""),
}
"""Why people need somebody: title, event, channels, dimension."""
_EVENTS: Final = tuple(event for _title, event, _channels, _dimension in _MOTIVES.values())


def definitions() -> Iterator[Definition]:
    """All of them."""
    yield Definition(
        "S2",
        _l("Requests for help, per 1,000 visits"),
        _l(
            "Questions about bills, appointments made by phone, links asked of an agent, complaints and pages that"
            " somebody could not use, over the group, out of the visits of the portal, times 1,000"
        ),
        "",
        _per_thousand,
        event="bill_question_asked",
        service="satisfaction",
        events=(*_EVENTS, _VISIT),
        better="down",
        portal=True,
        missing=_l("Nobody visited the portal in this period."),
    )
    for code, (title, event, channels, dimension) in _MOTIVES.items():
        yield Definition(
            code,
            title,
            _l("Times somebody asked for help in this way in the period"),
            "",
            _counted(event, channels, dimension),
            event=event,
            service="satisfaction",
            events=(event,),
            of_people=True,
            portal=event == REPORTED,
        )
    yield from _of_accessibility()


def _of_accessibility() -> Iterator[Definition]:
    yield Definition(
        "A1",
        _l("Accessibility (RGAA)"),
        _l("Criteria met, in thousandths, in the statement in force on the last day of the period"),
        _l("Criteria that apply, in thousandths"),
        _rate,
        unit="rate",
        service="portal",
        better="up",
        portal=True,
        missing=_l("No audit was published by then."),
    )
    yield Definition(
        "A1a",
        _l("Accessibility defects still open"),
        _l("Non-compliances listed by the statement in force on the last day of the period"),
        "",
        _defects,
        service="portal",
        better="down",
        portal=True,
        missing=_l("No audit was published by then."),
    )
    yield Definition(
        "A1b",
        _l("Accessibility reports received"),
        _l("Reports about a page that somebody could not use, received in the period"),
        "",
        lambda period: Figure(kpi.counted(REPORTED, period.portal)),
        event=REPORTED,
        service="portal",
        events=(REPORTED,),
        better="down",
        portal=True,
    )


def _everywhere(period: Period) -> Period:
    """At the hospitals and at the portal together."""
    return replace(period, establishment_id=None)


def _counted(event: str, channels: tuple[str, ...], dimension: str) -> Callable[[Period], Figure]:
    def compute(period: Period) -> Figure:
        whole = period.portal if event == REPORTED else period
        return Figure(kpi.counted(event, whole, channels=channels, dimension=dimension))

    return compute


def _per_thousand(period: Period) -> Figure:
    whole = _everywhere(period)
    asked = sum(
        kpi.counted(event, whole, channels=channels, dimension=dimension)
        for _title, event, channels, dimension in _MOTIVES.values()
    )
    visits = sum(kpi.counted(_VISIT, period.portal, audience=each) for each in _USERS)
    return Figure(round(_PER * asked / visits) if visits else 0, fed=visits > 0)


def _rate(period: Period) -> Figure:
    said = _in_force(period)
    if said is None or said.rate_permille is None:
        return Figure(0, fed=False)
    return Figure(said.rate_permille, 1000)


def _defects(period: Period) -> Figure:
    said = _in_force(period)
    if said is None or said.rate_permille is None:
        return Figure(0, fed=False)
    return Figure(len(content.lines(said.non_compliances)))


def _in_force(period: Period) -> Accessibility | None:
    """The statement published last, by the last day of the period."""
    known = [said for day, said in period.once("accessibility statements", _statements) if day <= period.last]
    return known[-1] if known else None


def _statements() -> Sequence[tuple[date, Accessibility]]:
    """Every version, in order, with the civil day of its publication."""
    rows = session.execute(
        select(LegalPage.published_at, LegalPage.content)
        .where(LegalPage.page == "accessibility", LegalPage.establishment_id.is_(None))
        .order_by(LegalPage.version)
    )
    return [(_day(published_at), content.read(Accessibility, kept)) for published_at, kept in rows]


def _day(moment: datetime) -> date:
    return civil_day(moment, ZoneInfo(kpi.GROUP_ZONE))
