"""Indicators of the portal itself: O1, U1, U2, U3 (domain catalogue, section 5.2)."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from auth import acts
from portal import files, kpi
from portal.catalog import PublishedService
from portal.db import session
from portal.kpi import Definition, Figure, Period

ENROLLED = ("patient", "professional")
"""Audiences that are users of the portal: staff are not."""


def declare() -> None:
    """Add them to the catalogue, and count the viruses that uploads brought."""
    files.tell_of_viruses(acts.count_blocked_upload)
    kpi.define(
        Definition(
            "O1",
            _l("Services on offer"),
            _l("Services open on the last day of the period"),
            "",
            _offered,
            service="portal",
            better="up",
        ),
        Definition(
            "U1",
            _l("Enrolled users"),
            _l("Patient and professional accounts opened by the end of the period"),
            "",
            _enrolled,
            event="account_created",
            portal=True,
            service="portal",
            events=("account_created",),
            better="up",
            of_people=True,
        ),
        Definition(
            "U2",
            _l("Active users"),
            _l("Distinct patients and professionals who signed in, in the month of the last day"),
            "",
            _active,
            event="session_opened",
            portal=True,
            by_month=True,
            service="portal",
            events=("session_opened",),
            better="up",
            of_people=True,
        ),
        Definition(
            "U3",
            _l("Visits"),
            _l("Visits, signed in and anonymous (a new one after 30 minutes away), without those of the staff"),
            "",
            _visits,
            event="visit_started",
            portal=True,
            service="portal",
            events=("visit_started",),
            better="up",
        ),
    )


def _offered(period: Period) -> Figure:
    opened = period.once("published services", _published)
    return Figure(
        len(
            {
                code
                for place, code, opened_on, closed_on in opened
                if opened_on <= period.last
                and (closed_on is None or closed_on > period.last)
                and period.reading.covers(place)
            }
        )
    )


def _published() -> Sequence[tuple[UUID, str, date, date | None]]:
    return [
        (row.establishment_id, row.code, row.opened_on, row.closed_on)
        for row in session.execute(
            select(
                PublishedService.establishment_id,
                PublishedService.code,
                PublishedService.opened_on,
                PublishedService.closed_on,
            )
        )
    ]


def _enrolled(period: Period) -> Figure:
    return Figure(kpi.stock("account_created", period.portal, audiences=ENROLLED))


def _active(period: Period) -> Figure:
    return Figure(sum(kpi.uniques("session_opened", period, audience=audience) for audience in ENROLLED))


def _visits(period: Period) -> Figure:
    """Staff at work are not visitors (section 5.1: exclude staff, bots, monitoring)."""
    return Figure(
        sum(kpi.counted("visit_started", period.portal, audience=audience) for audience in (*ENROLLED, "anonymous"))
    )
