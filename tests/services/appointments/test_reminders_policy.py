"""When one is reminded: the rules, on any day, at any hour, in any of the zones of French hospitals."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.message_texts import telephone
from services.appointments.reminders import policy
from services.appointments.reminders.policy import MAIL, TEXT, Hours, Policy, Step

PARIS = ZoneInfo("Europe/Paris")
ZONES = ("Europe/Paris", "Indian/Reunion", "America/Martinique", "America/Cayenne", "Indian/Mayotte", "Pacific/Noumea")


def _at(day: str, hour: str, tz: ZoneInfo = PARIS) -> datetime:
    return datetime.combine(date.fromisoformat(day), time.fromisoformat(hour), tz).astimezone(UTC)


def _told(since: datetime, start: datetime, tz: ZoneInfo = PARIS, rules: Policy | None = None) -> list[str]:
    """`mail 2027-03-01 15:00` for each step."""
    found = policy.steps(rules or Policy(), Hours(), since, start, tz)
    return [f"{step.channel} {step.at.astimezone(tz):%Y-%m-%d %H:%M}" for step in found]


def test_what_was_booked_long_before_is_told_three_times() -> None:
    found = _told(_at("2027-01-04", "10:00"), _at("2027-02-15", "09:30"))
    assert found == ["mail 2027-02-08 15:00", "text 2027-02-13 15:00", "mail 2027-02-14 15:00"]


def test_what_was_booked_within_the_week_is_told_the_day_before() -> None:
    found = _told(_at("2027-02-10", "10:00"), _at("2027-02-15", "09:30"))
    assert found == ["mail 2027-02-14 15:00", "text 2027-02-14 15:00"]


@pytest.mark.parametrize(("start", "told"), [("2027-02-15T17:00", 1), ("2027-02-16T09:30", 1), ("2027-02-17T09:30", 2)])
def test_what_was_booked_in_the_afternoon_for_the_next_hours_is_told_at_once(start: str, told: int) -> None:
    day, _t, hour = start.partition("T")
    found = _told(_at("2027-02-15", "14:00"), _at(day, hour))
    assert len(found) == told
    assert ("text 2027-02-15 14:10" in found) == (told == 1)


def test_what_was_booked_in_the_morning_for_the_day_is_not_told_again() -> None:
    assert _told(_at("2027-02-15", "09:00"), _at("2027-02-15", "17:00")) == []


def test_what_was_booked_at_night_is_told_once_the_night_is_over() -> None:
    assert _told(_at("2027-02-15", "23:30"), _at("2027-02-16", "11:00")) == ["text 2027-02-16 08:00"]
    assert _told(_at("2027-02-15", "23:30"), _at("2027-02-16", "08:00")) == [], "there is no time left to tell"


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("2026-10-25", ["mail 2026-10-18 15:00", "text 2026-10-23 15:00", "mail 2026-10-24 15:00"]),
        ("2026-10-26", ["mail 2026-10-19 15:00", "text 2026-10-24 15:00", "mail 2026-10-25 15:00"]),
        ("2027-03-28", ["mail 2027-03-21 15:00", "text 2027-03-26 15:00", "mail 2027-03-27 15:00"]),
        ("2027-03-29", ["mail 2027-03-22 15:00", "text 2027-03-27 15:00", "mail 2027-03-28 15:00"]),
    ],
)
def test_the_wall_clock_counts_when_clocks_change(start: str, expected: list[str]) -> None:
    assert _told(_at("2026-09-01", "10:00"), _at(start, "09:00")) == expected


def test_a_hospital_overseas_reminds_at_its_own_hours() -> None:
    for zone in ("Indian/Reunion", "America/Martinique"):
        tz = ZoneInfo(zone)
        found = _told(_at("2027-01-04", "10:00", tz), _at("2027-02-15", "09:30", tz), tz)
        assert found == ["mail 2027-02-08 15:00", "text 2027-02-13 15:00", "mail 2027-02-14 15:00"]


def test_a_policy_may_say_otherwise() -> None:
    since, start = _at("2027-01-04", "10:00"), _at("2027-02-15", "09:30")
    assert _told(since, start, rules=Policy(is_on=False)) == []
    assert _told(since, start, rules=Policy(mail_days=(), text_days=(1,))) == ["text 2027-02-14 15:00"]
    assert _told(_at("2027-02-12", "10:00"), start, rules=Policy(near_mail=False)) == ["text 2027-02-14 15:00"]
    assert _told(_at("2027-02-14", "14:00"), start, rules=Policy(late_text=False)) == []


MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))
POLICIES = st.builds(
    Policy,
    mail_days=st.lists(st.integers(1, 30), max_size=5),
    text_days=st.lists(st.integers(1, 30), max_size=5),
    near_mail=st.booleans(),
    near_text=st.booleans(),
    late_text=st.booleans(),
)
HOURS = st.tuples(st.integers(6, 10), st.integers(7, 19), st.integers(17, 22)).filter(lambda h: h[0] <= h[1] < h[2])


@given(MOMENTS, st.timedeltas(timedelta(minutes=1), timedelta(days=60)), st.sampled_from(ZONES), POLICIES, HOURS)
def test_no_step_is_at_night_before_the_booking_nor_after_the_visit_began(
    since: datetime, ahead: timedelta, zone: str, rules: Policy, asked: tuple[int, int, int]
) -> None:
    tz, start = ZoneInfo(zone), since + ahead
    hours = Hours(asked[1], asked[2], asked[0])
    for step in policy.steps(rules, hours, since, start, tz):
        assert since < step.at < step.until <= start
        assert hours.allow(step.at, tz)
        assert hours.allow(step.until - timedelta(microseconds=1), tz)
        assert step.at.astimezone(tz).date() == (step.until - timedelta(microseconds=1)).astimezone(tz).date()


@given(MOMENTS, st.timedeltas(timedelta(minutes=1), timedelta(days=60)), st.sampled_from(ZONES), POLICIES)
def test_each_way_is_taken_once_a_day_at_most(since: datetime, ahead: timedelta, zone: str, rules: Policy) -> None:
    tz = ZoneInfo(zone)
    found = [(each.channel, each.at.astimezone(tz).date())
             for each in policy.steps(rules, Hours(), since, since + ahead, tz)]  # fmt: skip
    assert len(found) == len(set(found))


def test_a_late_run_sends_what_is_of_the_day_and_nothing_of_the_days_before() -> None:
    step = Step(MAIL, _at("2027-02-08", "15:00"), _at("2027-02-08", "20:00"))
    assert policy.due([step], MAIL, _at("2027-02-08", "19:59"), PARIS)
    assert policy.due([step], MAIL, _at("2027-02-08", "09:00"), PARIS), "told with what another visit makes leave"
    for late in ("2027-02-08T20:00", "2027-02-09T15:00", "2027-02-10T09:00"):
        day, _t, hour = late.partition("T")
        assert not policy.due([step], MAIL, _at(day, hour), PARIS)
    assert not policy.due([step], TEXT, _at("2027-02-08", "16:00"), PARIS)


# -- the length of a text ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "parts"),
    [("a" * 160, 1), ("a" * 161, 2), ("a" * 306, 2), ("a" * 307, 3), ("é" * 160, 1), ("€" * 80, 1), ("€" * 81, 2),
     ("ê" * 70, 1), ("ê" * 71, 2), ("ê" * 135, 3), ("🙂" * 35, 1), ("🙂" * 36, 2), ("", 1)],
)  # fmt: skip
def test_a_text_is_counted_as_operators_do(text: str, parts: int) -> None:
    assert telephone.parts(text) == parts


def test_french_is_written_in_the_gsm_alphabet() -> None:
    assert telephone.plain("Centre hospitalier du Val d’Arceau\u00a0: fête à l’hôpital, où ça\u202f?") == (
        "Centre hospitalier du Val d'Arceau : fete à l'hopital, où ca ?"
    )
    assert telephone.plain("مستشفى") == "مستشفى", "what has no such letters keeps its own"


@given(st.text(max_size=300))
def test_making_a_text_plain_never_makes_it_longer_to_send(text: str) -> None:
    assert telephone.parts(telephone.plain(text)) <= max(telephone.parts(text), 1 + len(text) * 3 // 153)
    if telephone.is_gsm(text):
        assert telephone.plain(text) == text


def test_the_fullest_text_that_fits_in_one_part_is_chosen() -> None:
    assert telephone.shortest_of(["a" * 200, "b" * 150, "c"]) == "b" * 150
    assert telephone.shortest_of(["a" * 400, "b" * 200, "c" * 250]) == "b" * 200
