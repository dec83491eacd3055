"""Free time as bits: compared with the long way round."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.appointments import slots
from services.appointments.slots import Slot, Window

MASKS = st.integers(min_value=0, max_value=2**slots.MAX_CELLS - 1)
COUNTS = st.integers(min_value=1, max_value=20)
NINE = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)


def _cells(mask: int) -> set[int]:
    return {cell for cell in range(slots.MAX_CELLS) if mask >> cell & 1}


@given(MASKS, COUNTS)
def test_an_appointment_starts_where_all_its_cells_are_free(free: int, count: int) -> None:
    expected = {cell for cell in range(60) if all(free >> at & 1 for at in range(cell, cell + count))}
    assert _cells(slots.starts(free, count)) == expected


@dataclass(frozen=True)
class Opened:
    """A session's row, as far as time goes."""

    free: int
    step_min: int = 15
    for_web: int | None = None
    for_city: int | None = None
    released_at: datetime | None = None
    start_at: datetime = NINE


@given(MASKS, COUNTS, st.integers(-400, 1000), st.integers(-400, 1000), st.sampled_from(slots.STEPS_MIN))
def test_what_is_bookable_begins_inside_the_window(free: int, count: int, first: int, last: int, step: int) -> None:
    window = Window(NINE + timedelta(minutes=first), NINE + timedelta(minutes=last), "web", NINE)
    expected = {
        cell
        for cell in _cells(slots.starts(free, count))
        if window.earliest <= NINE + timedelta(minutes=cell * step) <= window.latest
    }
    assert _cells(slots.bookable(Opened(free, step), count, window)) == expected


@given(MASKS, MASKS, st.integers(-5, 5))
def test_a_channel_sees_what_is_meant_for_it_until_the_rest_is_released(free: int, web: int, late: int) -> None:
    opened = Opened(free, for_web=web, released_at=NINE)
    asked_at = NINE + timedelta(minutes=late)
    seen = {channel: slots.offered(opened, channel, asked_at) for channel in ("web", "city", "phone")}
    assert seen == {"web": free if late >= 0 else free & web, "city": free, "phone": free}


@given(MASKS, COUNTS, st.sampled_from((0, 5, 10, 20, 30, 60)), st.sampled_from(slots.STEPS_MIN))
def test_a_grid_keeps_only_its_starts(free: int, count: int, grid: int, step: int) -> None:
    window = Window(NINE, NINE + timedelta(days=1), "web", NINE)
    every = max(1, -(-grid // step))
    expected = {cell for cell in _cells(slots.starts(free, count)) if cell % every == 0}
    assert _cells(slots.bookable(Opened(free, step), count, window, grid)) == expected


@given(MASKS, COUNTS)
def test_proposed_times_do_not_overlap_and_none_is_left_out(free: int, count: int) -> None:
    found = slots.starts(free, count)
    shown = list(slots.proposed(found, count))
    assert all(after - before >= count for before, after in pairwise(shown))
    assert set(shown) <= _cells(found)
    assert all(any(abs(cell - other) < count for other in shown) for cell in _cells(found))


@given(st.integers(1, 900), st.sampled_from(slots.STEPS_MIN))
def test_a_begun_cell_is_a_full_one(duration: int, step: int) -> None:
    cells = slots.cells_for(duration, step)
    assert (cells - 1) * step < duration <= cells * step


def test_claims_cover_an_appointment_and_nothing_more() -> None:
    cells = slots.claim_cells(NINE, NINE + timedelta(minutes=20))
    assert len(cells) == 4
    assert slots.claim_cells(NINE + timedelta(minutes=20), NINE + timedelta(minutes=40)).start == cells.stop


def test_a_slot_reads_what_it_writes() -> None:
    slot = Slot(uuid4(), 59)
    assert Slot.parse(str(slot)) == slot


@pytest.mark.parametrize("text", [
    "", "-", "0", f"{UUID(int=1)}", f"{UUID(int=1)}-", f"{UUID(int=1)}-60", f"{UUID(int=1)}-1e1",
    f"{UUID(int=1)}-٣", f"{UUID(int=1)}-{'9' * 5000}", "x" * 100_000 + "-1", "' or 1=1-1",
])  # fmt: skip
def test_anything_else_is_not_a_slot(text: str) -> None:
    with pytest.raises(ValueError):
        Slot.parse(text)
