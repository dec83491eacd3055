"""A request goes to the first unit of the list, and to the next one when that one cannot."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from auth.enrolment import belongings
from auth.enrolment.belongings import Move
from auth.models import Patient
from portal import db
from portal.audit import AuditEvent
from portal.db import session
from services.referrals import queries
from services.referrals.actions import answering, leaving, sending
from services.referrals.actions.sending import ByPhoneOnly, FileMissing, NobodyAsked, NotForThatAge, OfferClosed
from services.referrals.models import Referral, ReferralOffer, ReferralTarget
from services.referrals.states import NotPossibleNow
from services.sent_patients.models import SentPatient
from tests.factories import people, referrals
from tests.ground import count, prepared, rows
from tests.services.referrals.conftest import Ground

WorkJobs = Callable[[], object]


def send(ground: Ground, *wanted: ReferralOffer, **facts: Any) -> UUID:
    with db.transaction(ground.as_doctor):
        return referrals.send(ground.doctor, *(wanted or (ground.at_north, ground.at_south)), **facts).id


def targets(referral_id: UUID) -> list[ReferralTarget]:
    with db.transaction(db.system("tests")) as current:
        query = select(ReferralTarget).where(ReferralTarget.referral_id == referral_id)
        return list(current.scalars(query.order_by(ReferralTarget.position)))


def states_of(referral_id: UUID) -> list[str]:
    return [each.state for each in targets(referral_id)]


def test_the_first_unit_is_asked_and_the_second_waits(ground: Ground) -> None:
    made = send(ground)
    assert states_of(made) == ["received", "waiting"]
    first, second = targets(made)
    assert first.answer_by is not None
    assert (second.patient_id, second.answer_by, second.received_at) == (None, None, None)


def test_a_hospital_that_was_not_asked_learns_nothing(ground: Ground) -> None:
    send(ground)
    with db.transaction(ground.as_far_agent):
        assert queries.tray([ground.south.establishment.id], queries.Sieve()) == []
        assert session.scalars(select(Referral)).all() == []
        assert session.scalars(select(ReferralTarget)).all() == []
    assert {each.establishment_id for each in rows(SentPatient)} == {ground.here}


def test_typed_traits_find_nobody(ground: Ground) -> None:
    with prepared():
        known = people.patient("FERRAND", first_names=["Odile"], birth_on=date(1951, 2, 3), sex="F")
        people.known_at(known, ground.here, "800001")
    made = send(ground)
    assert targets(made)[0].patient_id != known.id
    assert count(Patient) == 2


def test_the_same_person_is_described_once_to_a_hospital(ground: Ground) -> None:
    first, again = send(ground, ground.at_north), send(ground, ground.at_north)
    assert targets(first)[0].patient_id == targets(again)[0].patient_id
    assert count(SentPatient) == 1


def test_a_refusal_asks_the_next_unit(ground: Ground, work_jobs: WorkJobs) -> None:
    made = send(ground)
    with db.transaction(ground.as_agent):
        answering.refuse(session.get_one(ReferralTarget, targets(made)[0].id), "no_place", "Voyez le Sud.")
    work_jobs()
    assert states_of(made) == ["refused", "received"]
    with db.transaction(ground.as_far_agent):
        (seen,) = queries.tray([ground.south.establishment.id], queries.Sieve())
        assert seen.referral.patient_name == "Odile FERRAND"
        assert [each.unit_id for each in seen.referral.targets] == [ground.south.unit.id]


def test_silence_asks_the_next_unit(ground: Ground, work_jobs: WorkJobs) -> None:
    made = send(ground)
    with prepared():
        leaving.lapse(session.get_one(ReferralTarget, targets(made)[0].id))
    work_jobs()
    assert states_of(made) == ["lapsed", "received"]


def test_the_next_unit_is_not_asked_twice_nor_too_early(ground: Ground, work_jobs: WorkJobs) -> None:
    made = send(ground)
    with db.transaction(ground.as_agent):
        target = session.get_one(ReferralTarget, targets(made)[0].id)
        answering.refuse(target, "no_place", "Voyez le Sud.")
        answering.reopen(target)
    work_jobs()
    assert states_of(made) == ["received", "waiting"]


def test_what_cannot_wait_is_never_left_to_a_form(ground: Ground) -> None:
    with pytest.raises(ByPhoneOnly) as refused, db.transaction(ground.as_doctor):
        referrals.send(ground.doctor, ground.at_north, urgency="now")
    assert refused.value.number == "01 99 00 10 00"
    assert count(Referral) == 0


def test_an_offer_that_closed_meanwhile_is_named(ground: Ground) -> None:
    with prepared():
        session.execute(update(ReferralOffer).where(ReferralOffer.id == ground.at_south.id).values(is_open=False))
    with pytest.raises(OfferClosed) as refused:
        send(ground)
    assert refused.value.offer_id == ground.at_south.id
    assert count(Referral) == 0


def test_ages_are_kept(ground: Ground) -> None:
    with prepared():
        session.execute(update(ReferralOffer).where(ReferralOffer.id == ground.at_north.id).values(age_to=17))
    with pytest.raises(NotForThatAge):
        send(ground)


def test_a_required_file_is_asked_for(ground: Ground) -> None:
    with prepared():
        asked = ({"code": "ecg", "label": "Électrocardiogramme", "required": True},)
        strict = referrals.offer(ground.north.unit, name="Avec ECG", files=asked)
    with pytest.raises(FileMissing) as refused:
        send(ground, strict)
    assert refused.value.code == "ecg"


@pytest.mark.parametrize("units", [0, 2, 6])
def test_a_list_is_of_one_to_five_units_each_once(ground: Ground, units: int) -> None:
    asked = [sending.Wanted(ground.at_north.id)] * units
    wanted = replace(referrals.request(ground.at_north), wanted=asked)
    with pytest.raises(NobodyAsked), db.transaction(ground.as_doctor):
        sending.send(wanted, professional=ground.doctor)


def test_units_of_another_kind_are_not_asked(ground: Ground) -> None:
    with prepared():
        opinion = referrals.offer(ground.north.unit, "opinion", "Avis")
    with pytest.raises(OfferClosed):
        send(ground, ground.at_north, opinion)


def test_the_other_units_have_the_time_of_their_own_grid(ground: Ground) -> None:
    own = [{"code": "soon", "label": "Bientôt", "when": "", "answer_hours": 72}]
    with prepared():
        other = referrals.offer(ground.south.unit, name="Autre grille", urgencies=tuple(own))
    assert [each.answer_hours for each in targets(send(ground, ground.at_north, other))] == [48, 72]


def test_whom_the_hospital_finds_has_the_referral(ground: Ground) -> None:
    made = send(ground)
    with prepared():
        known = people.patient("FERRAND", first_names=["Odile"], birth_on=date(1951, 2, 3))
        was = targets(made)[0].patient_id
        there = Move(ground.here, was or uuid4(), known.id, "")
        room = next(each for each in belongings.rooms() if each.room == "referrals")
        moved = room.adopt(there)
    assert targets(made)[0].patient_id == known.id
    with prepared():
        room.release(Move(ground.here, known.id, was or uuid4(), ""), moved)
    assert targets(made)[0].patient_id == was


def test_the_practitioner_takes_it_back_everywhere(ground: Ground) -> None:
    made = send(ground)
    with db.transaction(ground.as_doctor):
        leaving.withdraw(session.get_one(Referral, made), "seen_elsewhere")
    assert states_of(made) == ["withdrawn", "withdrawn"]
    with pytest.raises(NotPossibleNow), db.transaction(ground.as_doctor):
        leaving.withdraw(session.get_one(Referral, made), "seen_elsewhere")


def test_the_patient_s_objection_stops_every_unit_and_may_be_taken_back(ground: Ground) -> None:
    made = send(ground)
    with prepared():
        leaving.object_(session.get_one(Referral, made))
    assert states_of(made) == ["objected", "objected"]
    with prepared():
        leaving.take_objection_back(session.get_one(ReferralTarget, targets(made)[0].id))
    assert states_of(made) == ["received", "objected"]


def test_a_request_of_a_software_waits_for_its_practitioner(ground: Ground) -> None:
    with prepared():
        made = sending.send(referrals.request(ground.at_north), rpps="10000000041", author="Dr Sans Compte").id
        newcomer = people.professional("10000000041", "COMPTE", "Nina")
    with db.transaction(people.as_professional(newcomer)):
        assert queries.sent_by(newcomer.id) == []
    with prepared():
        assert leaving.claim(newcomer) == 1
    with db.transaction(people.as_professional(newcomer)):
        assert [each.id for each in queries.sent_by(newcomer.id)] == [made]


def test_sending_is_written_down_for_whom_it_is_about(ground: Ground) -> None:
    made = send(ground)
    line = next(each for each in rows(AuditEvent) if each.action == "referral.sent")
    assert (line.patient_id, line.establishment_id) == (targets(made)[0].patient_id, ground.here)
