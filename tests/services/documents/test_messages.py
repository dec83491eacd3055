"""Patients write to the units that take messages, know until when they are answered, and may come back for a while."""

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from auth.enrolment.belongings import Move
from auth.models import Account
from portal import calendar, db
from portal.db import Actor
from portal.files import StoredFile
from portal.notifications import Notification
from services.documents.exchanges import actions, belongings, export, inbox
from services.documents.exchanges.actions import Closed, Words
from services.documents.exchanges.inbox import Wanted
from services.documents.exchanges.models import Exchange, ExchangeChange, ExchangeFile, ExchangeMessage, UnitDesk
from tests.english import in_english as in_english
from tests.factories import documents
from tests.ground import audited, count, rows
from tests.services.documents.conftest import Ground

SignIn = Callable[[Account | UUID], FlaskClient]
MESSAGES = "/documents/messages"
INBOX = "/admin/documents/echanges"


@pytest.fixture
def dominique(ground: Ground, sign_in: SignIn) -> FlaskClient:
    return sign_in(ground.account)


@pytest.fixture
def agent(ground: Ground, sign_in: SignIn) -> FlaskClient:
    return sign_in(ground.agent)


@pytest.fixture
def desk(ground: Ground, agent: FlaskClient) -> str:
    """The unit takes messages, as an agent said; where to write to it."""
    saved = agent.post(f"{INBOX}/unites/{ground.hospital.unit.id}", data={"is_open": "y", "answer_days": "3"})
    assert saved.status_code == 303
    return f"{MESSAGES}/nouveau/{ground.hospital.unit.id}"


def typed(**changes: Any) -> dict[str, Any]:
    return {"once": str(uuid4()), "subject": "Question", "text": "Dois-je arrêter mon traitement ?", **changes}


def reply(text: str = "Non, continuez.") -> dict[str, Any]:
    return {"once": str(uuid4()), "text": text}


@pytest.fixture
def thread(dominique: FlaskClient, desk: str) -> UUID:
    assert dominique.post(desk, data=typed()).status_code == 303
    (made,) = rows(Exchange)
    return made.id


def test_a_question_is_asked_answered_and_read(dominique: FlaskClient, agent: FlaskClient, thread: UUID) -> None:
    assert "Sent" in dominique.get(MESSAGES).text
    page = agent.get(f"{INBOX}/{thread}")
    assert "Dois-je arrêter" in page.text
    assert "Opened by the unit" in dominique.get(MESSAGES).text
    agent.post(f"{INBOX}/{thread}", data=reply())
    assert "New answer" in dominique.get(MESSAGES).text
    assert "Non, continuez." in dominique.get(f"{MESSAGES}/{thread}").text
    assert "Answered" in dominique.get(MESSAGES).text
    assert audited().count("exchange.opened") == 2


def test_an_answer_is_owed_within_working_days_and_no_more_once_given(
    ground: Ground, agent: FlaskClient, dominique: FlaskClient, thread: UUID
) -> None:
    (made,) = rows(Exchange)
    place = ground.hospital.establishment
    asked_on = calendar.civil_day(made.created_at, place.tz)
    last = calendar.business_days_after(asked_on, 3, place.holiday_rules)
    assert made.answer_by is not None
    assert calendar.civil_day(made.answer_by - timedelta(seconds=1), place.tz) == last
    assert "Answer expected before" in dominique.get(f"{MESSAGES}/{thread}").text
    dominique.post(f"{MESSAGES}/{thread}", data=reply("Je précise."))
    assert rows(Exchange)[0].answer_by == made.answer_by, "asking again does not put it off"
    agent.post(f"{INBOX}/{thread}", data=reply())
    assert rows(Exchange)[0].answer_by is None


def test_what_is_late_is_said_in_the_inbox(agent: FlaskClient, thread: UUID) -> None:
    with db.transaction(db.system("tests")) as current:
        current.get_one(Exchange, thread).answer_by = db.now() - timedelta(hours=1)
    assert "Late" in agent.get(INBOX).text


def test_a_document_goes_with_the_message_and_survives_a_refusal(dominique: FlaskClient, desk: str) -> None:
    file = documents.pdf("Ordonnance")
    refused = dominique.post(desk, data=typed(text="", file=(BytesIO(file), "ordonnance.pdf")))
    assert refused.status_code == 422
    assert "ordonnance.pdf is kept" in refused.text
    kept = refused.text.split('name="received" type="hidden" value="')[1].split('"')[0]
    assert dominique.post(desk, data=typed(received=kept)).status_code == 303
    (joined,), (thread,) = rows(ExchangeFile), rows(Exchange)
    assert dominique.get(f"{MESSAGES}/{thread.id}/fichiers/{joined.id}").data == file


def test_a_unit_that_takes_no_messages_is_not_written_to(ground: Ground, dominique: FlaskClient) -> None:
    assert dominique.get(f"{MESSAGES}/nouveau/{ground.hospital.unit.id}").status_code == 404
    assert "No unit takes messages yet" in dominique.get(f"{MESSAGES}/nouveau").text


def test_a_closed_exchange_takes_a_last_word_for_a_month(
    ground: Ground, dominique: FlaskClient, agent: FlaskClient, thread: UUID
) -> None:
    agent.post(f"{INBOX}/{thread}/fermer")
    assert "The unit has ended this exchange" in dominique.get(f"{MESSAGES}/{thread}").text
    dominique.post(f"{MESSAGES}/{thread}", data=reply("Encore une question."))
    assert rows(Exchange)[0].state == "received"
    agent.post(f"{INBOX}/{thread}/fermer")
    with db.transaction(db.system("tests")) as current:
        current.get_one(Exchange, thread).changed_at = db.now() - timedelta(days=31)
    with db.transaction(ground.as_patient) as current, pytest.raises(Closed):
        actions.answer(current.get_one(Exchange, thread), Words("Trop tard"))
    page = dominique.get(f"{MESSAGES}/{thread}").text
    assert "Write to the unit again" not in page


def test_everyone_is_told_that_something_waits_and_nothing_of_what(
    ground: Ground, dominique: FlaskClient, agent: FlaskClient, thread: UUID, work_jobs: Callable[[], None]
) -> None:
    agent.post(f"{INBOX}/{thread}", data=reply("Arrêtez la morphine."))
    work_jobs()
    mails = [each for each in rows(Notification) if each.recipient == ground.account.email]
    assert mails
    assert not any("morphine" in each.body or "Question" in each.body for each in mails)


STRANGERS: list[Any] = [
    pytest.param(lambda ground: ground.as_other_patient, id="another patient"),
    pytest.param(lambda ground: ground.as_other_agent, id="an agent of elsewhere"),
    pytest.param(lambda ground: ground.as_professional, id="a practitioner"),
]


@pytest.mark.parametrize("who", STRANGERS)
def test_nobody_else_sees_a_thread_or_what_hangs_on_it(
    ground: Ground, thread: UUID, who: Callable[[Ground], Actor]
) -> None:
    assert count(ExchangeMessage) == 1
    with db.transaction(who(ground)) as current:
        for table in (Exchange, ExchangeMessage, ExchangeChange):
            assert current.scalars(select(table)).all() == []


def test_a_stranger_gets_404(ground: Ground, sign_in: SignIn, thread: UUID) -> None:
    stranger = sign_in(ground.other_account)
    assert stranger.get(f"{MESSAGES}/{thread}").status_code == 404
    assert stranger.post(f"{MESSAGES}/{thread}", data=reply()).status_code == 404
    assert sign_in(ground.other_agent).get(f"{INBOX}/unites/{ground.hospital.unit.id}").status_code == 404


def test_a_desk_asks_for_a_sensible_delay(ground: Ground, agent: FlaskClient) -> None:
    for days in ("0", "31", "x", ""):
        refused = agent.post(f"{INBOX}/unites/{ground.hospital.unit.id}", data={"is_open": "y", "answer_days": days})
        assert refused.status_code == 422
    assert rows(UnitDesk) == []
    assert ground.hospital.unit.name in agent.get(f"{INBOX}/unites").text


def test_a_patients_thread_is_found_among_those_of_patients(ground: Ground, thread: UUID) -> None:
    with db.transaction(ground.as_agent):
        found = {kind: len(inbox.of([ground.here], Wanted(kind=kind), ground.agent.id).rows)
                 for kind in ("patient", "professional")}  # fmt: skip
    assert found == {"patient": 1, "professional": 0}


@pytest.mark.parametrize("path", [MESSAGES, f"{MESSAGES}/nouveau", f"{MESSAGES}/{{id}}"])
def test_a_patients_page_costs_few_statements(
    dominique: FlaskClient, thread: UUID, count_statements: Callable[[], Any], path: str
) -> None:
    with count_statements() as statements:
        assert dominique.get(path.format(id=thread)).status_code == 200
    assert len(statements) <= 12, statements


# -- what follows a person -----------------------------------------------------------------------------------------


def test_a_thread_follows_its_patient_with_its_files_and_comes_back(
    ground: Ground, dominique: FlaskClient, desk: str
) -> None:
    dominique.post(desk, data=typed(file=(BytesIO(documents.pdf("Ordonnance")), "ordonnance.pdf")))
    mine, other = ground.patient.id, ground.other_patient.id
    with db.transaction(db.system("tests")):
        moved = belongings.adopt(Move(ground.here, mine, other, ""))
    with db.transaction(ground.as_other_patient) as current:
        assert [each.subject for each in current.scalars(select(Exchange))] == ["Question"]
        assert len(current.scalars(select(ExchangeMessage)).all()) == 1
        (joined,) = current.scalars(select(ExchangeFile)).all()
        assert current.get_one(StoredFile, joined.file_id).patient_id == other
    with db.transaction(ground.as_patient) as current:
        assert current.scalars(select(ExchangeMessage)).all() == []
    with db.transaction(db.system("tests")):
        belongings.release(Move(ground.here, other, mine, ""), moved)
    assert "Question" in dominique.get(MESSAGES).text


def test_the_copy_of_ones_data_holds_the_messages(
    ground: Ground, dominique: FlaskClient, agent: FlaskClient, thread: UUID
) -> None:
    agent.post(f"{INBOX}/{thread}", data=reply())
    with db.transaction(db.system("tests")):
        held = export.part(ground.patient.id)
    texts = [fact.value for entry in held.entries for fact in entry.facts if fact.code == "text"]
    assert texts == ["Dois-je arrêter mon traitement ?", "Non, continuez."]
