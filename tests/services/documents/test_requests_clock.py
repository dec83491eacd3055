"""By when a hospital answers: civil days of its calendar, through clock changes, leap years and holidays; and no path
through the states forgets the clock."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from portal import calendar
from services.documents.requests import clock, states
from services.documents.requests.clock import Clock, Term
from services.documents.requests.kinds import ALL, KINDS, needed_proofs

PARIS = ZoneInfo("Europe/Paris")
EIGHT, TWO_MONTHS, THREE_BUSINESS = Term(8, "days"), Term(2, "months"), Term(3, "business_days")


@pytest.mark.parametrize(
    ("start", "term", "last"),
    [
        (date(2026, 3, 2), EIGHT, date(2026, 3, 10)),
        (date(2026, 3, 25), EIGHT, date(2026, 4, 2)),  # over the change to summer time
        (date(2026, 10, 20), EIGHT, date(2026, 10, 28)),  # and back
        (date(2028, 2, 25), EIGHT, date(2028, 3, 4)),  # leap
        (date(2026, 12, 28), EIGHT, date(2027, 1, 5)),  # holidays are days like others: the law counts civil days
        (date(2026, 12, 31), TWO_MONTHS, date(2027, 2, 28)),
        (date(2027, 12, 31), TWO_MONTHS, date(2028, 2, 29)),
        (date(2026, 4, 30), TWO_MONTHS, date(2026, 6, 30)),
        (date(2026, 4, 30), THREE_BUSINESS, date(2026, 5, 6)),  # 1 May, then a weekend
        (date(2026, 12, 24), THREE_BUSINESS, date(2026, 12, 30)),
    ],
)
def test_the_last_day(start: date, term: Term, last: date) -> None:
    assert clock.last_day(start, term, "metropole") == last


def test_alsace_has_one_more_holiday_at_christmas() -> None:
    assert clock.last_day(date(2025, 12, 24), THREE_BUSINESS, "metropole") == date(2025, 12, 30)
    assert clock.last_day(date(2025, 12, 24), THREE_BUSINESS, "alsace-moselle") == date(2025, 12, 31)


def test_reflection_lasts_forty_eight_hours_whatever_the_wall_clock_does() -> None:
    sent = datetime(2026, 3, 28, 10, tzinfo=PARIS).astimezone(UTC)  # the night after, an hour is skipped
    ends = clock.reflection_ends(sent)
    assert ends - sent == timedelta(hours=48)
    assert ends.astimezone(PARIS).hour == 11


def test_the_day_is_the_hospitals() -> None:
    """Late in the evening in Paris, the day has already begun in Réunion."""
    sent = datetime(2026, 3, 1, 21, 30, tzinfo=UTC)
    paris, reunion = (calendar.civil_day(sent, ZoneInfo(zone)) for zone in ("Europe/Paris", "Indian/Reunion"))
    assert clock.last_day(paris, EIGHT, "") == date(2026, 3, 9)
    assert clock.last_day(reunion, EIGHT, "") == date(2026, 3, 10)


def test_a_silence_of_one_month_is_a_refusal_and_two_months_are_left_to_appeal() -> None:
    assert clock.silence_is_refusal_on(date(2026, 1, 31)) == date(2026, 3, 1)
    assert clock.appeal_until(date(2026, 12, 31)) == date(2027, 2, 28)


@pytest.mark.parametrize(
    ("until", "old"),
    [(None, False), (date(2021, 3, 1), True), (date(2021, 3, 2), False), (date(2026, 1, 1), False)],
)
def test_information_is_old_after_five_years(until: date | None, old: bool) -> None:
    assert clock.is_old(until, date(2026, 3, 2)) is old


def test_a_proof_that_was_missing_makes_the_time_begin_when_it_comes() -> None:
    waiting = clock.paused(clock.started(date(2026, 3, 2), EIGHT, ""), date(2026, 3, 4))
    assert waiting == Clock(left=6)
    assert clock.resumed(waiting, date(2026, 4, 1), EIGHT, "", restarts=True) == Clock(date(2026, 4, 9))


def test_elsewhere_the_time_goes_on_where_it_stood() -> None:
    waiting = clock.paused(clock.started(date(2026, 3, 2), EIGHT, ""), date(2026, 3, 4))
    assert clock.resumed(waiting, date(2026, 4, 1), EIGHT, "", restarts=False) == Clock(date(2026, 4, 7))


@pytest.mark.parametrize("restarts", [True, False])
def test_a_hospital_that_is_late_gains_nothing_by_asking_for_more(restarts: bool) -> None:
    waiting = clock.paused(Clock(date(2026, 3, 10)), date(2026, 3, 12))
    resumed = clock.resumed(waiting, date(2026, 3, 20), EIGHT, "", restarts=restarts)
    assert resumed.due_on is not None
    assert resumed.due_on < date(2026, 3, 20)


@given(
    path=some.lists(some.tuples(some.sampled_from(states.STATES), some.integers(0, 40)), max_size=12),
    restarts=some.booleans(),
    term=some.sampled_from([EIGHT, TWO_MONTHS, THREE_BUSINESS]),
)
def test_no_path_forgets_the_clock(path: list[tuple[str, int]], restarts: bool, term: Term) -> None:
    """Whatever is done in whatever order, the clock runs exactly while the hospital owes an answer."""
    state, now, told = states.DRAFT, date(2026, 1, 15), Clock()
    for after, days in path:
        now += timedelta(days=days)
        if after not in states.TRANSITIONS[state]:
            continue
        told = states.clock_after(told, after, now, term, "metropole", restarts=restarts)
        state = after
        assert told.runs is (state in states.RUNNING)
        assert told.waits is (state == states.MISSING)


def test_every_state_is_reached_and_every_request_can_end() -> None:
    reached, waiting = set(), [""]
    while waiting:
        found = waiting.pop()
        new = states.TRANSITIONS[found] - reached
        reached |= new
        waiting += new
    assert reached == set(states.STATES)
    for state in states.OPEN:
        assert states.TRANSITIONS[state] & {states.REFUSED, states.CANCELLED}


@given(before=some.sampled_from(["", *states.STATES]), after=some.sampled_from(states.STATES))
def test_a_change_that_is_not_in_the_table_is_refused(before: str, after: str) -> None:
    if after in states.TRANSITIONS[before]:
        states.check(before, after)
    else:
        with pytest.raises(states.NotAllowed):
            states.check(before, after)


def test_proofs_are_asked_for_only_when_nothing_proves_it_already() -> None:
    record = KINDS["record"]
    assert needed_proofs(record, "patient", identity_known=True) == ()
    assert needed_proofs(record, "parent", identity_known=True) == ()
    assert needed_proofs(record, "heir", identity_known=True) == ("quality",)
    assert needed_proofs(record, "heir", identity_known=False) == ("identity", "quality")
    assert needed_proofs(KINDS["presence"], "patient", identity_known=False) == ()


def test_each_kind_is_whole() -> None:
    for kind in ALL:
        assert kind.steps[-1] == "check"
        assert kind.scope in ("medical", "administrative")
        assert kind.term.count > 0
