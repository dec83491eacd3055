"""Indicators of the portal itself: O1, U1, U2, U3 (domain catalogue, section 5.2)."""

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from portal import catalog, kpi
from portal.db import session
from portal.kpi import Definition, Figure, KpiDay, Period



def declare() -> None:
    kpi.define(
        Definition("O1", _l("Services on offer"), _l("Services open on the last day of the period"), "", _offered),
        Definition("U1", _l("Enrolled users"), _l("Patient and professional accounts opened by the end of the period"),
                   "", _enrolled),
        Definition("U2", _l("Active users"), _l("Distinct patients and professionals who signed in, in the month of the"
                                                " last day"), "", _active),
        Definition("U3", _l("Visits"), _l("Visits, signed in and anonymous (a new one after 30 minutes away)"), "",
                   _visits, event="visit_started"),
    )


def _offered(period: Period) -> Figure:
    return Figure(catalog.open_count(period.last, period.establishment_id))


def _enrolled(period: Period) -> Figure:
    total = session.scalar(select(func.coalesce(func.sum(KpiDay.events), 0)).where(
        KpiDay.event == "account_created", KpiDay.day <= period.last,
        KpiDay.audience.in_(("patient", "professional"))))
    return Figure(int(total or 0))


def _active(period: Period) -> Figure:
    return Figure(sum(kpi.uniques("session_opened", period.last, audience=audience)
                      for audience in ("patient", "professional")))


def _visits(period: Period) -> Figure:
    return Figure(kpi.counted("visit_started", period))
