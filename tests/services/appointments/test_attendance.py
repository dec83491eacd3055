"""Who came and who did not: outcomes counted as they are said and taken back, days counted once they are over."""

from collections import Counter
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from auth import acts
from portal import db
from services.appointments import actions, attendance, states
from services.appointments.actions import visiting
from services.appointments.models import Appointment
from tests.factories import people
from tests.ground import prepared
from tests.services.appointments.conftest import Ground

PARIS = ZoneInfo("Europe/Paris")


def counted(prefix: str) -> Counter[str]:
    """`event dimension` → times."""
    with db.transaction(db.system("tests")) as current:
        rows = current.execute(text("select event, dimension from kpi_event where event like :p"), {"p": f"{prefix}%"})
        return Counter(f"{event} {dimension}".strip() for event, dimension in rows)


@pytest.fixture
def visit(ground: Ground) -> Appointment:
    """One that began an hour ago."""
    with db.transaction(ground.actor):
        made = actions.book(ground.patient.id, ground.reason.id, ground.slot())
    with prepared():
        found = db.session.get_one(Appointment, made.id)
        found.start_at, found.end_at = db.now() - timedelta(hours=1), db.now() - timedelta(minutes=40)
    return made


def _do(visit: Appointment, what: str) -> None:
    with prepared():
        found = db.session.get_one(Appointment, visit.id)
        if what == "miss":
            visiting.miss(found, "unknown")
        elif what == "finish":
            visiting.finish(found)
        else:
            visiting.correct(found)


def test_an_outcome_says_whether_the_patient_had_been_reminded(visit: Appointment) -> None:
    _do(visit, "finish")
    assert counted("appointment_outcome") == {"appointment_outcome seen_alone": 1}


def test_a_mistake_is_taken_back(visit: Appointment) -> None:
    with prepared():
        db.session.get_one(Appointment, visit.id).reminded_at = db.now()
    for what in ("miss", "correct", "finish"):
        _do(visit, what)
    assert counted("appointment_outcome") == {
        "appointment_outcome missed_reminded": 1,
        "appointment_outcome_taken_back missed_reminded": 1,
        "appointment_outcome seen_reminded": 1,
    }


@pytest.mark.parametrize(
    ("state", "why", "due"),
    [
        (states.BOOKED, "", {"appointment_due kept": 1}),
        (states.CANCELLED, "unavailable", {"appointment_due by_patient": 1}),
        (states.CANCELLED, "patient_asked", {"appointment_due by_patient": 1}),
        (states.CANCELLED, "unit_closed", {"appointment_due by_hospital": 1}),
        (states.CANCELLED, "entered_by_mistake", {}),
    ],
)
def test_a_day_is_counted_once_it_is_over(visit: Appointment, state: str, why: str, due: dict[str, int]) -> None:
    with prepared():
        found = db.session.get_one(Appointment, visit.id)
        found.state, found.cancel_reason = state, why
        of_it = datetime.combine(found.start_at.astimezone(PARIS), time(12), PARIS)
    with prepared():
        attendance.count_yesterday(of_it + timedelta(days=1))
        attendance.count_yesterday(of_it + timedelta(days=2))
    assert counted("appointment_due") == due


def test_a_booking_is_an_act_of_somebody_for_themselves_or_for_another(ground: Ground) -> None:
    with db.transaction(ground.actor):
        actions.book(ground.patient.id, ground.reason.id, ground.slot())
    assert counted("appointments_used") == {"appointments_used own": 1}
    with prepared():
        made = people.patient()
    acting = people.as_patient(ground.account, made)
    proxy = db.Actor("patient", acting.name, acting.account_id, patients=acting.patients, proxied=acting.patients)
    with db.transaction(proxy):
        acts.count("documents", ground.hospital.establishment.id, made.id)
    assert counted("documents_used") == {"documents_used proxy": 1}


def test_the_third_free_time_is_measured_each_day(ground: Ground) -> None:
    with prepared():
        attendance.count_yesterday(db.now())
    assert sum(counted("third_time_offered").values()) == 1
