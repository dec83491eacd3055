"""Figures that no gesture brings: usual delays, drafts given up, planned stays that were prepared."""

from datetime import date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import delete, exists, func, select
from sqlalchemy.dialects.postgresql import insert

from portal import calendar, db, jobs, kpi
from portal.db import session
from portal.establishments import Establishment, establishments
from services.preadmission.asked import ORDER
from services.preadmission.delays import queries
from services.preadmission.delays.models import PreadmissionDelay
from services.preadmission.invitations.models import StayInvitation
from services.preadmission.models import Preadmission, PreadmissionChange, StepAnswers
from services.preadmission.states import READY, TO_PROCESS

_DAY, _GIVEN_UP = timedelta(days=1), timedelta(days=14)
_NEAR = 3
"""Working days before a stay: a file that is not accepted by then is at risk."""


@jobs.periodic("11 * * * *", "preadmission.measure_delays")
def measure_now() -> None:
    """Every hour; late or repeated, it says the same."""
    with jobs.reading():
        measure(db.now())


@jobs.periodic("45 13 * * *", "preadmission.count_days")
def count_days() -> None:
    """Once a day, when yesterday is over everywhere (UTC-4 to UTC+4). A second run of the same job counts nothing."""
    with jobs.effect():
        count_yesterday(db.now())


def measure(now: datetime) -> None:
    """Write each hospital's usual delay; a hospital that has answered nothing has none."""
    for hospital in establishments():
        days = queries.days_of(hospital.id, now)
        if not days:
            session.execute(delete(PreadmissionDelay).where(PreadmissionDelay.establishment_id == hospital.id))
            continue
        told = {
            "days": max(queries.percentile(days, 0.9), 1),
            "median_days": queries.percentile(days, 0.5),
            "cases": len(days),
            "computed_at": now,
        }
        row = insert(PreadmissionDelay).values(establishment_id=hospital.id, **told)
        session.execute(row.on_conflict_do_update(index_elements=["establishment_id"], set_=told))


def count_yesterday(now: datetime) -> None:
    """Drafts that were begun fifteen days ago and never sent; planned stays of yesterday, and those prepared."""
    for hospital in establishments():
        yesterday = calendar.civil_day(now, hospital.tz) - timedelta(days=1)
        for unit_id, step in _given_up(hospital, yesterday - _GIVEN_UP):
            kpi.count("preadmission_abandoned", establishment_id=hospital.id, dimension=step, unit_id=unit_id)
        at_risk = _at_risk(hospital, yesterday + _DAY)
        kpi.count("preadmission_at_risk", establishment_id=hospital.id, quantity=at_risk)
        for _each in range(_ready(hospital, yesterday)):
            kpi.count("preadmission_ready", establishment_id=hospital.id)
        for unit_id, planned, prepared in _stays(hospital, yesterday):
            for event, number in (("stay_planned", planned), ("stay_prepared", prepared)):
                for _each in range(number):
                    kpi.count(event, establishment_id=hospital.id, unit_id=unit_id)


def _given_up(hospital: Establishment, day: date) -> list[tuple[UUID, str]]:
    """The unit, and the last page answered, of each draft begun that day and never sent; "" when none was."""
    begun_on = func.date(func.timezone(hospital.time_zone, Preadmission.created_at))
    rows = session.execute(
        select(Preadmission.unit_id, func.array_agg(StepAnswers.step))
        .outerjoin(StepAnswers, StepAnswers.preadmission_id == Preadmission.id)
        .where(Preadmission.establishment_id == hospital.id, begun_on == day, Preadmission.submitted_at.is_(None))
        .group_by(Preadmission.id)
    )
    return [
        (unit_id, max((step for step in steps if step in ORDER), key=ORDER.index, default=""))
        for unit_id, steps in rows
    ]


def _at_risk(hospital: Establishment, today: date) -> int:
    """Files that the hospital has and has not accepted, of stays within three working days."""
    return (
        session.scalar(
            select(func.count()).where(
                Preadmission.establishment_id == hospital.id,
                Preadmission.state.in_((*TO_PROCESS, "to_complete")),
                Preadmission.planned_on >= today,
                Preadmission.planned_on <= calendar.business_days_after(today, _NEAR, hospital.holiday_rules),
            )
        )
        or 0
    )


def _ready(hospital: Establishment, day: date) -> int:
    """Files of that day's stays that were accepted before the day began."""
    begins = calendar.to_utc_or_after(day, time(), hospital.tz)
    accepted = exists().where(
        PreadmissionChange.preadmission_id == Preadmission.id,
        PreadmissionChange.to_state == "validated",
        PreadmissionChange.at < begins,
    )
    return (
        session.scalar(
            select(func.count()).where(
                Preadmission.establishment_id == hospital.id,
                Preadmission.planned_on == day,
                Preadmission.state.in_((*READY, "closed")),
                accepted,
            )
        )
        or 0
    )


def _stays(hospital: Establishment, day: date) -> list[tuple[UUID, int, int]]:
    """Unit by unit: planned stays of that day, and those prepared."""
    prepared = func.count(Preadmission.id.distinct()).filter(Preadmission.state.in_((*READY, "closed")))
    rows = session.execute(
        select(StayInvitation.unit_id, func.count(), prepared)
        .outerjoin(Preadmission, Preadmission.id == StayInvitation.preadmission_id)
        .where(
            StayInvitation.establishment_id == hospital.id,
            StayInvitation.planned_on == day,
            StayInvitation.state.not_in(("cancelled", "withdrawn")),
        )
        .group_by(StayInvitation.unit_id)
    )
    return [(unit_id, planned, ready) for unit_id, planned, ready in rows]
