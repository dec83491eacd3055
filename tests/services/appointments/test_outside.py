"""A time that the hospital's own agenda fills is not offered, whoever says it, in any order; and comes back."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import delete, literal, select, update

from portal import db
from portal.db import session
from services.appointments import actions, queries, slots
from services.appointments.actions import SlotTaken, capacity, opening
from services.appointments.agendas import actions as agenda_actions
from services.appointments.agendas.models import Absence
from services.appointments.models import Appointment, Claim, ConsultationSession, Reason
from services.appointments.outside import actions as outside
from services.appointments.outside import queries as outside_queries
from services.appointments.outside.actions import NotATime, UnknownPractitioner, Word
from services.appointments.outside.models import OutsideTime
from tests.factories import appointments, hospitals, people
from tests.ground import audited, prepared
from tests.services.appointments.conftest import Ground


@contextmanager
def hearing(ground: Ground) -> Iterator["Agenda"]:
    with prepared():
        yield Agenda(ground)


class Agenda:
    """The hospital's own agenda, which speaks of the ground's practitioner by minutes of their session."""

    def __init__(self, ground: Ground) -> None:
        self.here = ground.hospital.establishment.id
        self.who = ground.hospital.practitioner.id
        self.begins = ground.opened.start_at

    def at(self, minutes: int) -> datetime:
        return self.begins + timedelta(minutes=minutes)

    def fills(self, external_id: str, since: int, until: int, **facts: Any) -> str:
        return outside.take_outside(self.here, external_id, self.who, self.at(since), self.at(until), **facts)

    def frees(self, external_id: str, **facts: Any) -> str:
        return outside.free_outside(self.here, external_id, **facts)


def free(ground: Ground) -> str:
    """The session's cells from the first one, `.` free and `#` not."""
    with prepared():
        opened = session.get_one(ConsultationSession, ground.opened.id, populate_existing=True)
        return "".join(".#"[not opened.free >> cell & 1] for cell in range(opened.n_cells))


def claims(ground: Ground) -> set[int]:
    """Minutes of the session, by five, in which the practitioner is claimed."""
    first = slots.claim_cells(ground.opened.start_at, ground.opened.start_at + timedelta(minutes=5)).start
    with prepared():
        found = session.scalars(select(Claim.cell).where(Claim.resource_id == ground.hospital.practitioner.id))
        return {(cell - first) * 5 for cell in found}


def offered(ground: Ground) -> set[int]:
    """Cells at which patients are told they may begin."""
    with db.transaction(ground.actor):
        reason = session.get_one(Reason, ground.reason.id)
        page = queries.open_slots(reason, reason.window("web", db.now()), ground.opened.local_date)
        return {each.slot.first_cell for day in page.days.values() for each in day}


def test_what_the_hospitals_agenda_fills_is_neither_offered_nor_booked(ground: Ground) -> None:
    with hearing(ground) as agenda:
        assert agenda.fills("A1", 0, 60) == "added"
    assert free(ground) == "####........"
    assert offered(ground) == {4, 6, 8, 10}
    with pytest.raises(SlotTaken), db.transaction(ground.actor):
        actions.book(ground.patient.id, ground.reason.id, ground.slot(2))
    with pytest.raises(SlotTaken), prepared():
        actions.book_by_phone(ground.patient.id, ground.reason.id, ground.slot(2))


def test_a_cell_filled_in_part_is_not_offered(ground: Ground) -> None:
    with hearing(ground) as agenda:
        agenda.fills("A1", 20, 35)
    assert free(ground) == ".##........."
    assert claims(ground) == {20, 25, 30}


def test_what_is_freed_there_is_offered_again(ground: Ground) -> None:
    with hearing(ground) as agenda:
        agenda.fills("A1", 0, 60)
        assert agenda.frees("A1") == "removed"
        assert agenda.frees("A1") == "unchanged"
        assert agenda.frees("never told") == "unchanged"
    assert free(ground) == "............"
    assert claims(ground) == set()


def test_told_again_it_moves(ground: Ground) -> None:
    with hearing(ground) as agenda:
        agenda.fills("A1", 0, 60)
        assert agenda.fills("A1", 30, 90) == "changed"
        assert agenda.fills("A1", 30, 90) == "unchanged"
    assert free(ground) == "..####......"
    assert claims(ground) == set(range(30, 90, 5))


def test_moved_to_a_colleague_it_leaves_the_first_one_free(ground: Ground) -> None:
    with hearing(ground) as agenda:
        agenda.fills("A1", 0, 60)
        agenda.who = hospitals.practitioner(session.merge(ground.hospital.unit), "10000000017", "DELORME").id
        assert agenda.fills("A1", 0, 60) == "changed"
    assert free(ground) == "............"


def test_an_older_word_told_late_changes_nothing(ground: Ground) -> None:
    with hearing(ground) as agenda:
        agenda.fills("A1", 0, 60, said_at=agenda.at(-200))
        assert agenda.fills("A1", 90, 120, said_at=agenda.at(-300)) == "late"
        assert agenda.frees("A1", said_at=agenda.at(-300)) == "late"
        assert agenda.frees("A1", said_at=agenda.at(-100)) == "removed"
        assert agenda.fills("A1", 0, 60, said_at=agenda.at(-200)) == "late"
    assert free(ground) == "............"


def test_two_lines_over_the_same_time_free_it_only_together(ground: Ground) -> None:
    with hearing(ground) as agenda:
        agenda.fills("A1", 0, 60)
        agenda.fills("A2", 30, 90)
        agenda.frees("A1")
    assert free(ground) == "..####......"
    assert claims(ground) == set(range(30, 90, 5))
    with hearing(ground) as agenda:
        agenda.frees("A2")
    assert (free(ground), claims(ground)) == ("............", set())


def test_our_appointment_stays_and_agents_are_told_of_the_clash(ground: Ground) -> None:
    with prepared():
        booked = appointments.booked(ground.patient, ground.reason, ground.opened, 2)
    with hearing(ground) as agenda:
        agenda.fills("A1", 0, 60)
        assert [clash.id for clash in outside_queries.clashes([agenda.here])] == [booked.id]
        assert session.get_one(Appointment, booked.id).state == "booked"


def test_cancelled_meanwhile_a_clashing_appointment_gives_nothing_to_others(ground: Ground) -> None:
    with db.transaction(ground.actor):
        booked = actions.book(ground.patient.id, ground.reason.id, ground.slot(2))
    with hearing(ground) as agenda:
        agenda.fills("A1", 0, 60)
    with db.transaction(ground.actor):
        actions.cancel(session.get_one(Appointment, booked.id), "unavailable")
    assert free(ground) == "####........"
    assert claims(ground) == set(range(0, 60, 5))
    assert offered(ground) == {4, 6, 8, 10}


def test_freed_there_what_an_appointment_of_ours_fills_stays_taken(ground: Ground) -> None:
    with prepared():
        appointments.booked(ground.patient, ground.reason, ground.opened, 2)
    with hearing(ground) as agenda:
        agenda.fills("A1", 0, 60)
        agenda.frees("A1")
    assert free(ground) == "..##........"
    assert claims(ground) == set(range(30, 60, 5))


def test_a_session_opened_later_does_not_offer_it(ground: Ground) -> None:
    with hearing(ground) as agenda:
        agenda.begins = ground.opened.start_at + timedelta(days=1)
        agenda.fills("A1", 0, 60)
        day = ground.opened.local_date + timedelta(days=1)
        later = appointments.consultation(ground.hospital, [session.merge(ground.reason)], day)
        opening.tell_opened([later.id])
        session.refresh(later)
        assert later.free == slots.mask(4, 8)


def test_an_absence_later_that_day_does_not_offer_it_again(ground: Ground) -> None:
    with hearing(ground) as agenda:
        agenda.fills("A1", 0, 60)
        away = agenda_actions.Away(agenda.at(120), agenda.at(180), "meeting", practitioner_id=agenda.who)
        absence_id = agenda_actions.announce(agenda.here, away)
    assert free(ground) == "####....####"
    with prepared():
        agenda_actions.end(session.get_one(Absence, absence_id), ground.opened.start_at - timedelta(days=3))
    assert free(ground) == "####........"


def test_what_two_transactions_missed_is_mended(ground: Ground) -> None:
    with hearing(ground) as agenda:
        agenda.fills("A1", 0, 60)
        session.get_one(ConsultationSession, ground.opened.id, populate_existing=True).free = slots.mask(0, 12)
        session.flush()
        assert (outside.mend(), outside.mend()) == (1, 0)
    assert free(ground) == "####........"


def test_a_group_is_closed_while_its_practitioner_is_busy_elsewhere(ground: Ground) -> None:
    with prepared():
        day = ground.opened.local_date + timedelta(days=1)
        group = appointments.consultation(ground.hospital, [session.merge(ground.reason)], day, capacity=3)
        first = appointments.booked(ground.patient, ground.reason, group)
    with hearing(ground) as agenda:
        agenda.begins = group.start_at
        agenda.fills("A1", 0, 30)
        actions.cancel_for_patient(session.get_one(Appointment, first.id), "patient_asked")
        assert session.get_one(ConsultationSession, group.id, populate_existing=True).free == slots.mask(2, 10)
        agenda.frees("A1")
        assert session.get_one(ConsultationSession, group.id, populate_existing=True).free == slots.mask(0, 12)


@pytest.mark.parametrize(("since", "until"), [(60, 60), (60, 30), (0, 26 * 60)])
def test_what_is_no_time_is_refused(ground: Ground, since: int, until: int) -> None:
    with hearing(ground) as agenda, pytest.raises(NotATime):
        agenda.fills("A1", since, until)


def test_another_hospitals_practitioner_is_not_touched(ground: Ground) -> None:
    with hearing(ground) as agenda:
        agenda.who = hospitals.hospital("990000025").practitioner.id
        with pytest.raises(UnknownPractitioner):
            agenda.fills("A1", 0, 60)


def test_whoever_waits_is_told_of_the_time_that_came_free(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[UUID] = []
    monkeypatch.setattr(capacity, "_watches", [*capacity._watches, told.append])
    with hearing(ground) as agenda:
        agenda.fills("A1", 0, 60)
        assert told == []
        agenda.frees("A1")
    assert told == [ground.opened.id]


def test_the_journal_says_how_much_was_heard(ground: Ground) -> None:
    with hearing(ground) as agenda:
        agenda.fills("A1", 0, 60)
        agenda.fills("A1", 0, 60)
    assert audited().count("outside_time.heard") == 1


@pytest.mark.parametrize("who", ["patient", "other_hospital", "other_right"])
def test_only_the_hospitals_agents_write_it(ground: Ground, who: str) -> None:
    with hearing(ground) as agenda:
        agenda.fills("A1", 0, 60)
        far, clerk = people.agent(agenda.here, "billing"), people.agent(agenda.here, "billing")
        elsewhere = hospitals.hospital("990000025").establishment.id
        actors = {
            "patient": ground.actor,
            "other_hospital": people.as_agent(far, elsewhere, "appointments"),
            "other_right": people.as_agent(clerk, agenda.here, "billing"),
        }
    with db.transaction(actors[who]):
        assert session.scalars(update(OutsideTime).values(is_busy=False).returning(literal(1))).all() == []
        assert session.scalars(delete(OutsideTime).returning(literal(1))).all() == []


# -- in any order ------------------------------------------------------------------------------------------------

Told = tuple[str, int, int, bool, int]
"""External id, minutes of the session since and until when, whether busy, and the rank of the word."""


def _told(number: int, since: int, lasts: int, is_busy: bool, said: int) -> Told:
    return f"A{number}", since * 5, (since + lasts) * 5, is_busy, said


_words = some.lists(
    some.builds(
        _told, some.integers(1, 4), some.integers(-4, 40), some.integers(1, 12), some.booleans(), some.integers(1, 3)
    ),
    max_size=8,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=_words, order=some.randoms(use_true_random=False))
def test_in_any_order_and_twice_the_end_is_what_the_newest_words_say(
    ground: Ground, words: list[Told], order: Random
) -> None:
    shuffled = order.sample(words, len(words))
    expected = _expected(words)
    assert _end(ground, [words]) == expected
    assert _end(ground, [[one] for one in shuffled]) == expected
    assert _end(ground, [shuffled, words, shuffled]) == expected


def _expected(words: Sequence[Told]) -> tuple[str, set[int]]:
    newest: dict[str, Told] = {}
    for word in sorted(words, key=lambda each: (each[4], not each[3], each[1], each[2])):
        newest[word[0]] = word
    minutes = {minute for _n, since, until, busy, _rank in newest.values() if busy for minute in range(since, until, 5)}
    cells = ["#" if any(15 * cell <= minute < 15 * cell + 15 for minute in minutes) else "." for cell in range(12)]
    return "".join(cells), minutes


def _end(ground: Ground, batches: Sequence[Sequence[Told]]) -> tuple[str, set[int]]:
    """What is left of the session once an agenda that had said nothing has said all this."""
    with hearing(ground) as agenda:
        session.execute(delete(OutsideTime))
        session.execute(delete(Claim))
        session.execute(update(ConsultationSession).values(free=ConsultationSession.open))
        for batch in batches:
            said = [
                Word(name, agenda.who, agenda.at(since), agenda.at(until), busy, agenda.at(rank - 9000))
                for name, since, until, busy, rank in batch
            ]
            outside.hear(agenda.here, said)
    return free(ground), claims(ground)
