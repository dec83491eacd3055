"""Times that come free are offered in order, one at a time, and nobody is moved without a yes."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import ProgrammingError

from auth.models import Account, Patient
from portal import db
from portal.db import ANONYMOUS, Actor, session
from portal.notifications import Notification
from services.appointments import actions as engine
from services.appointments.actions import HoldEnded, NotBookable, TooManyAppointments, opening
from services.appointments.agendas import sessions
from services.appointments.models import Appointment, ConsultationSession, Hold, Reason
from services.appointments.waiting import actions, clock, jobs, states
from services.appointments.waiting.actions import AlreadyWaiting, Asked, EntryClosed, NothingEarlier, OfferGone
from services.appointments.waiting.models import FreedSlot, WaitingChange, WaitingEntry, WaitingOffer
from services.appointments.wishes import Wishes
from tests.emptying import Tables
from tests.english import in_english  # noqa: F401
from tests.factories import appointments, hospitals, people
from tests.factories.hospitals import Hospital
from tests.ground import audited, count, prepared, rows, today
from tests.services.appointments.test_races import assert_all_agree
from tests.services.appointments.test_requests import together
from tests.statements import executed

PARIS = ZoneInfo("Europe/Paris")


@dataclass(frozen=True)
class Person:
    account: Account
    patient: Patient

    @property
    def actor(self) -> Actor:
        return people.as_patient(self.account, self.patient)


@dataclass
class Full:
    """A full morning in ten days, of somebody else's visits; people whose visits are a month later wait for it."""

    hospital: Hospital
    reason: Reason
    opened: ConsultationSession
    later: ConsultationSession
    visits: dict[int, UUID]
    people: list[Person]
    agent: Actor
    agent_account: Account
    own: list[UUID] = field(default_factory=list)

    def enter(self, rank: int, **facts: Any) -> WaitingEntry:
        """One of the people asks to be told, for their visit."""
        with db.transaction(self.people[rank].actor):
            return actions.enter_for_visit(session.get_one(Appointment, self.own[rank]), asked(**facts))

    def enter_all(self) -> list[WaitingEntry]:
        return [self.enter(rank) for rank in range(len(self.people))]

    def free(self, cell: int) -> None:
        """Somebody gives a visit back."""
        with prepared():
            engine.cancel_for_patient(session.get_one(Appointment, self.visits.pop(cell)), "patient_asked")

    def offer(self) -> int:
        with prepared():
            return actions.offer_freed(self.opened.id)

    def pending(self) -> WaitingOffer | None:
        return next((each for each in rows(WaitingOffer) if each.outcome == ""), None)

    def answer(self, rank: int, act: Callable[[WaitingOffer], Any]) -> Any:
        offer = next(each for each in rows(WaitingOffer) if not each.outcome and each.patient_id == self.of(rank))
        with db.transaction(self.people[rank].actor):
            return act(session.get_one(WaitingOffer, offer.id))

    def of(self, rank: int) -> UUID:
        return self.people[rank].patient.id

    def visit(self, rank: int) -> Appointment:
        with prepared():
            return session.get_one(Appointment, self.own[rank])


def asked(wishes: Wishes | None = None, notice_hours: int = 24, practitioners: tuple[UUID, ...] = ()) -> Asked:
    return Asked(wishes or Wishes(), notice_hours, practitioners)


def fill(capacity: int = 1) -> Full:
    where = hospitals.hospital()
    why = appointments.reason(where.unit, duration_min=30)
    opened = appointments.consultation(where, [why], today() + timedelta(days=10), time(9), time(11))
    later = appointments.consultation(where, [why], today() + timedelta(days=40), time(9), time(12))
    visits = {
        cell: appointments.booked(people.patient(birth_name=f"AUTRE{cell}"), why, opened, cell).id
        for cell in (0, 2, 4, 6)
    }
    made = [Person(*people.patient_with_account(birth_name=f"ATTEND{rank}")) for rank in range(3)]
    account = people.agent(where.establishment.id, "appointments")
    agent = people.as_agent(account, where.establishment.id, "appointments")
    own = [appointments.booked(each.patient, why, later, rank * 2).id for rank, each in enumerate(made)]
    return Full(where, why, opened, later, visits, made, agent, account, own)


@pytest.fixture
def full(app: Flask) -> Full:
    with prepared():
        return fill()


# -- in order, one at a time, with a yes -------------------------------------------------------------------------


def test_a_freed_time_is_kept_for_the_first_who_asked(full: Full) -> None:
    full.enter_all()
    full.free(2)
    assert full.offer() == 1
    offer = full.pending()
    assert offer is not None
    assert (offer.patient_id, offer.start_at) == (full.of(0), full.opened.at(2))
    assert count(Hold) == 1
    assert full.visit(0).start_at == full.later.at(0), "never moved without a yes"


def test_a_yes_moves_the_visit_and_frees_the_one_it_had(full: Full) -> None:
    entry = full.enter(0)
    full.free(2)
    full.offer()
    made = full.answer(0, actions.accept)
    assert made.id == full.own[0]
    assert full.visit(0).start_at == full.opened.at(2)
    with prepared():
        assert session.get_one(WaitingEntry, entry.id).state == "served"
        assert session.get_one(ConsultationSession, full.later.id).free & 0b11 == 0b11
    assert count(Hold) == 0


def test_a_no_gives_it_to_the_next_and_keeps_one_s_place(full: Full) -> None:
    full.enter_all()
    full.free(2)
    full.offer()
    full.answer(0, actions.decline)
    full.offer()
    offer = full.pending()
    assert offer is not None
    assert offer.patient_id == full.of(1)
    full.free(4)
    full.offer()
    assert [each.patient_id for each in rows(WaitingOffer) if not each.outcome] == [full.of(1), full.of(0)]


def test_silence_gives_it_to_the_next(full: Full) -> None:
    full.enter_all()
    full.free(2)
    full.offer()
    _let_time_pass()
    with prepared():
        engine.sweep()
    full.offer()
    assert [(each.patient_id, each.outcome) for each in rows(WaitingOffer)] == [
        (full.of(0), "expired"),
        (full.of(1), ""),
    ]


def _let_time_pass() -> None:
    with prepared():
        session.execute(update(WaitingOffer).where(WaitingOffer.outcome == "").values(expires_at=db.now()))
        session.execute(update(Hold).values(expires_at=db.now()))


def test_a_person_has_one_offer_at_a_time(full: Full) -> None:
    full.enter(0)
    full.free(2)
    full.free(4)
    assert full.offer() == 1
    assert full.offer() == 0


def test_two_freed_times_go_to_two_people(full: Full) -> None:
    full.enter_all()
    full.free(2)
    full.free(6)
    assert full.offer() == 2
    assert [each.patient_id for each in rows(WaitingOffer)] == [full.of(0), full.of(1)]


@pytest.fixture
def by_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the hour, nobody sleeps."""
    monkeypatch.setattr(clock, "WAKES", time(0))
    monkeypatch.setattr(clock, "SLEEPS", time(23, 59, 59))


@pytest.mark.usefixtures("by_day")
def test_all_of_it_happens_by_itself(full: Full, work_jobs: Callable[[], None]) -> None:
    full.enter_all()
    full.free(2)
    work_jobs()
    assert full.pending() is not None
    told = next(each for each in rows(Notification) if "/rendez-vous/plus-tot/" in each.body)
    assert told.recipient == full.people[0].account.email
    for secret in ("Cardiologie", "MERCIER", "09:30", "Consultation"):
        assert secret not in f"{told.subject} {told.body}"


@pytest.mark.usefixtures("by_day")
def test_a_new_session_is_offered_to_those_who_wait(full: Full, work_jobs: Callable[[], None]) -> None:
    full.enter(0)
    new = _another_session(full)
    work_jobs()
    offer = full.pending()
    assert offer is not None
    assert (offer.session_id, offer.patient_id) == (new.id, full.of(0))


@pytest.mark.usefixtures("by_day")
def test_what_an_absence_gives_back_is_offered_to_those_who_wait(full: Full, work_jobs: Callable[[], None]) -> None:
    new = _another_session(full)
    with prepared():
        sessions.reopen([(new.id, new.open, 0)])
    full.enter(0)
    work_jobs()
    assert full.pending() is None
    with prepared():
        sessions.reopen([(new.id, 0, new.open)])
    work_jobs()
    offer = full.pending()
    assert offer is not None
    assert (offer.session_id, offer.patient_id) == (new.id, full.of(0))


def _another_session(full: Full) -> ConsultationSession:
    with prepared():
        day = today() + timedelta(days=20)
        return appointments.consultation(full.hospital, [session.merge(full.reason)], day, time(9), time(10))


def test_opening_what_nobody_waits_for_asks_for_no_job(full: Full) -> None:
    with prepared():
        asked_before = session.scalar(text("select count(*) from procrastinate_jobs"))
        opening.tell_opened([full.opened.id, full.later.id])
        assert session.scalar(text("select count(*) from procrastinate_jobs")) == asked_before


def test_nobody_is_woken_up(full: Full, work_jobs: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "is_quiet", lambda _at, _tz: True)
    full.enter_all()
    full.free(2)
    with prepared():
        session.execute(text("delete from procrastinate_jobs where task_name <> 'appointments.offer_freed'"))
        monkeypatch.setattr(clock, "wakes_at", lambda at, _tz: at + timedelta(hours=9))
    work_jobs()
    assert full.pending() is None
    with prepared():
        waits = text("select count(*) from procrastinate_jobs where status = 'todo' and scheduled_at > now()")
        assert session.scalar(waits) == 1


# -- what suits --------------------------------------------------------------------------------------------------


def test_only_what_suits_is_offered(full: Full) -> None:
    day = today() + timedelta(days=10)
    for rank, wishes in enumerate(
        (Wishes(half="afternoon"), Wishes(weekdays=[(day.weekday() + 1) % 7]), Wishes([(date.min, day - timedelta(1))]))
    ):
        full.enter(rank, wishes=wishes)
    full.free(2)
    assert full.offer() == 0
    with db.transaction(full.people[0].actor):
        entry = session.scalars(select(WaitingEntry).where(WaitingEntry.patient_id == full.of(0))).one()
        actions.leave(entry)
    full.enter(0, practitioners=(uuid4(),))
    assert full.offer() == 0
    with db.transaction(full.people[1].actor):
        entry = session.scalars(select(WaitingEntry).where(WaitingEntry.patient_id == full.of(1))).one()
        actions.leave(entry)
    full.enter(1, practitioners=(full.hospital.practitioner.id,))
    assert full.offer() == 1


def test_a_visit_too_near_for_the_notice_needed_is_not_offered(full: Full) -> None:
    full.enter(0, notice_hours=24 * 20)
    full.free(2)
    assert full.offer() == 0


def test_a_time_where_the_patient_is_elsewhere_is_not_offered(full: Full) -> None:
    full.enter(0)
    with prepared():
        doctor = hospitals.practitioner(full.hospital.unit, "10000000025", "TRAN", "Minh")
        same = appointments.consultation(
            full.hospital, [session.get_one(Reason, full.reason.id)], today() + timedelta(days=10), practitioner=doctor
        )
        appointments.booked(full.people[0].patient, full.reason, same, 2)
    full.free(2)
    assert full.offer() == 0


def test_only_earlier_times_are_offered(full: Full) -> None:
    full.enter(0)
    with prepared():
        much_later = appointments.consultation(
            full.hospital, [session.get_one(Reason, full.reason.id)], today() + timedelta(days=60)
        )
        assert actions.offer_freed(much_later.id) == 0


def test_whoever_waits_without_a_visit_books_it(full: Full) -> None:
    with prepared():
        person = Person(*people.patient_with_account(birth_name="SANS"))
    with db.transaction(person.actor):
        actions.enter(person.patient.id, session.get_one(Reason, full.reason.id), asked())
    full.free(2)
    full.offer()
    with db.transaction(person.actor):
        made = actions.accept(session.scalars(select(WaitingOffer)).one())
    assert (made.patient_id, made.start_at) == (person.patient.id, full.opened.at(2))


def test_an_agent_may_put_somebody_first_and_says_why(full: Full) -> None:
    entries = full.enter_all()
    with db.transaction(full.agent):
        actions.put_first(session.get_one(WaitingEntry, entries[2].id), "practitioner_asked")
    full.free(2)
    full.offer()
    offer = full.pending()
    assert offer is not None
    assert offer.patient_id == full.of(2)
    assert "practitioner_asked" in {each.reason for each in rows(WaitingChange)}
    assert "waiting_entry.put_first" in audited()


def test_groups_give_their_seats_back_through_the_list(app: Flask) -> None:
    with prepared():
        where = hospitals.hospital()
        why = appointments.reason(where.unit, "École du dos", 60)
        group = appointments.consultation(where, [why], today() + timedelta(days=10), time(9), time(10), capacity=2)
        later = appointments.consultation(where, [why], today() + timedelta(days=30), time(9), time(10))
        first, _second = (
            appointments.booked(people.patient(birth_name=f"G{rank}"), why, group).id for rank in range(2)
        )
        person = Person(*people.patient_with_account())
        own = appointments.booked(person.patient, why, later).id
    with db.transaction(person.actor):
        actions.enter_for_visit(session.get_one(Appointment, own), asked())
    with prepared():
        assert actions.offer_freed(group.id) == 0
        engine.cancel_for_patient(session.get_one(Appointment, first), "patient_asked")
        assert actions.offer_freed(group.id) == 1
    with db.transaction(person.actor):
        actions.accept(session.scalars(select(WaitingOffer)).one())
    with prepared():
        assert session.get_one(Appointment, own).session_id == group.id


# -- entering and leaving ----------------------------------------------------------------------------------------


def test_one_waits_once_for_a_visit(full: Full) -> None:
    full.enter(0)
    with pytest.raises(AlreadyWaiting):
        full.enter(0)


def test_nothing_earlier_than_a_visit_that_is_near_or_cancelled(full: Full) -> None:
    with pytest.raises(NothingEarlier):
        full.enter(0, notice_hours=24 * 41 - 24 + 48)
    with prepared():
        engine.cancel_for_patient(session.get_one(Appointment, full.own[1]), "patient_asked")
    with pytest.raises(NothingEarlier):
        full.enter(1)


def test_patients_wait_only_for_what_they_may_book(full: Full) -> None:
    with prepared():
        session.get_one(Reason, full.reason.id).bookable_online = False
    with pytest.raises(NotBookable):
        full.enter(0)
    with db.transaction(full.agent):
        actions.enter_for_visit(session.get_one(Appointment, full.own[0]), asked())
    full.free(2)
    assert full.offer() == 1, "whom an agent put there is offered what agents see"


def test_the_list_is_no_way_round_the_rules_of_booking(full: Full) -> None:
    with prepared():
        reason = session.get_one(Reason, full.reason.id)
        reason.max_to_come = 1
        person = Person(*people.patient_with_account(birth_name="DEUX"))
    full.free(2)
    with db.transaction(person.actor):
        actions.enter(person.patient.id, session.get_one(Reason, full.reason.id), asked())
    full.offer()
    with prepared():
        appointments.booked(person.patient, session.get_one(Reason, full.reason.id), full.later, 8)
    with pytest.raises(TooManyAppointments), db.transaction(person.actor):
        actions.accept(session.scalars(select(WaitingOffer)).one())
    with pytest.raises(TooManyAppointments), db.transaction(full.people[0].actor):
        actions.enter(full.of(0), session.get_one(Reason, full.reason.id), asked())


def test_leaving_gives_back_what_was_kept(full: Full) -> None:
    entry = full.enter(0)
    full.free(2)
    full.offer()
    with db.transaction(full.people[0].actor):
        actions.leave(session.get_one(WaitingEntry, entry.id))
    assert count(Hold) == 0
    assert rows(WaitingOffer)[0].outcome == "withdrawn"
    with pytest.raises(EntryClosed), db.transaction(full.people[0].actor):
        actions.leave(session.get_one(WaitingEntry, entry.id))


def test_a_cancelled_visit_ends_the_waiting_and_frees_the_offer(full: Full) -> None:
    full.enter(0)
    full.free(2)
    full.offer()
    with prepared():
        engine.cancel_for_patient(session.get_one(Appointment, full.own[0]), "patient_asked")
    jobs._close_over()
    assert rows(WaitingEntry)[0].state == "ended"
    assert count(Hold) == 0


def test_an_offer_that_is_over_is_not_taken(full: Full) -> None:
    full.enter(0)
    full.free(2)
    full.offer()
    _let_time_pass()
    with pytest.raises(OfferGone):
        full.answer(0, actions.accept)
    assert full.visit(0).start_at == full.later.at(0)


def test_every_state_is_reached_and_closed_ones_are_final() -> None:
    assert set().union(*states.TRANSITIONS.values()) == set(states.STATES)
    assert all(not states.TRANSITIONS[state] for state in ("served", "left", "ended"))


# -- whatever the order ------------------------------------------------------------------------------------------


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_any_order_of_events_loses_no_time_and_gives_none_twice(app: Flask, tables: Tables, seed: int) -> None:
    """Frees, offers, yeses, noes, silences, departures: masks and claims agree, and each time went round in order."""
    tables.empty()
    chance = Random(seed)
    with prepared():
        full = fill()
    full.enter_all()
    for _ in range(10):
        _one_event(chance, full)
        assert_all_agree()
    _assert_in_order(full)


def _one_event(chance: Random, full: Full) -> None:
    pending = [each for each in rows(WaitingOffer) if not each.outcome]
    kind = chance.choice(("free", "offer", "offer", "yes", "no", "silence", "leave"))
    if kind == "free" and full.visits:
        full.free(chance.choice(sorted(full.visits)))
    elif kind == "offer":
        full.offer()
    elif kind in ("yes", "no") and pending:
        offer = chance.choice(pending)
        rank = next(rank for rank in range(3) if full.of(rank) == offer.patient_id)
        with suppress(OfferGone):  # its time was over
            full.answer(rank, actions.accept if kind == "yes" else actions.decline)
    elif kind == "silence":
        _let_time_pass()
        with prepared():
            engine.sweep()
    elif kind == "leave" and chance.random() < 0.3:
        entry = chance.choice(rows(WaitingEntry))
        if entry.is_waiting:
            with prepared():
                actions.leave(session.get_one(WaitingEntry, entry.id))


def _assert_in_order(full: Full) -> None:
    """Nobody is offered a time twice, two at once, nor before somebody who waited already and could be offered it."""
    offers = sorted(rows(WaitingOffer), key=lambda offer: offer.offered_at)
    assert len({(each.entry_id, each.start_at) for each in offers}) == len(offers)
    taken = [each.start_at for each in offers if each.outcome == "accepted"]
    assert len(set(taken)) == len(taken)
    entries = sorted(rows(WaitingEntry), key=lambda entry: entry.entered_at)
    for offer in offers:
        before = entries[: next(rank for rank, each in enumerate(entries) if each.id == offer.entry_id)]
        assert all(_had_their_turn(each, offer, offers) for each in before)


def _had_their_turn(entry: WaitingEntry, offer: WaitingOffer, offers: list[WaitingOffer]) -> bool:
    """They did not wait any more, had been offered that time, or had another one to answer."""
    at, own = offer.offered_at, [each for each in offers if each.entry_id == entry.id]
    return (
        (entry.closed_at is not None and entry.closed_at <= at)
        or any(each.start_at == offer.start_at and each.offered_at <= at for each in own)
        or any(each.offered_at <= at and (each.answered_at is None or each.answered_at >= at) for each in own)
    )


# -- everybody at once -------------------------------------------------------------------------------------------


def test_two_jobs_at_once_offer_one_time_to_one_person(app: Flask, full: Full) -> None:
    full.enter_all()
    full.free(2)
    done = together(app, full.offer, full.offer, full.offer)
    assert sorted(done) == [0, 0, 1], done  # type: ignore[type-var]  # each is a number
    assert_all_agree()


def test_two_yeses_at_once_move_one_visit_once(app: Flask, full: Full) -> None:
    full.enter(0)
    full.free(2)
    full.offer()
    offer_id = rows(WaitingOffer)[0].id

    def say_yes() -> UUID:
        with db.transaction(full.people[0].actor):
            return actions.accept(session.get_one(WaitingOffer, offer_id)).id

    done = together(app, say_yes, say_yes)
    assert sum(isinstance(each, UUID) for each in done) == 1, done
    assert sum(isinstance(each, EntryClosed | OfferGone) for each in done) == 1, done
    assert_all_agree()


def test_a_yes_while_the_sweeper_passes_ends_one_way_or_the_other(app: Flask, full: Full) -> None:
    full.enter(0)
    full.free(2)
    full.offer()
    offer_id = rows(WaitingOffer)[0].id
    with prepared():
        session.execute(update(Hold).values(expires_at=db.now()))

    def say_yes() -> UUID:
        with db.transaction(full.people[0].actor):
            return actions.accept(session.get_one(WaitingOffer, offer_id)).id

    def sweep() -> int:
        with prepared():
            return engine.sweep()

    done = together(app, say_yes, sweep)
    assert isinstance(done[0], UUID | HoldEnded), done
    assert (full.visit(0).start_at == full.opened.at(2)) == isinstance(done[0], UUID)
    with prepared():
        engine.sweep()
    assert_all_agree()


def test_a_worker_that_dies_while_offering_keeps_nothing(full: Full) -> None:
    full.enter_all()
    full.free(2)

    def offer_and_die() -> None:
        with prepared():
            actions.offer_freed(full.opened.id)
            raise SystemError

    with pytest.raises(SystemError):
        offer_and_die()
    assert (count(Hold), count(WaitingOffer)) == (0, 0)
    assert_all_agree()
    assert full.offer() == 1, "the job runs again"


# -- clocks ------------------------------------------------------------------------------------------------------

moments = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))
ZONES = [ZoneInfo(name) for name in ("Europe/Paris", "Indian/Reunion", "America/Martinique")]


@given(moments, st.integers(1, 60 * 24 * 30), st.integers(1, 72), st.sampled_from(ZONES))
def test_an_offer_leaves_time_to_answer_and_the_notice_needed(
    now: datetime, minutes: int, notice_hours: int, tz: ZoneInfo
) -> None:
    start_at, notice = now + timedelta(minutes=minutes), timedelta(hours=notice_hours)
    until = clock.answer_by(now, start_at, notice, tz)
    if until is not None:
        assert until - now >= clock.LEAST_TO_ANSWER
        assert start_at - until >= notice
        assert not clock.is_quiet(until - timedelta(seconds=1), tz)


@given(moments, st.sampled_from(ZONES))
def test_one_is_awake_when_awoken(now: datetime, tz: ZoneInfo) -> None:
    morning = clock.wakes_at(now, tz)
    assert not clock.is_quiet(morning, tz)
    assert timedelta(0) <= morning - now <= timedelta(hours=13)


# -- figures -----------------------------------------------------------------------------------------------------


def test_freed_times_are_counted_once_with_who_took_them(full: Full) -> None:
    with prepared():
        past = appointments.consultation(full.hospital, [full.reason], today() - timedelta(days=1))
        lost = appointments.past(people.patient(birth_name="A"), full.reason, past, 0, state="cancelled")
        given_ = appointments.past(people.patient(birth_name="B"), full.reason, past, 2, state="cancelled")
        appointments.past(people.patient(birth_name="C"), full.reason, past, 2)
        for each in (lost, given_):
            session.execute(
                text(
                    "insert into appointment_change (id, appointment_id, patient_id, establishment_id, from_state,"
                    " to_state, by, by_name, at, reason) values (gen_random_uuid(), :id, :patient, :place, 'booked',"
                    " 'cancelled', 'system:tests', '', :at, '')"
                ),
                {"id": each.id, "patient": each.patient_id, "place": each.establishment_id,
                 "at": each.start_at - timedelta(hours=3)},
            )  # fmt: skip
    with prepared():
        assert (actions.count_freed(), actions.count_freed()) == (2, 0)
    assert {each.appointment_id: each.was_taken for each in rows(FreedSlot)} == {lost.id: False, given_.id: True}


# -- who sees what -----------------------------------------------------------------------------------------------


def test_strangers_see_and_change_nothing(full: Full) -> None:
    full.enter(0)
    full.free(2)
    full.offer()
    here = full.hospital.establishment.id
    with prepared():
        elsewhere = hospitals.hospital("990000025", "Autre hôpital").establishment.id
        strangers = (
            ANONYMOUS,
            full.people[1].actor,
            people.as_agent(people.agent(elsewhere, "appointments"), elsewhere, "appointments"),
            people.as_agent(people.agent(here, "billing"), here, "billing", "documents"),
            people.as_professional(people.professional()),
        )
    for who in strangers:
        with db.transaction(who):
            seen = [
                session.scalar(select(func.count()).select_from(table))
                for table in (WaitingEntry, WaitingOffer, WaitingChange, FreedSlot)
            ]
            assert seen == [0, 0, 0, 0], who
            assert session.execute(update(WaitingEntry).values(rank=1)).rowcount == 0  # type: ignore[attr-defined]  # what an update gives has it


def test_changes_are_never_altered(full: Full) -> None:
    full.enter(0)
    with pytest.raises(ProgrammingError, match="permission denied"), db.transaction(db.system("tests")):
        session.execute(update(WaitingChange).values(reason="x"))


# -- pages -------------------------------------------------------------------------------------------------------

NEW = "/rendez-vous/plus-tot/nouvelle"


def test_a_patient_asks_is_offered_and_takes_it(app: Flask, full: Full, sign_in: Callable[[Any], FlaskClient]) -> None:
    browser = sign_in(full.people[0].account)
    assert browser.get(f"{NEW}?appointment={full.own[0]}").status_code == 200
    sent = {"once": str(uuid4()), "appointment": str(full.own[0]), "half": "", "notice": "24"}
    answer = browser.post(NEW, data=sent)
    assert answer.status_code == 303
    here = answer.headers["Location"]
    assert browser.get(here).status_code == 200
    full.free(2)
    full.offer()
    offer = full.pending()
    assert offer is not None
    with executed(app) as statements:
        assert "kept for you" in browser.get(here).text
    assert len(statements) <= 14, statements
    assert browser.get("/rendez-vous/plus-tot").status_code == 200
    for _ in range(2):  # the second click leads to the same visit
        taken = browser.post(f"{here}/offres/{offer.id}/accepter")
        assert taken.headers["Location"] == f"/rendez-vous/{full.own[0]}/confirme"
    assert full.visit(0).start_at == full.opened.at(2)


def test_what_is_no_longer_earlier_is_not_offered(full: Full, sign_in: Callable[[Any], FlaskClient]) -> None:
    entry = full.enter(0)
    full.free(2)
    full.offer()
    offer = full.pending()
    assert offer is not None
    with db.transaction(db.system("tests")):
        visit = session.get_one(Appointment, full.own[0])
        visit.start_at, visit.end_at = (each - timedelta(days=1) for each in (offer.start_at, offer.end_at))
    before = full.visit(0).start_at
    browser = sign_in(full.people[0].account)
    here = f"/rendez-vous/plus-tot/{entry.id}"
    assert "/accepter" not in browser.get(here).text
    browser.post(f"{here}/offres/{offer.id}/accepter")
    assert full.visit(0).start_at == before, "their visit is sooner already"


def test_another_patient_finds_nothing(full: Full, sign_in: Callable[[Any], FlaskClient]) -> None:
    entry = full.enter(0)
    full.free(2)
    full.offer()
    offer = full.pending()
    assert offer is not None
    stranger = sign_in(full.people[1].account)
    here = f"/rendez-vous/plus-tot/{entry.id}"
    assert stranger.get(here).status_code == 404
    assert stranger.get(f"{NEW}?appointment={full.own[0]}").status_code == 404
    for act in ("quitter", f"offres/{offer.id}/accepter", f"offres/{offer.id}/refuser"):
        assert stranger.post(f"{here}/{act}").status_code == 404
    assert full.pending() is not None


def test_what_is_over_is_said_in_words(full: Full, sign_in: Callable[[Any], FlaskClient]) -> None:
    entry = full.enter(0)
    full.free(2)
    full.offer()
    offer = full.pending()
    assert offer is not None
    _let_time_pass()
    browser = sign_in(full.people[0].account)
    answer = browser.post(f"/rendez-vous/plus-tot/{entry.id}/offres/{offer.id}/accepter")
    assert (answer.status_code, "not kept for you any more" in answer.text) == (409, True)
    assert browser.get(f"{NEW}?appointment=x&reason=' or 1=1").status_code == 404
    bad = {"once": str(uuid4()), "appointment": str(full.own[1]), "half": "", "notice": "24"}
    assert browser.post(NEW, data=bad).status_code == 404
    wrong = {"once": str(uuid4()), "appointment": str(full.own[0]), "half": "night", "notice": "999"}
    assert browser.post(NEW, data=wrong).status_code == 422


def test_the_desk_sees_adds_puts_first_and_takes_off(
    app: Flask, full: Full, sign_in: Callable[[Any], FlaskClient]
) -> None:
    desk, tray = sign_in(full.agent_account), "/admin/liste-d-attente"
    entry = full.enter(0)
    full.free(2)
    full.offer()
    with executed(app) as statements:
        page = desk.get(tray)
    assert full.people[0].patient.full_name in page.text
    assert len(statements) <= 12, statements
    assert desk.get(f"{tray}/{entry.id}").status_code == 200
    assert desk.post(f"{tray}/{entry.id}/passer-en-premier", data={}).status_code == 422
    assert desk.post(f"{tray}/{entry.id}/passer-en-premier", data={"why": "long_wait"}).status_code == 303
    with prepared():
        person = people.patient(birth_name="APPELLE")
        people.known_at(person, full.hospital.establishment.id, "800123")
    assert desk.post(f"{tray}/ajouter", data={"reason": str(full.reason.id), "ipp": "0"}).status_code == 422
    found = desk.post(f"{tray}/ajouter", data={"reason": str(full.reason.id), "ipp": "800123"})
    form = found.headers["Location"]
    assert desk.get(form).status_code == 200
    sent = {"once": str(uuid4()), "reason": str(full.reason.id), "half": "", "notice": "24"}
    added = desk.post(form, data=sent)
    assert added.status_code == 303
    assert desk.post(f"{added.headers['Location']}/retirer").status_code == 303
    assert sorted(each.state for each in rows(WaitingEntry)) == ["left", "waiting"]


def test_an_agent_says_yes_for_whoever_is_on_the_phone(full: Full, sign_in: Callable[[Any], FlaskClient]) -> None:
    entry = full.enter(0)
    full.free(2)
    full.offer()
    offer = full.pending()
    assert offer is not None
    desk = sign_in(full.agent_account)
    answer = desk.post(f"/admin/liste-d-attente/{entry.id}/offres/{offer.id}/accepter")
    assert answer.status_code == 303
    assert full.visit(0).start_at == full.opened.at(2)
    with prepared():
        moved = session.scalars(text("select channel from kpi_event where event = 'appointment_moved'"))
        assert moved.all() == ["phone"]
    assert "has this time now, and is told by mail" in desk.get(answer.headers["Location"]).text
    again = desk.post(f"/admin/liste-d-attente/{entry.id}/offres/{offer.id}/accepter")
    assert again.status_code == 409


def test_nobody_is_said_to_be_told_without_an_address(full: Full, sign_in: Callable[[Any], FlaskClient]) -> None:
    with prepared():
        unknown = people.patient(birth_name="SANSADRESSE", email="")
        people.known_at(unknown, full.hospital.establishment.id, "800124")
    with db.transaction(full.agent):
        entry = actions.enter(unknown.id, session.merge(full.reason), asked())
    full.free(2)
    full.offer()
    offer = full.pending()
    assert offer is not None
    desk = sign_in(full.agent_account)
    answer = desk.post(f"/admin/liste-d-attente/{entry.id}/offres/{offer.id}/accepter")
    page = desk.get(answer.headers["Location"]).text
    assert "has this time now, and is told by mail" not in page
    assert "give the patient the reference" in page
