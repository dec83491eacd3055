"""Answers are for the person, whoever acts for them in medical matters, and the care team. For nobody else at all."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from auth.account import export
from auth.models import Account
from portal import audit, db
from portal.db import ANONYMOUS, Base
from services.questionnaires import queries, states
from services.questionnaires.models import (
    AlertNote,
    Questionnaire,
    QuestionnaireAnswers,
    QuestionnaireDraft,
    QuestionnairePlan,
    SentQuestionnaire,
    SentQuestionnaireChange,
)
from services.questionnaires.queries import Sieve
from tests.factories import people
from tests.factories import questionnaires as factory
from tests.ground import prepared
from tests.services.questionnaires.conftest import Ground

PERSONAL: tuple[type[Base], ...] = (
    SentQuestionnaire, QuestionnaireDraft, QuestionnaireAnswers, AlertNote, SentQuestionnaireChange,
)  # fmt: skip
HOSPITALS_OWN: tuple[type[Base], ...] = (Questionnaire, QuestionnairePlan)


@pytest.fixture
def full(ground: Ground) -> Ground:
    """One row in each table."""
    from uuid import uuid4

    from services.questionnaires.actions.plans import Wish, add

    with prepared():
        sent = db.session.get_one(SentQuestionnaire, ground.sent.id)
        factory.answered(sent, {"pain": (9,)}, by=f"patient:{ground.account.id}")
        factory.drafted(factory.sent(ground.patient, ground.hospital.unit, ground.asked), {"pain": (3,)})
        facts = {"sent_id": sent.id, "patient_id": ground.patient.id, "establishment_id": sent.establishment_id}
        db.session.add(AlertNote(id=uuid4(), **facts, version=1, note="Rappelée", by="staff"))
        add(Wish(sent.establishment_id, factory.NEXT_DAY, "tests", None, "", 1, 2, ()))
    return ground


def counts(actor: db.Actor, *tables: type[Base]) -> list[int]:
    with db.transaction(actor) as current:
        return [current.scalar(select(func.count()).select_from(table)) or 0 for table in tables]


def test_the_person_sees_theirs_and_not_the_hospital_s_notes(full: Ground) -> None:
    seen = counts(people.as_patient(full.account, full.patient), *PERSONAL, *HOSPITALS_OWN)
    assert [bool(each) for each in seen] == [True, True, True, False, True, True, False]


def test_the_care_team_sees_what_was_sent_and_no_draft(full: Ground) -> None:
    nurse = people.as_agent(full.nurse, full.hospital.establishment.id, "care")
    assert [bool(each) for each in counts(nurse, *PERSONAL, *HOSPITALS_OWN)] == [
        True, False, True, True, True, True, True,
    ]  # fmt: skip


@pytest.mark.parametrize(
    "rights",
    [("preadmission",), ("appointments",), ("documents",), ("billing", "identity", "administration", "audit"), ()],
    ids=str,
)
def test_no_other_right_of_the_hospital_opens_anything(full: Ground, rights: tuple[str, ...]) -> None:
    clerk = people.as_agent(full.clerk, full.hospital.establishment.id, *rights)
    assert counts(clerk, *PERSONAL, *HOSPITALS_OWN) == [0] * 7


def test_neither_another_hospital_nor_another_person_nor_anybody(full: Ground) -> None:
    with prepared():
        own, other = people.patient_with_account(birth_name="AUTRE")
        gp = people.professional()
    for actor in (
        people.as_agent(full.nurse, full.elsewhere.establishment.id, "care"),
        people.as_patient(own, other),
        people.as_professional(gp),
        ANONYMOUS,
    ):
        assert counts(actor, *PERSONAL, *HOSPITALS_OWN) == [0] * 7, actor.kind


def test_a_shared_questionnaire_is_seen_by_the_other_hospitals_care_teams_alone(full: Ground) -> None:
    with prepared():
        db.session.get_one(Questionnaire, full.asked.id).shared = True
    there = full.elsewhere.establishment.id
    assert counts(people.as_agent(full.nurse, there, "care"), Questionnaire) == [1]
    assert counts(people.as_agent(full.nurse, there, "preadmission"), Questionnaire) == [0]


def test_nobody_rewrites_what_was_sent(full: Ground) -> None:
    for actor in (
        people.as_patient(full.account, full.patient),
        people.as_agent(full.nurse, full.hospital.establishment.id, "care"),
    ):
        with db.transaction(actor) as current:
            for table, change in ((QuestionnaireAnswers, {"alerts": 0}), (AlertNote, {"version": 9})):
                assert current.query(table).update(change) == 0  # type: ignore[arg-type] # a column of each
                assert current.query(table).delete() == 0


@pytest.mark.parametrize("change", ["update", "delete"])
def test_history_is_only_added_to(full: Ground, change: str) -> None:
    statement = {
        "update": "update sent_questionnaire_change set what = 'x'",
        "delete": "delete from sent_questionnaire_change",
    }
    with pytest.raises(DBAPIError), prepared():
        db.session.execute(text(statement[change]))


def test_a_published_questionnaire_never_changes(full: Ground) -> None:
    with pytest.raises(DBAPIError, match="published"), prepared():
        db.session.get_one(Questionnaire, full.asked.id).content = {"resourceType": "Questionnaire"}


# -- the admissions clerk ------------------------------------------------------------------------------------------


@pytest.fixture
def clerk(full: Ground, sign_in: Callable[[Account], FlaskClient]) -> FlaskClient:
    return sign_in(full.clerk)


PAGES = (
    "", "/{sent}", "/{sent}/reponses.pdf", "/envoyer", "/envois", "/envois/nouveau", "/modeles", "/modeles/{asked}",
    "/modeles/{asked}/fhir.json", "/modeles/{asked}/modifier", "/modeles/importer", "/modeles/nouveau",
    "/envoyer/{hospital}/{patient}",
)  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_a_clerk_opens_no_page(clerk: FlaskClient, full: Ground, page: str) -> None:
    here = page.format(
        sent=full.sent.id, asked=full.asked.id, hospital=full.hospital.establishment.id, patient=full.patient.id
    )
    assert clerk.get(f"/admin/questionnaires{here}").status_code == 403


def test_a_clerk_finds_no_trace_in_lists_counts_and_menus(clerk: FlaskClient, full: Ground) -> None:
    actor = people.as_agent(full.clerk, full.hospital.establishment.id, "preadmission", "appointments", "documents")
    with db.transaction(actor):
        here = [full.hospital.establishment.id]
        assert queries.tray(here, Sieve("answered"), 1) == []
        assert set(queries.counts(here, Sieve()).values()) == {0}
        assert queries.one_at(full.sent.id, here) is None
    assert "/admin/questionnaires" not in clerk.get("/admin/").text


def test_the_journal_says_that_answers_were_read_and_never_what_they_are(
    clerk: FlaskClient, full: Ground, sign_in: Callable[[Account], FlaskClient]
) -> None:
    sign_in(full.nurse).get(f"/admin/questionnaires/{full.sent.id}")
    with prepared():
        lines = audit.of_patient(full.patient.id)
        opened = [each for each in lines if each.action == "questionnaire.opened"]
        assert [each.actor_name for each in opened] == ["Ida Infirmière"]
        assert "pain" not in str([each.details for each in lines])


def test_the_copy_of_one_s_data_holds_every_answer(app: Flask, full: Ground) -> None:
    with prepared():
        part = next(each for each in export.parts(full.patient.id) if each.code == "questionnaires")
    assert len(part.entries) == 2
    said = str([fact.value for entry in part.entries for fact in entry.facts])
    assert "– 9" in said
    assert "– 3" in said, "what is not sent yet is theirs too"


def test_it_follows_when_two_people_are_one(app: Flask, full: Ground) -> None:
    from auth.enrolment.belongings import Move
    from services.questionnaires import belongings

    with prepared():
        _own, other = people.patient_with_account(birth_name="JUMELLE")
        here = full.hospital.establishment.id
        moved = belongings.adopt(Move(here, full.patient.id, other.id, ""))
        assert len(moved["sent_questionnaire"]) == 2
    assert _owners() == {other.id}
    with prepared():
        belongings.release(Move(here, other.id, full.patient.id, ""), moved)
    assert _owners() == {full.patient.id}


def _owners() -> set[Any]:
    with prepared():
        tables: tuple[Any, ...] = (SentQuestionnaire, QuestionnaireDraft, QuestionnaireAnswers, AlertNote)
        return {each for table in tables for each in db.session.scalars(select(table.patient_id))}


def test_a_death_leaves_it_open_without_saying_what_it_is_about(app: Flask, full: Ground) -> None:
    from services.questionnaires import affairs

    with prepared():
        left = affairs._open(full.patient.id, [full.hospital.establishment.id])
    assert {each.arguments["sent_id"] for each in left} >= {full.sent.id}
    assert all("lendemain" not in each.reference for each in left)


def test_every_state_has_its_words() -> None:
    from services.questionnaires import wording

    assert set(wording.STATES) == set(states.STATES)
    assert set(wording.DEFINITION_STATES) == set(states.DEFINITION_STATES)
