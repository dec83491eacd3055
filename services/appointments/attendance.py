"""Who came and who did not, for the figures: each outcome in the transaction that says it, each day once it is over."""

from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, select

from portal import calendar, db, jobs, kpi
from portal.db import session
from portal.establishments import Establishment, establishments
from services.appointments import states
from services.appointments.models import Appointment
from services.appointments.queries.free_slots import Asking, next_times
from services.appointments.queries.reasons import online_reasons

_SEEN: Final = {states.DONE: "seen", states.MISSED: "missed"}
BY_PATIENT: Final = (*states.CANCELLED_BY_PATIENT, "patient_asked")
BY_HOSPITAL: Final = ("practitioner_absent", "unit_closed")
_THIRD: Final = 3
"""The first free time is often one that somebody has just given back: the third one tells the delay (NHS, IHI)."""


def count_outcome(appointment: Appointment, state: str, *, taken_back: bool = False) -> None:
    """The patient was seen (DONE) or missed, or that was a mistake; had they been reminded? Nothing of other states."""
    if state not in _SEEN:
        return
    reminded = "reminded" if appointment.reminded_at is not None else "alone"
    kpi.count(
        "appointment_outcome_taken_back" if taken_back else "appointment_outcome",
        establishment_id=appointment.establishment_id,
        dimension=f"{_SEEN[state]}_{reminded}",
        unit_id=appointment.unit_id,
    )


@jobs.periodic("50 13 * * *", "appointments.count_days")
def count_days() -> None:
    """Once a day, when yesterday is over everywhere (UTC-4 to UTC+4). A second run of the same job counts nothing."""
    with jobs.effect():
        count_yesterday(db.now())


def count_yesterday(now: datetime) -> None:
    """Visits that were due yesterday, kept or cancelled by whom; how many days off the third free time is."""
    for hospital in establishments():
        yesterday = calendar.civil_day(now, hospital.tz) - timedelta(days=1)
        for (unit_id, dimension), number in _due(hospital, yesterday).items():
            for _each in range(number):
                kpi.count("appointment_due", establishment_id=hospital.id, dimension=dimension, unit_id=unit_id)
        _count_third_times(hospital, calendar.civil_day(now, hospital.tz))


def _due(hospital: Establishment, day: date) -> dict[tuple[UUID, str], int]:
    """(Unit, kept | by_patient | by_hospital) → visits. What was entered by mistake was never due."""
    begins, ends = (calendar.to_utc_or_after(each, time(), hospital.tz) for each in (day, day + timedelta(days=1)))
    rows = session.execute(
        select(Appointment.unit_id, Appointment.state, Appointment.cancel_reason, func.count())
        .where(Appointment.establishment_id == hospital.id)
        .where(Appointment.start_at >= begins, Appointment.start_at < ends)
        .group_by(Appointment.unit_id, Appointment.state, Appointment.cancel_reason)
    )
    found: dict[tuple[UUID, str], int] = {}
    for unit_id, state, why, number in rows:
        cancelled = state == states.CANCELLED
        kind = "kept" if not cancelled else "by_patient" if why in BY_PATIENT else "by_hospital"
        if not cancelled or why in (*BY_PATIENT, *BY_HOSPITAL):
            found[unit_id, kind] = found.get((unit_id, kind), 0) + number
    return found


def _count_third_times(hospital: Establishment, today: date) -> None:
    for reason in online_reasons(hospital.finess):
        offered = [day for day, offers in next_times(Asking.online([reason]), today).days.items() for _each in offers]
        if len(offered) >= _THIRD:
            ahead = (sorted(offered)[_THIRD - 1] - today).days
            kpi.count(
                "third_time_offered",
                establishment_id=hospital.id,
                dimension=str(min(ahead, 366)),
                unit_id=reason.unit_id,
            )
