"""What the hospital's system says of stays: done once, in any order, and never for somebody else."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from auth.models import PatientRecord
from portal import db
from portal.db import session
from portal.gateways.his.hl7v2 import Acknowledgement
from portal.gateways.his.twin import HisTwin
from services.exchanges import subjects
from services.exchanges.models import HisMessage
from services.preadmission import actions
from services.preadmission.invitations.models import StayInvitation
from services.preadmission.models import Preadmission, PreadmissionChange
from tests.factories import exchanges, hospital_messages, people, preadmission
from tests.factories.hospital_messages import adt, hear, said_of
from tests.ground import prepared, rows, today
from tests.services.preadmission.conftest import Ground


def here(ground: Ground) -> UUID:
    return ground.hospital.establishment.id


def made(ground: Ground, state: str = "transmitted", **facts: Any) -> Preadmission:
    with prepared():
        file = preadmission.preadmission(
            ground.patient, ground.hospital.unit, state, account_id=ground.account.id, **facts
        )
        session.refresh(file, ["patient"])
        return file


def said(ground: Ground, file: Preadmission, trigger: str, **facts: Any) -> Acknowledgement:
    return hear(here(ground), said_of(file, trigger, uuid4().hex[:16], **facts))


def now(file: Preadmission) -> Preadmission:
    with prepared():
        return session.scalars(select(Preadmission).where(Preadmission.id == file.id)).one()


def ipp_of(ground: Ground) -> str | None:
    with prepared():
        return session.scalar(
            select(PatientRecord.ipp).where(
                PatientRecord.patient_id == ground.patient.id, PatientRecord.establishment_id == here(ground)
            )
        )


# -- admitted, discharged, cancelled ---------------------------------------------------------------------------------


def test_an_admission_brings_the_hospitals_numbers(ground: Ground) -> None:
    file = made(ground)
    assert said(ground, file, "A01", ipp="8000000001", visit="240001").code == "AA"
    assert (now(file).state, now(file).ipp, now(file).visit_number) == ("integrated", "8000000001", "240001")
    assert ipp_of(ground) == "8000000001"


def test_a_preadmission_recorded_there_brings_them_too_and_may_change_them(ground: Ground) -> None:
    file = made(ground)
    said(ground, file, "A05", visit="P1", ipp="8000000001")
    said(ground, file, "A01", visit="240001", ipp="8000000001")
    assert (now(file).state, now(file).visit_number) == ("integrated", "240001")


def test_a_discharge_closes_the_file_even_when_its_admission_was_lost(ground: Ground) -> None:
    file = made(ground)
    assert said(ground, file, "A03", visit="240001", ipp="8000000001").code == "AA"
    assert (now(file).state, now(file).visit_number) == ("closed", "240001")
    late = said(ground, file, "A01", visit="240001", ipp="8000000001", said_at=db.now() - timedelta(hours=1))
    assert (late.code, now(file).state) == ("AA", "closed")


def test_a_stay_cancelled_there_is_cancelled_here_and_not_told_back(
    ground: Ground, work_jobs: Callable[[], None]
) -> None:
    with HisTwin() as his:
        with prepared():
            hospital_messages.follow(here(ground), his.url)
            file = preadmission.preadmission(
                ground.patient, ground.hospital.unit, "in_review", account_id=ground.account.id
            )
            preadmission.settle(file)
        with prepared():
            actions.validate(session.get_one(Preadmission, file.id))
        exchanges.tick()
        assert said(ground, now_with_patient(file), "A38").code == "AA"
        assert now(file).state == "cancelled_by_hospital"
        exchanges.tick()
        assert [each.trigger for each in his.agenda.received] == ["A05"]


def now_with_patient(file: Preadmission) -> Preadmission:
    with prepared():
        found = session.get_one(Preadmission, file.id)
        session.refresh(found, ["patient"])
        return found


def test_a_preadmission_taken_back_by_its_movement_is_cancelled(ground: Ground) -> None:
    file = made(ground)
    said(ground, file, "A05", movement="CANCEL")
    assert now(file).state == "cancelled_by_hospital"


def test_by_the_stays_number_too_once_it_is_known(ground: Ground) -> None:
    file = made(ground)
    said(ground, file, "A01", visit="240001", ipp="8000000001")
    assert said(ground, file, "A03", reference="", visit="240001", ipp="8000000001").code == "AA"
    assert now(file).state == "closed"


# -- twice, late, in disorder ----------------------------------------------------------------------------------------


def test_the_same_message_is_done_once_and_gets_the_same_answer(ground: Ground) -> None:
    file = made(ground)
    message = said_of(file, "A01", "M1", visit="240001", ipp="8000000001")
    assert (hear(here(ground), message).code, hear(here(ground), message).code) == ("AA", "AA")
    with prepared():
        moves = select(func.count()).select_from(PreadmissionChange).where(PreadmissionChange.to_state == "integrated")
        assert session.scalar(moves) == 1
        assert session.scalar(select(HisMessage.times)) == 2


def test_an_older_word_never_replaces_a_newer_one(ground: Ground) -> None:
    file, said_at = made(ground), db.now()
    said(ground, file, "A05", visit="240002", ipp="8000000001", said_at=said_at)
    late = said(ground, file, "A05", visit="240001", ipp="8000000001", said_at=said_at - timedelta(hours=1))
    assert (late.code, now(file).visit_number) == ("AA", "240002")


def test_a_word_from_tomorrow_is_not_taken(ground: Ground) -> None:
    answer = said(ground, made(ground), "A01", visit="1", said_at=db.now() + timedelta(days=2))
    assert (answer.code, answer.error) == ("AR", "102")


@pytest.mark.parametrize("state", ["submitted", "in_review", "completed", "to_complete", "validated"])
def test_who_was_admitted_before_the_office_had_finished_keeps_a_file(ground: Ground, state: str) -> None:
    file = made(ground, state)
    assert said(ground, file, "A01", visit="240001", ipp="8000000001").code == "AA"
    assert now(file).visit_number == "240001"
    assert now(file).state == ("integrated" if state == "validated" else state)


@pytest.mark.parametrize("state", ["refused", "cancelled_by_patient", "lapsed", "closed", "purged"])
@pytest.mark.parametrize("trigger", ["A01", "A03", "A05", "A38"])
def test_what_is_over_stays_over(ground: Ground, state: str, trigger: str) -> None:
    file = made(ground, state)
    assert said(ground, file, trigger, visit="240001", ipp="8000000001").code == "AA"
    assert now(file).state == state


# -- nobody is guessed -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "error"),
    [
        ({"birth_on": date(1980, 1, 1)}, "204"),
        ({"birth_on": None}, "101"),
        ({"visit": ""}, "101"),
    ],
)
def test_a_message_about_somebody_else_changes_nothing_and_waits_for_an_agent(
    ground: Ground, facts: dict[str, Any], error: str
) -> None:
    file = made(ground)
    answer = said(ground, file, "A01", **({"visit": "240001", "ipp": "8000000001"} | facts))
    assert (answer.code, answer.error) == ("AE", error)
    assert answer.told
    assert (now(file).state, now(file).visit_number, ipp_of(ground)) == ("transmitted", "", None)
    (kept,) = rows(HisMessage)
    assert (kept.answer, kept.subject_kind, kept.settled_at) == ("AE", "preadmission", None)


def test_the_number_of_another_patient_is_not_taken(ground: Ground) -> None:
    file = made(ground)
    with prepared():
        people.known_at(ground.other_patient, here(ground), "8000000009")
    answer = said(ground, file, "A01", visit="240001", ipp="8000000009")
    assert (answer.code, answer.error, now(file).ipp) == ("AE", "205", "")


def test_a_second_number_for_one_patient_is_not_taken_without_a_merge(ground: Ground) -> None:
    file = made(ground)
    said(ground, file, "A01", visit="240001", ipp="8000000001")
    assert said(ground, file, "A05", visit="240002", ipp="8000000002").code == "AE"
    assert now(file).ipp == "8000000001"


def test_a_stay_of_another_patient_is_not_taken_by_its_number(ground: Ground) -> None:
    mine = made(ground)
    with prepared():
        theirs = preadmission.preadmission(ground.other_patient, ground.hospital.unit, "transmitted")
        session.refresh(theirs, ["patient"])
    said(ground, theirs, "A01", visit="240001", ipp="8000000009")
    answer = said(ground, mine, "A05", visit="240001", planned_on=mine.planned_on + timedelta(days=3))
    assert (answer.code, answer.error) == ("AE", "205")
    assert (now(mine).visit_number, now(mine).planned_on) == ("", mine.planned_on)


@pytest.mark.parametrize(("born", "error"), [(date(1980, 1, 1), "204"), (None, "101")])
def test_an_invitation_is_neither_cancelled_nor_given_to_somebody_else(
    ground: Ground, born: date | None, error: str
) -> None:
    plans(ground)
    assert hear(here(ground), adt("A38", "9", visit="240001", birth_on=born)).error == error
    assert plans(ground, birth_on=born, email="autre@exemple.test").error == error
    (kept,) = rows(StayInvitation)
    assert (kept.state, kept.birth_on, kept.email) == ("waiting", ground.patient.birth_on, "")


def test_an_unknown_number_of_ours_is_an_error_and_other_peoples_stays_are_none_of_ours(ground: Ground) -> None:
    assert hear(here(ground), adt("A01", "1", reference="ZZZZ-ZZZZ", visit="1")).error == "204"
    assert hear(here(ground), adt("A01", "2", visit="240099", ipp="8000000099")).code == "AA"
    theirs = hear(here(ground), adt("A01", "3", reference="4711", authority="GAM", visit="240098"))
    assert theirs.code == "AA"
    assert rows(Preadmission) == []


def test_another_hospital_changes_nothing_here(ground: Ground) -> None:
    file = made(ground)
    answer = hear(ground.other_hospital.establishment.id, said_of(file, "A38", "1"))
    assert (answer.code, now(file).state) == ("AE", "transmitted")


# -- a stay that the hospital plans ----------------------------------------------------------------------------------


def plans(ground: Ground, **facts: Any) -> Acknowledgement:
    known: dict[str, Any] = {
        "visit": "240001", "ipp": "8000000001", "birth_on": ground.patient.birth_on,
        "names": (ground.patient.birth_name, ground.patient.first_name), "planned_on": today() + timedelta(days=20),
    }  # fmt: skip
    return hear(here(ground), adt("A05", uuid4().hex[:16], **(known | facts)))


@pytest.fixture
def known(ground: Ground) -> Ground:
    """The patient has been there: the hospital knows them by a number."""
    with prepared():
        people.known_at(ground.patient, here(ground), "8000000001")
    return ground


def test_somebody_whom_the_hospital_knows_is_asked_to_prepare_a_planned_stay(known: Ground) -> None:
    assert plans(known).code == "AA"
    (file,) = rows(Preadmission)
    assert (file.patient_id, file.origin, file.state) == (known.patient.id, "invitation", "draft")
    assert file.planned_on == today() + timedelta(days=20)
    assert plans(known).code == "AA", "told again, it is the same stay"
    assert len(rows(Preadmission)) == 1
    assert [(each.visit_number, each.source) for each in rows(StayInvitation)] == [("240001", "messages")]


@pytest.mark.parametrize(
    "other", [{"ipp": "8000000002"}, {"ipp": ""}, {"birth_on": date(1980, 1, 1)}, {"names": ("AUTRE", "PERSONNE")}]
)
def test_anybody_else_is_invited_as_a_stranger(known: Ground, other: dict[str, Any]) -> None:
    assert plans(known, **other).code == "AA"
    assert rows(Preadmission) == [], "nobody is guessed"
    assert [(each.state, each.patient_id) for each in rows(StayInvitation)] == [("waiting", None)]


def test_what_lacks_too_much_to_invite_waits_for_an_agent(known: Ground) -> None:
    assert plans(known, planned_on=None).code == "AA"
    assert rows(StayInvitation) == []
    assert [each.told for each in rows(HisMessage)] == ["to_invite"]


def test_a_planned_stay_that_moves_or_is_cancelled_there_does_so_here(known: Ground) -> None:
    plans(known)
    plans(known, planned_on=today() + timedelta(days=25), movement="UPDATE")
    (file,) = rows(Preadmission)
    assert file.planned_on == today() + timedelta(days=25)
    assert hear(here(known), adt("A38", "9", visit="240001", birth_on=known.patient.birth_on)).code == "AA"
    assert now(file).state == "cancelled_by_hospital"


def test_an_invitation_that_nobody_used_is_cancelled_with_its_stay(ground: Ground) -> None:
    plans(ground)
    assert hear(here(ground), adt("A38", "9", visit="240001", birth_on=ground.patient.birth_on)).code == "AA"
    assert [each.state for each in rows(StayInvitation)] == ["cancelled"]
    assert hear(here(ground), adt("A38", "10", visit="240001", birth_on=ground.patient.birth_on)).code == "AA", (
        "told again, it is no trouble"
    )


def test_a_stay_asked_for_here_moves_when_the_hospital_moves_it(ground: Ground) -> None:
    file = made(ground)
    later = file.planned_on + timedelta(days=3)
    said(ground, file, "A05", visit="240001", ipp="8000000001", planned_on=later)
    assert (now(file).planned_on, now(file).visit_number) == (later, "240001")


def test_a_unit_that_the_portal_does_not_know_is_told(known: Ground) -> None:
    assert plans(known, uf="9999").code == "AE"


# -- two numbers of one patient --------------------------------------------------------------------------------------


def test_a_number_that_is_replaced_is_replaced_everywhere(known: Ground) -> None:
    file = made(known)
    said(known, file, "A01", visit="240001", ipp="8000000001")
    merged = adt("A40", "1", ipp="8000000005", former_ipp="8000000001", birth_on=known.patient.birth_on)
    assert hear(here(known), merged).code == "AA"
    assert (ipp_of(known), now(file).ipp) == ("8000000005", "8000000005")
    assert said(known, file, "A03", visit="240001", ipp="8000000005").code == "AA"


def test_two_patients_of_the_portal_are_never_made_one_by_a_message(known: Ground) -> None:
    with prepared():
        people.known_at(known.other_patient, here(known), "8000000009")
    merged = adt("A40", "1", ipp="8000000009", former_ipp="8000000001", birth_on=known.patient.birth_on)
    answer = hear(here(known), merged)
    assert (answer.code, answer.error, ipp_of(known)) == ("AE", "205", "8000000001")


@pytest.mark.parametrize(("born", "error"), [(None, "101"), (date(1980, 1, 1), "204")])
def test_no_number_is_replaced_without_the_persons_birth_date(known: Ground, born: date | None, error: str) -> None:
    merged = adt("A40", "1", ipp="8000000005", former_ipp="8000000001", birth_on=born)
    assert (hear(here(known), merged).error, ipp_of(known)) == (error, "8000000001")


def test_a_merge_of_strangers_is_none_of_ours_and_one_without_numbers_is_an_error(ground: Ground) -> None:
    assert hear(here(ground), adt("A40", "1", ipp="1", former_ipp="2")).code == "AA"
    assert hear(here(ground), adt("A40", "2", ipp="1")).error == "101"


# -- hostile ---------------------------------------------------------------------------------------------------------

_PIECES = st.sampled_from(
    ["", "^", "~", "&", "\\", "\\F\\", "\\X00\\", '""', "A01", "A03", "A40", "20261201", "00010101", "99991231",
     "20260230", "PARVIS", "\x0b", "\x1c", "é", "|" * 40, "PID|", "x" * 300, "CANCEL"]
)  # fmt: skip


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.sampled_from(["A01", "A03", "A05", "A38", "A40", "A08"]),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 60), _PIECES), max_size=4),
)
def test_whatever_is_in_a_message_it_is_answered_without_a_failure_of_ours(
    ground: Ground, trigger: str, cuts: list[tuple[int, int, str]]
) -> None:
    with prepared():
        file = session.scalars(select(Preadmission)).first()
    file = now_with_patient(file) if file else made(ground)
    message = said_of(file, trigger, uuid4().hex[:16], visit="240001", ipp="8", former_ipp="9", planned_on=today())
    for start, length, piece in cuts:
        message = message[:start] + piece.encode() + message[start + length :]
    answer = hear(here(ground), message)
    assert answer.code in ("AA", "AE", "AR")
    assert answer.error != "207"


def test_every_reason_has_words() -> None:
    subject = subjects.of("preadmission")
    assert subject is not None
    assert all(str(words) for words in subject.reasons.values())
