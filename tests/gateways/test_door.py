"""What every door promises, whatever stands behind it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from portal.gateways import OutcomeUnknown, Refused, Unavailable
from portal.gateways.breaker import BreakerState
from portal.gateways.door import Door, states

MORNING = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@dataclass
class Time:
    """A clock that moves only when told."""

    seconds: float = 0.0

    def clock(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return MORNING + timedelta(seconds=self.seconds)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def door(time: Time) -> Door:
    return Door("test", timeout_seconds=10, open_after=3, retry_after_seconds=30, clock=time.clock, now=time.now)


def fail(door: Door, times: int = 1, error: type[Unavailable] | type[OutcomeUnknown] = Unavailable) -> None:
    for _ in range(times):
        with pytest.raises(error, match="down"), door.passage("ask"):
            raise error("down")


def succeed(door: Door) -> None:
    with door.passage("ask"):
        pass


def test_a_counterpart_that_fails_three_times_in_a_row_is_left_alone(door: Door) -> None:
    fail(door, 2)
    assert door.state().breaker is BreakerState.CLOSED
    fail(door, error=OutcomeUnknown)
    assert door.state().breaker is BreakerState.OPEN
    with pytest.raises(Unavailable, match="left alone"), door.passage("ask"):
        pytest.fail("an open breaker let a call pass")


def test_a_success_between_failures_starts_the_count_again(door: Door) -> None:
    fail(door, 2)
    succeed(door)
    fail(door, 2)
    assert door.state().breaker is BreakerState.CLOSED


def test_a_refusal_is_an_answer_and_keeps_the_door_open(door: Door) -> None:
    fail(door, 2)
    with pytest.raises(Refused), door.passage("ask"):
        raise Refused("R3")
    fail(door, 2)
    assert door.state().breaker is BreakerState.CLOSED
    assert door.state().refused == 1


def test_after_the_delay_one_call_at_a_time_tries_again(door: Door, time: Time) -> None:
    fail(door, 3)
    time.seconds += 31
    assert door.state().breaker is BreakerState.HALF_OPEN
    with door.passage("first"), pytest.raises(Unavailable), door.passage("second"):
        pytest.fail("two calls tried a counterpart that had just failed")
    assert door.state().breaker is BreakerState.CLOSED
    succeed(door)


def test_a_failed_try_leaves_it_alone_for_another_delay(door: Door, time: Time) -> None:
    fail(door, 3)
    time.seconds += 31
    fail(door)
    assert door.state().breaker is BreakerState.OPEN
    time.seconds += 29
    assert door.state().breaker is BreakerState.OPEN
    time.seconds += 2
    assert door.state().breaker is BreakerState.HALF_OPEN


def test_a_mistake_of_ours_neither_blames_the_counterpart_nor_blocks_the_next_try(door: Door, time: Time) -> None:
    fail(door, 3)
    time.seconds += 31
    with pytest.raises(ZeroDivisionError), door.passage("ask"):
        raise ZeroDivisionError
    assert door.state().breaker is BreakerState.HALF_OPEN
    succeed(door)
    assert door.state().breaker is BreakerState.CLOSED


def test_the_time_left_covers_the_whole_passage(door: Door, time: Time) -> None:
    with door.passage("ask") as deadline:
        assert deadline.remaining() == 10
        time.seconds += 7
        assert deadline.remaining() == 3
        time.seconds += 3
        with pytest.raises(TimeoutError):
            deadline.remaining()


def test_the_connectors_page_can_read_what_happened(door: Door, time: Time) -> None:
    succeed(door)
    time.seconds = 60
    fail(door)
    state = next(state for state in states() if state.name == "test" and state.last_failure_at)
    assert (state.done, state.failed, state.refused) == (1, 1, 0)
    assert state.last_success_at == MORNING
    assert state.last_failure_at == MORNING + timedelta(minutes=1)
    assert state.last_failure == "Unavailable: down"


def test_mean_time_is_in_milliseconds(door: Door, time: Time) -> None:
    with door.passage("ask"):
        time.seconds += 0.25
    assert door.state().mean_ms == 250


def test_a_foreign_error_leaves_only_its_class_in_the_log(door: Door) -> None:
    with capture_logs() as lines, pytest.raises(ValueError, match="jeanne"), door.passage("send"):
        raise ValueError("jeanne.martin@example.org")
    assert [line["event"] for line in lines] == ["door.passed"]
    assert (lines[0]["door"], lines[0]["operation"], lines[0]["ending"]) == ("test", "send", "error")
    assert "jeanne" not in str(lines)


def test_who_comes_while_somebody_waits_waits_less(time: Time) -> None:
    door = Door("test", timeout_seconds=10, beside_seconds=2, clock=time.clock)
    with door.passage("ask") as first:
        with door.passage("ask") as second:
            assert (first.remaining(), second.remaining()) == (10, 2)
        fail(door)
        with door.passage("ask") as third:
            assert third.remaining() == 2
    with door.passage("ask") as alone:
        assert alone.remaining() == 10


def test_a_worker_has_all_its_time_beside_others(time: Time) -> None:
    door = Door("test", timeout_seconds=10, beside_seconds=2, is_hurried=lambda: False, clock=time.clock)
    with door.passage("ask"), door.passage("ask") as second:
        assert second.remaining() == 10
