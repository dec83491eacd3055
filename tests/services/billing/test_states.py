"""When PayFiP is asked again, and which states may follow which."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.billing import states
from services.billing.models import SETTLED, STATES

START = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # the clocks go back in Paris half an hour later


def moments(state: str, state_at: datetime = START) -> list[timedelta]:
    """Every moment at which an attempt that stays in this state is asked about."""
    found, now = [], START
    while (following := states.next_poll_at(state, START, state_at, now)) is not None:
        found.append(following - START)
        now = following
    return found


def test_a_waiting_attempt_is_followed_closely_then_for_eight_days() -> None:
    asked = moments("awaiting")
    assert asked[:7] == [timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 20, 40, 60)]
    assert asked[-1] == timedelta(days=8)
    assert len(asked) == 6 + 24 + 7


@pytest.mark.parametrize("state", ["refused", "abandoned"])
def test_a_bad_end_is_followed_for_half_an_hour(state: str) -> None:
    assert moments(state)[-1] == timedelta(minutes=40)


@pytest.mark.parametrize("state", [*SETTLED, "failed"])
def test_what_is_over_is_left_alone(state: str) -> None:
    assert moments(state) == []


@pytest.mark.parametrize("after", STATES)
@pytest.mark.parametrize("before", SETTLED)
def test_what_is_paid_never_goes_back(before: str, after: str) -> None:
    assert not states.allowed(before, after)


@pytest.mark.parametrize("before", ["awaiting", "refused", "abandoned", "expired", "to_review"])
@pytest.mark.parametrize("after", SETTLED)
def test_money_may_follow_any_soft_state(before: str, after: str) -> None:
    assert states.allowed(before, after)


def test_those_that_began_together_do_not_all_ask_again_in_one_minute() -> None:
    at = START + timedelta(hours=1)
    moments = {states.spread(at, START, UUID(int=key)) for key in range(1000)}
    assert len(moments) == 1000
    assert all(at - timedelta(minutes=6) <= moment <= at for moment in moments if moment)
    assert states.spread(at, START, UUID(int=7)) == states.spread(at, START, UUID(int=7))


def test_after_a_trouble_nobody_asks_sooner_than_the_guide_says() -> None:
    moments = {states.after_trouble(START, UUID(int=key)) for key in range(1000)}
    assert len(moments) == 1000
    assert min(moments) == START + timedelta(minutes=30)
    assert max(moments) < START + timedelta(minutes=31)


def test_the_first_questions_come_exactly_when_they_should() -> None:
    soon = START + timedelta(minutes=5)
    assert states.spread(soon, START, UUID(int=999)) == soon
    assert states.spread(None, START, UUID(int=999)) is None
