"""The desk's agendas: pure lines of free time, the states' gestures, nights and clocks, and who changes what."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from uuid import UUID, uuid4

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy.exc import DBAPIError

from portal import db
from portal.db import session
from portal.establishments import Unit
from services.appointments import actions, slots, states
from services.appointments.actions import AlreadyOver
from services.appointments.desk import agenda, queries, wording
from services.appointments.desk.agenda import Agenda, Free, Load, Opened, Visit, free_lines, load_of
from services.appointments.desk.queries import Span
from services.appointments.models import Appointment
from services.appointments.slots import Slot
from tests.factories import appointments, hospitals, people
from tests.factories.hospitals import Hospital
from tests.ground import prepared
from tests.services.appointments.conftest import Ground

NINE = datetime(2027, 3, 1, 8, tzinfo=UTC)
EVER = (NINE - timedelta(days=2), NINE + timedelta(days=2))


def _opened(free: int, n_cells: int = 12, **facts: int) -> Opened:
    whole = slots.mask(0, n_cells)
    return Opened(UUID(int=1), UUID(int=2), NINE, 15, n_cells, whole, free & whole, facts.get("capacity", 1),
                  facts.get("seats_left", 1))  # fmt: skip


# -- free time ---------------------------------------------------------------------------------------------------


@given(free=some.integers(0, 2**60 - 1), n_cells=some.integers(1, 60), count=some.integers(1, 8))
def test_free_lines_offer_bookable_cells_alone_and_never_one_inside_another(
    free: int, n_cells: int, count: int
) -> None:
    opened = _opened(free, n_cells)
    bookable = slots.starts(opened.free, count)
    lines = list(free_lines(opened, bookable, count, *EVER))
    cells = [Slot.parse(slot).first_cell for line in lines for _at, slot in line.starts]
    assert all(bookable >> cell & 1 for cell in cells)
    assert all(later - sooner >= count for sooner, later in pairwise(cells))
    assert bool(cells) == bool(bookable), "as long as something may be booked, something is offered"


@given(free=some.integers(0, 2**60 - 1), n_cells=some.integers(1, 60))
def test_each_line_is_one_stretch_without_a_gap(free: int, n_cells: int) -> None:
    opened = _opened(free, n_cells)
    for line in free_lines(opened, opened.free, 1, *EVER):
        first = Slot.parse(line.starts[0][1]).first_cell
        count = (line.until - line.at) // timedelta(minutes=15)
        assert opened.free & slots.mask(first, count) == slots.mask(first, count)


@given(free=some.integers(0, 2**12 - 1), first=some.integers(-4, 16), last=some.integers(-4, 16))
def test_free_time_is_cut_at_midnight(free: int, first: int, last: int) -> None:
    opened = _opened(free)
    begins, ends = (NINE + timedelta(minutes=15 * cell) for cell in (first, last))
    starts = [at for line in free_lines(opened, opened.free, 1, begins, ends) for at, _slot in line.starts]
    assert all(begins <= at < ends for at in starts)
    assert len(starts) == sum(1 for cell in range(12) if free >> cell & 1 and first <= cell < last)


def test_a_group_says_how_many_places_are_left() -> None:
    (line,) = free_lines(_opened(0b11, 2, capacity=6, seats_left=4), 0b1, 2, *EVER)
    assert line.places == 4


@pytest.mark.parametrize(("opened", "load"), [
    (_opened(0b111, 12), Load(0, 180, 45)), (_opened(0b1, 1, capacity=10, seats_left=3), Load(0, 150, 45)),
])  # fmt: skip
def test_how_full_a_session_is(opened: Opened, load: Load) -> None:
    assert load_of(opened) == load


def test_nobody_who_receives_is_no_rate() -> None:
    assert Load().rate is None
    assert Load(3, 100, 25).rate == 0.75


# -- gestures ----------------------------------------------------------------------------------------------------


@given(state=some.sampled_from(states.STATES), minutes=some.integers(-3000, 3000), called=some.booleans())
def test_every_proposed_gesture_is_an_allowed_change(state: str, minutes: int, called: bool) -> None:
    now = NINE + timedelta(minutes=minutes)
    to = {"arrive": states.ARRIVED, "finish": states.DONE, "miss": states.MISSED, "correct": states.BOOKED}
    for gesture in agenda.gestures(state, NINE, NINE if called else None, now):
        if gesture == "call_in":
            assert (state, called) == (states.ARRIVED, False)
        else:
            states.check(state, to[gesture])
        if gesture == "miss":
            assert now >= NINE
        if gesture == "arrive":
            assert now >= NINE - agenda.MAY_ARRIVE_BEFORE


def _visit(at: datetime) -> Visit:
    until = at + timedelta(minutes=15)
    return Visit(uuid4(), uuid4(), uuid4(), uuid4(), at, until, "booked", "web", False, False, None, None, "",
                  0, "R", "Suivi", "Ana", "LE GOFF", "", date(1950, 1, 1), "", "")  # fmt: skip


@given(minutes=some.integers(-60, 200))
def test_the_present_is_drawn_once_between_what_was_and_what_comes(minutes: int) -> None:
    now = NINE + timedelta(minutes=minutes)
    shown = Agenda(
        UUID(int=2), "Dr X", "", NINE.date(), lines=[_visit(NINE + timedelta(minutes=30 * n)) for n in range(4)]
    )
    shown.mark(now)
    kinds = [line.kind for line in shown.lines]
    assert kinds.count("now") == (1 if 0 <= minutes < 105 else 0)
    assert [line.at for line in shown.lines] == sorted(line.at for line in shown.lines)


@pytest.mark.parametrize(("typed", "shown"), [
    ("+33639980042", "06 39 98 00 42"), ("0639980042", "06 39 98 00 42"), ("06.39.98.00.42", "06 39 98 00 42"),
    ("+32 2 555 12 12", "+32 2 555 12 12"), ("", ""), ("call me", "call me"),
])  # fmt: skip
def test_a_number_is_written_as_people_say_it(typed: str, shown: str) -> None:
    assert wording.phone(typed) == shown


# -- nights, clocks, and other hospitals -------------------------------------------------------------------------


@pytest.fixture
def hospital(app: Flask) -> Hospital:
    with prepared():
        return hospitals.hospital()


def _days(where: Hospital, first: date, last: date | None = None) -> Span:
    return Span(session.get_one(Unit, where.unit.id), first, last or first)


def _night(where: Hospital, day: date, opens: time, closes: time, cell: int) -> Appointment:
    why = appointments.reason(where.unit)
    person = people.patient()
    people.known_at(person, where.establishment.id)
    return appointments.past(person, why, appointments.consultation(where, [why], day, opens, closes), cell)


@pytest.mark.parametrize(("cell", "day"), [(0, date(2026, 6, 1)), (7, date(2026, 6, 1)), (8, date(2026, 6, 2))])
def test_a_visit_after_midnight_is_the_next_day_s(hospital: Hospital, cell: int, day: date) -> None:
    with prepared():
        made = _night(hospital, date(2026, 6, 1), time(22), time(2), cell)
        for shown in (date(2026, 6, 1), date(2026, 6, 2)):
            (found,) = queries.agendas(_days(hospital, shown))
            assert [visit.id for visit in found.visits] == ([made.id] if shown == day else [])


@pytest.mark.parametrize(("cell", "hour"), [(3, 1), (4, 3), (12, 5)])
def test_the_night_when_clocks_go_forward_has_its_true_hours(hospital: Hospital, cell: int, hour: int) -> None:
    spring = date(2027, 3, 28)
    with prepared():
        _night(hospital, spring, time(1), time(7), cell)
        (found,) = queries.agendas(_days(hospital, spring))
        (visit,) = found.visits
        local = visit.at.astimezone(hospital.establishment.tz)
    assert (local.date(), local.hour) == (spring, hour)


def test_overseas_the_day_is_the_hospital_s(app: Flask) -> None:
    with prepared():
        far = hospitals.hospital(time_zone="Indian/Reunion")
        made = _night(far, date(2026, 6, 2), time(0, 30), time(2), 0)
        assert made.start_at.astimezone(UTC).date() == date(2026, 6, 1)
        (found,) = queries.agendas(_days(far, date(2026, 6, 2)))
        assert len(found.visits) == 1
        assert queries.agendas(_days(far, date(2026, 6, 1))) == []
        loads = queries.week(_days(far, date(2026, 6, 1), date(2026, 6, 7)))
        assert loads.of_day(date(2026, 6, 2)).visits == 1


def test_what_is_offered_is_what_the_booking_accepts(ground: Ground) -> None:
    day = ground.opened.local_date
    with prepared():
        for _ in range(12):
            (found,) = queries.agendas(_days(ground.hospital, day))
            starts = [slot for line in found.lines if isinstance(line, Free) for _at, slot in line.starts]
            if not starts:
                break
            someone = people.patient()
            actions.book_by_phone(someone.id, ground.reason.id, Slot.parse(starts[-1]))
        assert len(found.visits) == 6, "three hours by halves: all taken, none refused"


# -- who may -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gesture", [actions.arrive, actions.call_in, actions.finish, actions.correct])
def test_another_hospital_s_agent_says_nothing_of_a_visit(ground: Ground, gesture: object) -> None:
    with prepared():
        made = appointments.past(ground.patient, ground.reason, ground.opened)
        far = hospitals.hospital("990000025", "Autre hôpital")
        stranger = people.agent(far.establishment.id, "appointments")
        actor = people.as_agent(stranger, far.establishment.id, "appointments")
    with pytest.raises(AlreadyOver), db.transaction(actor):
        gesture(made)  # type: ignore[operator]  # one of the gestures of the table
    with db.transaction(actor):
        assert queries.agendas(_days(ground.hospital, ground.opened.local_date))[0].visits == []


def test_a_patient_cannot_write_a_hold_of_somebody_else_into_an_agenda(ground: Ground) -> None:
    with prepared():
        other = people.patient("AUTRE")
    with pytest.raises(DBAPIError), db.transaction(ground.actor):
        actions.keep_for(other.id, ground.reason.id, ground.slot(), db.now() + timedelta(minutes=20), "proposal")
