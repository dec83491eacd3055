"""What a unit may do with a request, in each state of it, and what both sides see of it."""

from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Thread
from typing import Final
from uuid import UUID

import pytest

from portal import db
from portal.db import ANONYMOUS, session
from portal.kpi import KpiEvent
from services.referrals import objecting, queries, states
from services.referrals.actions import answering, leaving, sending, thread
from services.referrals.actions.answering import AdviceMissing, Outcome, SameOffer
from services.referrals.actions.thread import EmptyMessage
from services.referrals.models import Referral, ReferralChange, ReferralOffer, ReferralTarget
from services.referrals.states import NotPossibleNow
from tests.factories import referrals
from tests.ground import audited, prepared, rows
from tests.services.referrals.conftest import Ground

Gesture = Callable[[ReferralTarget], object]
GESTURES: Final[dict[str, tuple[str, Gesture]]] = {
    "ask": ("asked", lambda target: answering.ask(target, "Et le traitement ?")),
    "accept": ("accepted", lambda target: answering.accept(target, Outcome("appointment", None, db.now()))),
    "opinion": ("completed", lambda target: answering.give_opinion(target, "Majorer le traitement.")),
    "refuse": ("refused", lambda target: answering.refuse(target, "not_ours", "Voyez la pneumologie.")),
    "complete": ("completed", answering.complete),
    "reopen": ("received", answering.reopen),
    "lapse": ("lapsed", leaving.lapse),
}


@pytest.fixture
def target_id(ground: Ground) -> UUID:
    with db.transaction(ground.as_doctor):
        return referrals.send(ground.doctor, ground.at_north).targets[0].id


def now_of(target_id: UUID) -> ReferralTarget:
    with db.transaction(db.system("tests")) as current:
        return current.get_one(ReferralTarget, target_id)


def put(target_id: UUID, state: str) -> None:
    with prepared():
        session.get_one(ReferralTarget, target_id).state = state


@pytest.mark.parametrize("gesture", sorted(GESTURES))
@pytest.mark.parametrize("state", sorted(set(states.TARGET) - {states.NEW}))
def test_a_gesture_does_what_it_says_or_nothing(ground: Ground, target_id: UUID, state: str, gesture: str) -> None:
    put(target_id, state)
    to, act = GESTURES[gesture]
    if to in states.TARGET[state] and (state, gesture) != ("asked", "reopen"):
        with prepared():
            act(session.get_one(ReferralTarget, target_id))
        assert now_of(target_id).state == to
    elif to not in states.TARGET[state]:
        with pytest.raises(NotPossibleNow), prepared():
            act(session.get_one(ReferralTarget, target_id))
        assert now_of(target_id).state == state


def test_more_is_asked_for_and_the_clock_stops_until_it_comes(ground: Ground, target_id: UUID) -> None:
    with db.transaction(ground.as_agent):
        answering.ask(session.get_one(ReferralTarget, target_id), "Avez-vous un ECG ?")
    assert (now_of(target_id).state, now_of(target_id).answer_by) == ("asked", None)
    with db.transaction(ground.as_doctor):
        thread.write(session.get_one(ReferralTarget, target_id), "Le voici.")
    again = now_of(target_id)
    assert again.state == "received"
    assert again.answer_by is not None
    assert again.answer_by - db.now() > timedelta(hours=47)


def test_both_sides_read_the_same_thread(ground: Ground, target_id: UUID) -> None:
    with db.transaction(ground.as_agent):
        answering.ask(session.get_one(ReferralTarget, target_id), "Avez-vous un ECG ?")
    with db.transaction(ground.as_doctor):
        thread.write(session.get_one(ReferralTarget, target_id), "Le voici.")
        mine = queries.target_sent_by(ground.doctor.id, target_id)
        assert mine is not None
        read_by_doctor = [(each.sender, each.text) for each in mine.messages]
    with db.transaction(ground.as_agent):
        theirs = queries.one_at([ground.here], target_id)
        assert theirs is not None
        assert [(each.sender, each.text) for each in theirs.messages] == read_by_doctor
    assert read_by_doctor == [("unit", "Avez-vous un ECG ?"), ("professional", "Le voici.")]


def test_an_acceptance_says_when_and_who(ground: Ground, target_id: UUID) -> None:
    at = db.now() + timedelta(days=9)
    with db.transaction(ground.as_agent):
        answering.accept(session.get_one(ReferralTarget, target_id), Outcome("appointment", None, at), "À jeun.")
    made = now_of(target_id)
    assert (made.state, made.outcome_kind, made.outcome_at) == ("accepted", "appointment", at)
    assert (made.decided_by_name, made.answer_by) == (ground.agent.name, None)
    with db.transaction(ground.as_agent):
        answering.reschedule(session.get_one(ReferralTarget, target_id), at + timedelta(days=1))
    assert now_of(target_id).outcome_at == at + timedelta(days=1)


def test_a_date_is_changed_only_where_one_was_given(ground: Ground, target_id: UUID) -> None:
    with pytest.raises(NotPossibleNow), db.transaction(ground.as_agent):
        answering.reschedule(session.get_one(ReferralTarget, target_id), db.now())


def test_a_refusal_says_what_to_do(ground: Ground, target_id: UUID) -> None:
    with pytest.raises(AdviceMissing), db.transaction(ground.as_agent):
        answering.refuse(session.get_one(ReferralTarget, target_id), "not_ours", "  ")
    with pytest.raises(ValueError, match="laziness"), db.transaction(ground.as_agent):
        answering.refuse(session.get_one(ReferralTarget, target_id), "laziness", "Non.")
    assert now_of(target_id).state == "received"


def test_an_empty_opinion_or_message_is_none(ground: Ground, target_id: UUID) -> None:
    with pytest.raises(AdviceMissing), db.transaction(ground.as_agent):
        answering.give_opinion(session.get_one(ReferralTarget, target_id), " ")
    with pytest.raises(EmptyMessage), db.transaction(ground.as_agent):
        thread.write(session.get_one(ReferralTarget, target_id), " ")


def test_another_unit_is_named_and_the_practitioner_decides(ground: Ground, target_id: UUID) -> None:
    with db.transaction(ground.as_agent):
        proposed = session.get_one(ReferralOffer, ground.at_south.id)
        answering.redirect(session.get_one(ReferralTarget, target_id), proposed, "Ils ont l’épreuve d’effort.")
    with db.transaction(ground.as_far_agent):
        assert queries.tray([ground.south.establishment.id], queries.Sieve()) == []
    with db.transaction(ground.as_doctor):
        reached = sending.follow_proposal(session.get_one(ReferralTarget, target_id))
        assert (reached.unit_id, reached.state) == (ground.south.unit.id, "received")
    with pytest.raises(sending.NobodyAsked), db.transaction(ground.as_doctor):
        sending.follow_proposal(session.get_one(ReferralTarget, target_id))


def test_a_unit_does_not_take_a_patients_objection_back(ground: Ground) -> None:
    """Neither where they objected, nor where the request was refused before."""
    with db.transaction(ground.as_doctor):
        made = referrals.send(ground.doctor, ground.at_north, ground.at_south)
        keys = [each.id for each in made.targets]
    with db.transaction(ground.as_agent):
        answering.refuse(session.get_one(ReferralTarget, keys[0]), "no_place", "Voyez le Sud.")
    with prepared():
        leaving.object_(session.get_one(Referral, made.id))
    for key, actor in zip(keys, (ground.as_agent, ground.as_far_agent), strict=True):
        with prepared():
            session.get_one(ReferralTarget, key).received_at = db.now()
        with pytest.raises(NotPossibleNow), db.transaction(actor):
            answering.reopen(session.get_one(ReferralTarget, key))
    assert [now_of(key).state for key in keys] == ["refused", "objected"]
    with prepared():
        leaving.take_objection_back(session.get_one(ReferralTarget, keys[1]))
    with db.transaction(ground.as_agent):
        answering.reopen(session.get_one(ReferralTarget, keys[0]))
    assert [now_of(key).state for key in keys] == ["received", "received"]


def test_a_patient_objects_while_the_practitioner_has_still_to_choose(ground: Ground, target_id: UUID) -> None:
    """Otherwise the unit that was named would be asked after all."""
    with db.transaction(ground.as_agent):
        proposed = session.get_one(ReferralOffer, ground.at_south.id)
        answering.redirect(session.get_one(ReferralTarget, target_id), proposed, "Ils ont l’épreuve d’effort.")
    with prepared():
        said = session.get_one(ReferralTarget, target_id).referral
        reference, birth_on = said.reference, said.birth_on
    with db.transaction(ANONYMOUS):
        assert objecting.object_by_reference(reference, birth_on)
    assert now_of(target_id).state == "objected"
    with pytest.raises(NotPossibleNow), db.transaction(ground.as_doctor):
        sending.follow_proposal(session.get_one(ReferralTarget, target_id))


def test_what_was_chosen_is_objected_to_where_it_is(ground: Ground, target_id: UUID) -> None:
    with db.transaction(ground.as_agent):
        proposed = session.get_one(ReferralOffer, ground.at_south.id)
        answering.redirect(session.get_one(ReferralTarget, target_id), proposed, "Ils ont l’épreuve d’effort.")
    with db.transaction(ground.as_doctor):
        reached = sending.follow_proposal(session.get_one(ReferralTarget, target_id)).id
    with prepared():
        leaving.object_(session.get_one(ReferralTarget, target_id).referral)
    assert (now_of(target_id).state, now_of(reached).state) == ("redirected", "objected")


def test_a_unit_does_not_name_itself(ground: Ground, target_id: UUID) -> None:
    with pytest.raises(SameOffer), db.transaction(ground.as_agent):
        answering.redirect(session.get_one(ReferralTarget, target_id), ground.at_north, "Ici.")


def test_what_fell_through_is_owed_an_answer_again(ground: Ground, target_id: UUID) -> None:
    with db.transaction(ground.as_agent):
        target = session.get_one(ReferralTarget, target_id)
        answering.accept(target, Outcome("appointment", None, db.now()))
        answering.reopen(target, "appointment_cancelled")
    again = now_of(target_id)
    assert (again.state, again.outcome_kind, again.outcome_at) == ("received", "", None)
    assert again.answer_by is not None


def test_two_agents_who_decide_at_once_do_not_both_win(ground: Ground, target_id: UUID) -> None:
    barrier, won, lost = Barrier(2), [], []

    def decide(gesture: Gesture) -> None:
        try:
            with db.transaction(ground.as_agent):
                target = session.get_one(ReferralTarget, target_id)
                barrier.wait()
                gesture(target)
            won.append(gesture)
        except NotPossibleNow:
            lost.append(gesture)

    both = [Thread(target=decide, args=[GESTURES[name][1]]) for name in ("opinion", "refuse")]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert (len(won), len(lost)) == (1, 1)


def test_each_change_leaves_a_row(ground: Ground, target_id: UUID) -> None:
    with db.transaction(ground.as_agent):
        answering.read(session.get_one(ReferralTarget, target_id))
        answering.ask(session.get_one(ReferralTarget, target_id), "Et l’ECG ?")
    assert [(each.from_state, each.to_state) for each in rows(ReferralChange)] == [
        ("waiting", "received"), ("received", "asked"),
    ]  # fmt: skip
    assert {"referral.opened", "referral.asked"} <= set(audited())


def test_the_delay_of_an_answer_is_counted_in_minutes(ground: Ground, target_id: UUID) -> None:
    with prepared():
        session.get_one(ReferralTarget, target_id).received_at = db.now() - timedelta(hours=3)
    with db.transaction(ground.as_agent):
        answering.refuse(session.get_one(ReferralTarget, target_id), "no_place", "Voyez le Sud.")
    event = next(each for each in rows(KpiEvent) if each.event == "referral_answered")
    assert (event.dimension, event.quantity) == ("refused", 180)


def test_the_patient_reads_only_what_is_for_them(ground: Ground, target_id: UUID) -> None:
    with db.transaction(ground.as_agent):
        target = session.get_one(ReferralTarget, target_id)
        thread.write(target, "Entre nous : rien d’inquiétant.")
        thread.write(target, "Venez à jeun.", for_patient=True)
        patient_id = target.patient_id
    assert patient_id is not None
    actor = db.Actor("patient", "Odile", None, patients=frozenset({patient_id}))
    with db.transaction(actor):
        mine = queries.one_of_patient(patient_id, target_id)
        assert mine is not None
        assert [each.text for each in mine.messages] == ["Venez à jeun."]


def test_a_practitioner_s_message_is_never_for_the_patient(ground: Ground, target_id: UUID) -> None:
    with db.transaction(ground.as_doctor):
        written = thread.write(session.get_one(ReferralTarget, target_id), "Merci.", for_patient=True)
        assert not written.for_patient


def test_nobody_writes_in_what_was_taken_back(ground: Ground, target_id: UUID) -> None:
    put(target_id, "withdrawn")
    with pytest.raises(NotPossibleNow), db.transaction(ground.as_agent):
        thread.write(session.get_one(ReferralTarget, target_id), "Trop tard ?")
