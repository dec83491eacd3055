"""Nights when clocks change, and hospitals that live by another clock: wall-clock times are the hospital's."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from portal import db
from services.appointments import queries, slots, wording
from services.appointments.actions import DoesNotFit, NoSuchTime
from services.appointments.models import ConsultationSession, Reason
from services.appointments.slots import Window
from tests.factories import appointments, hospitals
from tests.factories.hospitals import Hospital

SPRING, AUTUMN = date(2027, 3, 28), date(2026, 10, 25)
EVER = Window(
    datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC), "web", datetime(2026, 1, 1, tzinfo=UTC)
)


@pytest.fixture
def hospital(app: Flask) -> Hospital:
    with db.transaction(db.system("tests")):
        return hospitals.hospital()


def _open(
    hospital: Hospital, day: date, opens: time, closes: time, duration: int = 30
) -> tuple[ConsultationSession, Reason]:
    why = appointments.reason(hospital.unit, duration_min=duration)
    return appointments.consultation(hospital, [why], day, opens, closes), why


def _labels(hospital: Hospital, why: Reason, day: date) -> list[str]:
    """Times as the page shows them, with what tells them apart."""
    found = queries.open_slots(why, EVER, day)
    picked = wording.picker(found.days.get(day, []), hospital.establishment.tz, with_names=False)
    return [
        f"{slot['label']} {slot['detail']}".strip()
        for half in ("morning", "afternoon")
        for one in picked
        for slot in one[half]
    ]


@pytest.mark.parametrize(
    ("day", "utc_hour"), [(SPRING, 7), (AUTUMN, 8), (SPRING - timedelta(days=1), 8), (AUTUMN - timedelta(days=1), 7)]
)
def test_nine_o_clock_stays_nine_o_clock(app: Flask, hospital: Hospital, day: date, utc_hour: int) -> None:
    with db.transaction(db.system("tests")), app.test_request_context():
        opened, why = _open(hospital, day, time(9), time(10))
        assert opened.start_at.astimezone(UTC).hour == utc_hour
        assert _labels(hospital, why, day) == ["09:00", "09:30"]


def test_a_spring_night_lasts_three_hours_instead_of_four(app: Flask, hospital: Hospital) -> None:
    with db.transaction(db.system("tests")), app.test_request_context():
        opened, why = _open(hospital, SPRING, time(0), time(4))
        assert opened.n_cells == 12
        assert _labels(hospital, why, SPRING) == ["00:00", "00:30", "01:00", "01:30", "03:00", "03:30"]


def test_an_autumn_night_lasts_five_hours_and_says_which_half_past_two(app: Flask, hospital: Hospital) -> None:
    with db.transaction(db.system("tests")), app.test_request_context("/?lang=en"):
        opened, why = _open(hospital, AUTUMN, time(1), time(4), duration=60)
        assert opened.n_cells == 16
        again = "after the clocks go back"
        labels = [label.replace("\u202f", " ") for label in _labels(hospital, why, AUTUMN)]
        assert labels == ["1:00 AM", "2:00 AM", f"2:00 AM {again}", "3:00 AM"]


def test_a_time_that_the_clock_skips_is_refused(hospital: Hospital) -> None:
    for opens, closes in ((time(2, 30), time(4)), (time(1), time(2, 30))):
        with pytest.raises(NoSuchTime), db.transaction(db.system("tests")):
            _open(hospital, SPRING, opens, closes)


def test_a_session_may_cross_midnight(app: Flask, hospital: Hospital) -> None:
    day = date(2027, 1, 4)
    with db.transaction(db.system("tests")), app.test_request_context():
        opened, why = _open(hospital, day, time(22), time(2))
        assert (opened.n_cells, opened.local_date) == (16, day)
        assert _labels(hospital, why, day) == ["22:00", "22:30", "23:00", "23:30"]
        assert _labels(hospital, why, day + timedelta(days=1)) == ["00:00", "00:30", "01:00", "01:30"]


@pytest.mark.parametrize(("opens", "closes"), [(time(9), time(9, 5)), (time(6), time(5)), (time(9), time(9))])
def test_a_session_holds_between_one_and_sixty_cells(hospital: Hospital, opens: time, closes: time) -> None:
    with pytest.raises(DoesNotFit), db.transaction(db.system("tests")):
        _open(hospital, date(2027, 1, 4), opens, closes)


def test_a_delay_of_hours_is_counted_in_real_hours(hospital: Hospital) -> None:
    """Twelve hours after 20:00 on the eve of the change is 09:00 on the wall, not 08:00."""
    with db.transaction(db.system("tests")):
        opened, why = _open(hospital, SPRING, time(8), time(10))
        eve = datetime(2027, 3, 27, 20, 0, tzinfo=hospital.establishment.tz)
        why.min_delay_hours = 12
        first = queries.open_slots(why, why.window("web", eve.astimezone(UTC)), SPRING).days[SPRING][0]
        assert first.at.astimezone(hospital.establishment.tz).time() == time(9)
        assert opened.n_cells == 8


def test_a_hospital_overseas_keeps_its_own_time(app: Flask) -> None:
    with db.transaction(db.system("tests")), app.test_request_context():
        far = hospitals.hospital(time_zone="Indian/Reunion")
        opened, why = _open(far, date(2027, 1, 4), time(9), time(10))
        assert opened.start_at.astimezone(UTC).hour == 5
        assert _labels(far, why, date(2027, 1, 4)) == ["09:00", "09:30"]
        assert "Réunion" in wording.hospital_zone(far.establishment.tz)
        assert wording.hospital_zone(ZoneInfo("Europe/Paris")) == ""


def test_days_begin_at_the_hospital_s_midnight(app: Flask) -> None:
    """00:30 in Réunion on the 4th is still the 3rd in Paris: it is listed under the 4th."""
    day = date(2027, 1, 4)
    with db.transaction(db.system("tests")), app.test_request_context():
        far = hospitals.hospital(time_zone="Indian/Reunion")
        opened, why = _open(far, day, time(0, 30), time(1, 30))
        made = appointments.past(appointments.people.patient(), why, opened)
        assert list(queries.open_slots(why, EVER, day).days) == [day]
        assert queries.of_day(far.unit, day) == [made]
        assert queries.of_day(far.unit, day - timedelta(days=1)) == []


def test_the_same_wall_clock_twice_is_two_different_slots(hospital: Hospital) -> None:
    """The two 02:30 of an autumn night are claimed apart."""
    with db.transaction(db.system("tests")):
        opened, _why = _open(hospital, AUTUMN, time(1), time(4))
        first, second = (slots.claim_cells(opened.at(cell), opened.at(cell + 1)) for cell in (6, 10))
        assert opened.at(6).astimezone(hospital.establishment.tz).time() == time(2, 30)
        assert opened.at(10).astimezone(hospital.establishment.tz).time() == time(2, 30)
        assert not set(first) & set(second)
