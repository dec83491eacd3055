"""Agents prepare their answers, stand in for each other, and write to many without telling who the others are."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Text, insert, select

from auth.models import Account
from portal import db
from portal.db import session
from services.directory.models import directory_box
from services.documents.exchanges import actions
from services.documents.exchanges.actions import Words
from services.documents.exchanges.models import Exchange, ExchangeMessage
from services.documents.inbox.models import Absence, ReplyText
from services.documents.lists.models import CorrespondentList, ListMember
from services.documents.mailboxes.models import Mailbox, Transmission
from tests.english import in_english as in_english
from tests.factories import documents, people
from tests.ground import rows
from tests.services.documents.conftest import Ground
from tests.services.documents.conftest import ground as ground

SignIn = Callable[[Account | UUID], FlaskClient]
INBOX = "/admin/documents/echanges"
ADDRESSES = ("accueil@ehpad-essai.mssante.fr", "claire.roumillac@medecin.mssante.fr")


@pytest.fixture
def agent(ground: Ground, sign_in: SignIn) -> FlaskClient:
    return sign_in(ground.agent)


@pytest.fixture
def colleague(ground: Ground) -> Account:
    with db.transaction(db.system("tests")):
        return people.agent(ground.here, "documents", name="Nadège ORVAULT")


@pytest.fixture
def thread(ground: Ground) -> UUID:
    with db.transaction(db.system("tests")):
        return documents.exchange(
            ground.hospital.unit, ground.professional, ("professional", "Paul LEROY", "Bonjour")
        ).id


def once(**fields: Any) -> dict[str, Any]:
    return {"once": str(uuid4()), **fields}


# -- texts and signatures ------------------------------------------------------------------------------------------


def prepared(agent: FlaskClient, where: UUID) -> None:
    text = once(where=str(where), title="Rendez-vous", text="Votre rendez-vous est confirmé.")
    assert agent.post(f"{INBOX}/textes/nouveau", data=text).status_code == 303


def test_a_text_is_inserted_after_what_was_typed_and_nothing_is_sent(
    ground: Ground, agent: FlaskClient, thread: UUID
) -> None:
    prepared(agent, ground.here)
    (text,) = rows(ReplyText)
    page = agent.post(f"{INBOX}/{thread}", data=once(text="Bonjour,", insert="1", reply_text=str(text.id)))
    assert page.status_code == 200
    assert "Bonjour,\n\nVotre rendez-vous est confirmé." in page.text
    assert len(rows(ExchangeMessage)) == 1


def test_a_text_of_a_unit_is_offered_to_that_unit_alone(ground: Ground, agent: FlaskClient, thread: UUID) -> None:
    prepared(agent, ground.hospital.unit.id)
    assert "Rendez-vous" in agent.get(f"{INBOX}/{thread}").text
    with db.transaction(db.system("tests")) as current:
        current.get_one(Exchange, thread).unit_id = None
    assert "Rendez-vous" not in agent.get(f"{INBOX}/{thread}").text


def test_a_text_is_changed_and_removed(ground: Ground, agent: FlaskClient, thread: UUID) -> None:
    prepared(agent, ground.here)
    (text,) = rows(ReplyText)
    assert "Votre rendez-vous" in agent.get(f"{INBOX}/textes/{text.id}").text
    agent.post(f"{INBOX}/textes/{text.id}", data=once(where=str(ground.here), title="RDV", text="Confirmé."))
    assert "RDV" in agent.get(f"{INBOX}/textes").text
    agent.post(f"{INBOX}/textes/{text.id}/retirer")
    assert "No text yet" in agent.get(f"{INBOX}/textes").text
    assert agent.post(f"{INBOX}/textes/{text.id}", data=once()).status_code == 404


def test_a_unit_signs_what_it_writes(ground: Ground, agent: FlaskClient, thread: UUID) -> None:
    desk = {"is_open": "y", "answer_days": "3", "signature": "Le secrétariat de cardiologie"}
    agent.post(f"{INBOX}/unites/{ground.hospital.unit.id}", data=desk)
    agent.post(f"{INBOX}/{thread}", data=once(text="Bien reçu."))
    assert rows(ExchangeMessage)[-1].text == "Bien reçu.\n\nLe secrétariat de cardiologie"


# -- absences ------------------------------------------------------------------------------------------------------


def away(ground: Ground, deputy: Account, first: int = 0, last: int = 5) -> dict[str, Any]:
    today = db.now().astimezone(ground.hospital.establishment.tz).date()
    days = {"first_on": today + timedelta(days=first), "last_on": today + timedelta(days=last)}
    parts = {
        f"{name}-{part}": str(getattr(day, part)) for name, day in days.items() for part in ("day", "month", "year")
    }
    return once(establishment_id=str(ground.here), deputy_id=str(deputy.id), **parts)


def known_to_all(ground: Ground, colleague: Account, thread: UUID) -> None:
    """The colleague has had a thread in charge: they can be chosen."""
    with db.transaction(people.as_agent(colleague, ground.here, "documents")) as current:
        actions.take(current.get_one(Exchange, thread))


def test_what_is_answered_to_an_absent_agent_goes_to_whoever_stands_in(
    ground: Ground, agent: FlaskClient, colleague: Account, thread: UUID, work_jobs: Callable[[], None]
) -> None:
    known_to_all(ground, colleague, thread)
    assert agent.post(f"{INBOX}/absences", data=away(ground, colleague)).status_code == 303
    agent.post(f"{INBOX}/lot", data={"gesture": "take", "exchanges": str(thread)})
    agent.post(f"{INBOX}/{thread}", data=once(text="Nous regardons."))
    assert [each.assigned_id for each in rows(Exchange)] == [ground.agent.id]
    with db.transaction(ground.as_professional) as current:
        actions.answer(current.get_one(Exchange, thread), Words("Des nouvelles ?"))
    work_jobs()
    assert [each.assigned_name for each in rows(Exchange)] == ["Nadège ORVAULT"]


@pytest.mark.parametrize(("first", "last"), [(-5, -1), (1, 5)])
def test_before_and_after_an_absence_nothing_moves(
    ground: Ground, agent: FlaskClient, colleague: Account, thread: UUID, work_jobs: Callable[[], None],
    first: int, last: int,
) -> None:  # fmt: skip
    known_to_all(ground, colleague, thread)
    agent.post(f"{INBOX}/absences", data=away(ground, colleague, first, last))
    agent.post(f"{INBOX}/lot", data={"gesture": "take", "exchanges": str(thread)})
    with db.transaction(ground.as_professional) as current:
        actions.answer(current.get_one(Exchange, thread), Words("Des nouvelles ?"))
    work_jobs()
    assert [each.assigned_id for each in rows(Exchange)] == [ground.agent.id]


def test_an_absence_ends_when_its_agent_says_so_and_nobody_else(
    ground: Ground, agent: FlaskClient, colleague: Account, thread: UUID, sign_in: SignIn
) -> None:
    known_to_all(ground, colleague, thread)
    agent.post(f"{INBOX}/absences", data=away(ground, colleague))
    (absence,) = rows(Absence)
    assert sign_in(colleague).post(f"{INBOX}/absences/{absence.id}/fin").status_code == 404
    assert agent.post(f"{INBOX}/absences/{absence.id}/fin").status_code == 303
    assert "Nobody is away" in agent.get(f"{INBOX}/absences").text


def test_an_absence_that_ends_before_it_begins_is_refused(
    ground: Ground, agent: FlaskClient, colleague: Account, thread: UUID
) -> None:
    known_to_all(ground, colleague, thread)
    refused = agent.post(f"{INBOX}/absences", data=away(ground, colleague, 3, 1))
    assert refused.status_code == 422
    assert "The last day comes after the first one." in refused.text


# -- lists ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def directory(ground: Ground) -> None:
    with db.transaction(db.system("tests")):
        box = {"address": "accueil@ch-essai.mssante.fr", "kind": "ORG", "label": "CH d’Essai"}
        session.add(Mailbox(id=uuid4(), establishment_id=ground.here, **box))
        facts: dict[str, Any] = {column.name: "" for column in directory_box.c if isinstance(column.type, Text)}
        given = {"red_list": False, "paperless": False, "rank": 1, "kind": "ORG"}
        for address in ADDRESSES:
            session.execute(insert(directory_box).values(**{**facts, **given, "digest": uuid4(), "address": address}))


def listed(ground: Ground, *addresses: str) -> dict[str, Any]:
    return once(establishment_id=str(ground.here), name="EHPAD", theme="Gériatrie", addresses="\n".join(addresses))


def test_each_of_a_list_gets_a_message_of_their_own(ground: Ground, agent: FlaskClient, directory: None) -> None:
    assert agent.post(f"{INBOX}/listes/nouvelle", data=listed(ground, *ADDRESSES)).status_code == 303
    (kept,) = rows(CorrespondentList)
    message = once(unit_id=str(ground.hospital.unit.id), subject="Fermeture", text="Le service ferme lundi.")
    assert agent.post(f"{INBOX}/listes/{kept.id}/ecrire", data=message).status_code == 303
    assert sorted(each.address for each in rows(Transmission)) == sorted(ADDRESSES)
    assert len(rows(Exchange)) == 2
    assert {each.about_id for each in rows(Exchange)} == {None}


def test_an_address_out_of_the_directory_is_told_and_the_list_kept_on_the_form(
    ground: Ground, agent: FlaskClient, directory: None
) -> None:
    refused = agent.post(f"{INBOX}/listes/nouvelle", data=listed(ground, *ADDRESSES, "inconnu@exemple.mssante.fr"))
    assert refused.status_code == 422
    assert "inconnu@exemple.mssante.fr" in refused.text
    assert rows(CorrespondentList) == []


def test_a_list_is_changed_and_removed(ground: Ground, agent: FlaskClient, directory: None) -> None:
    agent.post(f"{INBOX}/listes/nouvelle", data=listed(ground, *ADDRESSES))
    (kept,) = rows(CorrespondentList)
    agent.post(f"{INBOX}/listes/{kept.id}", data=listed(ground, ADDRESSES[0]))
    assert [each.address for each in rows(ListMember)] == [ADDRESSES[0]]
    agent.post(f"{INBOX}/listes/{kept.id}/retirer")
    assert "No list yet" in agent.get(f"{INBOX}/listes").text


def test_a_unit_without_a_box_writes_to_no_list(ground: Ground, agent: FlaskClient, directory: None) -> None:
    agent.post(f"{INBOX}/listes/nouvelle", data=listed(ground, *ADDRESSES))
    with db.transaction(db.system("tests")) as current:
        current.scalars(select(Mailbox)).one().closed_at = db.now()
    (kept,) = rows(CorrespondentList)
    message = once(unit_id=str(ground.hospital.unit.id), subject="Fermeture", text="Le service ferme lundi.")
    assert agent.post(f"{INBOX}/listes/{kept.id}/ecrire", data=message).status_code == 422
    assert rows(Exchange) == []


def test_another_hospital_sees_nothing_of_it(
    ground: Ground, agent: FlaskClient, directory: None, sign_in: SignIn, colleague: Account, thread: UUID
) -> None:
    prepared(agent, ground.here)
    agent.post(f"{INBOX}/listes/nouvelle", data=listed(ground, *ADDRESSES))
    known_to_all(ground, colleague, thread)
    agent.post(f"{INBOX}/absences", data=away(ground, colleague))
    with db.transaction(ground.as_other_agent) as current:
        for table in (ReplyText, CorrespondentList, ListMember, Absence):
            assert current.scalars(select(table)).all() == []
    other = sign_in(ground.other_agent)
    (kept,), (text,) = rows(CorrespondentList), rows(ReplyText)
    assert other.get(f"{INBOX}/listes/{kept.id}").status_code == 404
    assert other.get(f"{INBOX}/textes/{text.id}").status_code == 404
