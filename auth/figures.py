"""Indicators of the portal itself (domain catalogue, section 5.2): O1, O2, U1 to U3, and those of its neighbours."""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import date
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from auth import acts, figures_of_security, figures_of_use, returning
from portal import catalog, files_alarm, kpi
from portal.catalog import PublishedService
from portal.db import session
from portal.establishments import Site
from portal.kpi import Definition, Figure, Period
from portal.kpi.formulas import people

ENROLLED = ("patient", "professional")
"""Audiences that are users of the portal: staff are not."""


def declare() -> None:
    """Add them to the catalogue, and count the viruses that uploads brought."""
    files_alarm.tell_of_viruses(acts.count_blocked_upload)
    kpi.define(
        *_of_offer(),
        *_of_users(),
        *_of_visits(),
        *returning.definitions(),
        *figures_of_use.definitions(),
        *figures_of_security.definitions(),
    )


def _of_offer() -> Iterator[Definition]:
    yield Definition(
        "O1",
        _l("Services on offer"),
        _l("Services open on the last day of the period"),
        "",
        _offered,
        service="portal",
        better="up",
    )
    yield Definition(
        "O2",
        _l("Coverage of the sites"),
        _l("Services open on the last day of the period, counted at each site of their hospital"),
        _l("Services that the portal can offer, counted at each site"),
        _covered,
        unit="rate",
        service="portal",
        better="up",
    )


def _of_users() -> Iterator[Definition]:
    yield Definition(
        "U1",
        _l("Enrolled users"),
        _l("Patient and professional accounts opened by the end of the period"),
        "",
        lambda period: Figure(kpi.stock("account_created", period.portal, audiences=ENROLLED)),
        event="account_created",
        portal=True,
        service="portal",
        events=("account_created",),
        better="up",
        of_people=True,
    )
    yield Definition(
        "U2",
        _l("Active users"),
        _l("Distinct patients and professionals who signed in, in the month of the last day"),
        "",
        people("session_opened", *ENROLLED),
        event="session_opened",
        portal=True,
        by_month=True,
        service="portal",
        events=("session_opened",),
        better="up",
        of_people=True,
    )


def _of_visits() -> Iterator[Definition]:
    for code, title, words, audiences in (
        ("U3", _l("Visits"),
         _l("Visits, signed in and anonymous (a new one after 30 minutes away), without those of the staff"),
         (*ENROLLED, "anonymous")),
        ("U3a", _l("Visits of signed-in people"), _l("Visits of signed-in patients and practitioners"), ENROLLED),
        ("U3b", _l("Anonymous visits"), _l("Visits of people who had not signed in"), ("anonymous",)),
    ):  # fmt: skip
        yield Definition(
            code,
            title,
            words,
            "",
            _visits(audiences),
            event="visit_started",
            portal=True,
            service="portal",
            events=("visit_started",),
            better="up",
        )


def _offered(period: Period) -> Figure:
    return Figure(len({code for _place, code in _open_at(period)}))


def _covered(period: Period) -> Figure:
    sites = period.once("sites by hospital", _sites)
    known = {card.code for audience in ENROLLED for card in catalog.cards(audience)}
    opened = sum(sites.get(place, 0) for place, code in _open_at(period) if code in known)
    return Figure(opened, len(known) * sum(number for place, number in sites.items() if _is_counted(place, period)))


def _open_at(period: Period) -> Iterator[tuple[UUID, str]]:
    """(Hospital, service) open on the last day of the period."""
    for place, code, opened_on, closed_on in period.once("published services", _published):
        is_open = opened_on <= period.last and (closed_on is None or closed_on > period.last)
        if is_open and _is_counted(place, period):
            yield place, code


def _is_counted(place: UUID, period: Period) -> bool:
    return period.establishment_id in (None, place) and period.reading.covers(place)


def _sites() -> dict[UUID, int]:
    rows = session.execute(select(Site.establishment_id, func.count()).group_by(Site.establishment_id))
    return {place: int(number) for place, number in rows}


def _published() -> Sequence[tuple[UUID, str, date, date | None]]:
    table = PublishedService
    rows = session.execute(select(table.establishment_id, table.code, table.opened_on, table.closed_on))
    return [(place, code, opened_on, closed_on) for place, code, opened_on, closed_on in rows]


def _visits(audiences: Collection[str]) -> Callable[[Period], Figure]:
    """Staff at work are not visitors (section 5.1: exclude staff, bots, monitoring)."""
    return lambda period: Figure(sum(kpi.counted("visit_started", period.portal, audience=each) for each in audiences))
