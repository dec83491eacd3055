"""What is kept of referrals, for how long, what a person's copy holds, and what a death leaves open."""

from datetime import timedelta

from portal import db, kpi
from portal.kpi import KpiEvent
from services.referrals import affairs, export, figures, queries, retention
from services.referrals.actions import answering, forgetting, leaving, thread
from services.referrals.models import Referral, ReferralMessage, ReferralTarget
from tests.factories import referrals
from tests.ground import count, prepared, rows
from tests.services.referrals.conftest import Ground


def _sent(ground: Ground) -> ReferralTarget:
    with prepared():
        referrals.send(ground.doctor, ground.at_north, ground.at_south)
    return next(each for each in rows(ReferralTarget) if each.position == 0)


def _as_agent(ground: Ground, target: ReferralTarget, *gestures: object) -> None:
    with db.transaction(ground.as_agent) as current:
        found = current.get_one(ReferralTarget, target.id)
        for gesture in gestures:
            gesture(found)  # type: ignore[operator]  # gestures of the room, handed in


def test_what_is_over_is_erased_and_that_it_was_asked_is_kept(ground: Ground) -> None:
    target = _sent(ground)
    _as_agent(
        ground, target, lambda one: thread.write(one, "Bonjour"), lambda one: answering.refuse(one, "age", "Ailleurs")
    )
    with prepared():
        second = next(each for each in db.session.query(ReferralTarget) if each.position == 1)
        db.session.get_one(ReferralTarget, second.id).state = "withdrawn"
    later = db.now() + timedelta(days=1)
    with prepared():
        (due,) = retention._due(ground.here, later, 10)
        assert due.id == target.id
        assert not forgetting.forget_one(target.id, db.now() - timedelta(days=1)), "not old enough"
        assert forgetting.forget_one(target.id, later)
        assert not forgetting.forget_one(target.id, later), "already erased"
    (kept,) = rows(Referral)
    assert (kept.birth_name, kept.first_name, kept.question, kept.mobile) == ("", "", "", "")
    assert (kept.birth_on.month, kept.birth_on.day) == (1, 1)
    assert count(ReferralMessage) == 0
    assert kept.reference


def test_words_stay_while_another_unit_has_them(ground: Ground) -> None:
    target = _sent(ground)
    _as_agent(ground, target, lambda one: answering.refuse(one, "no_place", "Ailleurs"))
    with prepared():
        assert forgetting.forget_one(target.id, db.now() + timedelta(days=1))
    assert rows(Referral)[0].birth_name == "FERRAND"


def test_what_is_open_is_never_due(ground: Ground) -> None:
    _sent(ground)
    with prepared():
        assert retention._due(ground.here, db.now() + timedelta(days=9999), 10) == []
        assert retention._due(None, db.now() + timedelta(days=9999), 10) == []


def test_a_persons_copy_holds_the_request_and_what_was_written_to_them(ground: Ground) -> None:
    target = _sent(ground)
    _as_agent(
        ground,
        target,
        lambda one: thread.write(one, "Venez à jeun.", for_patient=True),
        lambda one: thread.write(one, "Entre nous."),
    )
    with prepared():
        assert target.patient_id is not None
        (entry,) = export.part(target.patient_id).entries
    told = {fact.code: fact.value for fact in entry.facts}
    assert told["messages"] == ["Venez à jeun."]
    assert "Dyspnée" in str(told["question"])


def test_a_death_leaves_open_what_no_unit_has_ended(ground: Ground) -> None:
    target = _sent(ground)
    assert target.patient_id is not None
    with prepared():
        (affair,) = affairs._open(target.patient_id, [ground.here])
        assert affair.reference == rows(Referral)[0].reference
        leaving.withdraw(db.session.get_one(Referral, target.referral_id), "not_needed")
        assert affairs._open(target.patient_id, [ground.here]) == []


def test_the_digest_counts_what_a_unit_owes_and_what_is_late(ground: Ground) -> None:
    target = _sent(ground)
    with prepared():
        assert target.answer_by is not None
        (now_row,) = db.session.execute(queries.waiting_rows(db.now())).all()
        (late_row,) = db.session.execute(queries.waiting_rows(target.answer_by + timedelta(hours=1))).all()
    assert (now_row.establishment_id, now_row.unit_id, now_row.is_late) == (ground.here, ground.north.unit.id, False)
    assert late_row.is_late
    _as_agent(ground, target, lambda one: answering.ask(one, "Un ECG ?"))
    with prepared():
        assert db.session.execute(queries.waiting_rows(db.now())).all() == []


def test_an_answer_is_counted_with_its_delay_in_hours(ground: Ground) -> None:
    target = _sent(ground)
    with prepared():
        db.session.get_one(ReferralTarget, target.id).received_at = db.now() - timedelta(hours=5, minutes=10)
    _as_agent(ground, target, lambda one: answering.refuse(one, "age", "Ailleurs"))
    events = {each.event: each for each in rows(KpiEvent)}
    assert events[figures.DELAY].dimension == "5"
    assert events[figures.ANSWERED].dimension == "refused"
    assert {"C1", "C1a", "C1d"} <= {each.code for each in kpi.definitions()}


def test_the_median_is_the_lower_one() -> None:
    assert figures.median([]) == 0
    assert figures.median([(1, 1), (9, 1)]) == 1
    assert figures.median([(1, 1), (4, 1), (9, 1)]) == 4
    assert figures.median([(2, 10), (50, 9)]) == 2
