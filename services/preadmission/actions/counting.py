"""What figures are made of, counted in the transaction of what they count: see `services.preadmission.figures`."""

from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Final

from sqlalchemy import func, select

from auth import acts
from portal import calendar, db, kpi
from portal.db import session
from portal.kpi import delays
from services.preadmission.deadlines import working_days_before, working_days_between
from services.preadmission.models import Preadmission, PreadmissionChange

DECISIONS = frozenset({"to_complete", "validated", "refused"})
"""What a patient calls an answer."""
PROMISED_DAYS = 2
"""Working days within which nine files in ten should be answered (domain reference, 4.3)."""


_MOST_DAYS: Final = 366


def sent(preadmission: Preadmission) -> None:
    """How many days before the stay a file was sent."""
    ahead = (preadmission.planned_on - _today(preadmission)).days
    days = max(ahead, 0)
    kpi.count(
        "preadmission_ahead",
        establishment_id=preadmission.establishment_id,
        dimension=str(min(days, _MOST_DAYS)),
        quantity=days,
        unit_id=preadmission.unit_id,
    )
    acts.count("preadmission", preadmission.establishment_id, preadmission.patient_id)


def moved(preadmission: Preadmission, to_state: str) -> None:
    """Before the change is written: whether it is the first answer, the first acceptance, or the end of the stay."""
    if to_state in DECISIONS:
        before = _states_before(preadmission)
        if not before & DECISIONS and preadmission.submitted_at is not None:
            _count("preadmission_answered", preadmission, _in_time(preadmission))
            _count_delay("preadmission_first_answer", preadmission, timedelta())
        if to_state == "validated" and "validated" not in before:
            _count("preadmission_accepted", preadmission, "completed" if "to_complete" in before else "at_once")
            _count_delay("preadmission_acceptance", preadmission, _waited_for_the_patient(preadmission))
    elif to_state in ("closed", "lapsed") and preadmission.submitted_at is not None:
        _count("preadmission_arrived", preadmission, "direct" if _was_ready(preadmission) else "desk")
    elif to_state == "integrated" and db.current_actor().kind in ("system", "machine"):
        _count("preadmission_integrated_alone", preadmission)
    if to_state == "integrated":
        qualified = preadmission.patient.identity_status == "QUAL"
        _count("preadmission_identity", preadmission, "qualified" if qualified else "other")


def days_to_answer(preadmission: Preadmission, answered_at: datetime) -> int:
    """Working days between the sending and an answer, of the hospital's calendar: 0 on the same day."""
    assert preadmission.submitted_at is not None, "an answered file was sent"
    place = preadmission.establishment
    first_day = calendar.civil_day(preadmission.submitted_at, place.tz)
    return working_days_between(first_day, calendar.civil_day(answered_at, place.tz), place.holiday_rules)


def _in_time(preadmission: Preadmission) -> str:
    assert preadmission.submitted_at is not None, "an answered file was sent"
    place = preadmission.establishment
    sent_on = calendar.civil_day(preadmission.submitted_at, place.tz)
    days = working_days_between(sent_on, _today(preadmission), place.holiday_rules)
    return "in_time" if days <= PROMISED_DAYS else "late"


def _was_ready(preadmission: Preadmission) -> bool:
    """Accepted one working day before the stay, or sooner."""
    accepted_at = session.scalar(
        select(func.max(PreadmissionChange.at)).where(
            PreadmissionChange.preadmission_id == preadmission.id, PreadmissionChange.to_state == "validated"
        )
    )
    place = preadmission.establishment
    eve = working_days_before(preadmission.planned_on, 1, place.holiday_rules)
    return accepted_at is not None and calendar.civil_day(accepted_at, place.tz) <= eve


def _waited_for_the_patient(preadmission: Preadmission) -> timedelta:
    """Office hours during which the file was with the patient, who had to complete it."""
    changes = session.execute(
        select(PreadmissionChange.to_state, PreadmissionChange.at)
        .where(PreadmissionChange.preadmission_id == preadmission.id)
        .order_by(PreadmissionChange.at)
    ).all()
    place, waited = preadmission.establishment, timedelta()
    for (state, since), (_next, until) in pairwise(changes):
        if state == "to_complete":
            waited += place.office.worked(since, until)
    return waited


def _count_delay(event: str, preadmission: Preadmission, waited: timedelta) -> None:
    """In the hospital's office hours, since the file was sent."""
    if preadmission.submitted_at is None:
        return
    place = preadmission.establishment
    spent = place.office.worked(preadmission.submitted_at, db.now())
    delays.count_delay(
        event,
        max(spent - waited, timedelta()),
        establishment_id=preadmission.establishment_id,
        unit_id=preadmission.unit_id,
    )


def _states_before(preadmission: Preadmission) -> set[str]:
    entered = select(PreadmissionChange.to_state).where(PreadmissionChange.preadmission_id == preadmission.id)
    return set(session.scalars(entered))


def _today(preadmission: Preadmission) -> date:
    return calendar.civil_day(db.now(), preadmission.establishment.tz)


def _count(event: str, preadmission: Preadmission, dimension: str = "") -> None:
    kpi.count(event, establishment_id=preadmission.establishment_id, dimension=dimension, unit_id=preadmission.unit_id)
