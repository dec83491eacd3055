"""The staff's side of the shelf: rules by type, documents not shown yet, paper, deposits."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from auth.models import Account
from portal import db
from portal.db import session
from services.documents.deposits.models import Deposit
from services.documents.models import Document
from services.documents.shelf.models import DocumentType
from services.pieces.models import Piece
from tests.english import in_english as in_english
from tests.factories import documents, shelf
from tests.ground import audited, prepared, rows
from tests.services.documents.conftest import Ground
from tests.services.documents.conftest import ground as ground


@pytest.fixture
def agent(ground: Ground, sign_in: Callable[[Account], FlaskClient]) -> FlaskClient:
    return sign_in(ground.agent)


@pytest.fixture
def stranger(ground: Ground, sign_in: Callable[[Account], FlaskClient]) -> FlaskClient:
    return sign_in(ground.other_agent)


def typed(**changes: str) -> dict[str, str]:
    return {
        "type_code": "11526-1",
        "label": "Résultat d’anatomopathologie",
        "kind": "result",
        "delay": "business_days",
        "delay_days": "3",
        "remind_days": "7",
        "paper_days": "21",
        "notifies": "y",
    } | changes


def address(ground: Ground, end: str) -> str:
    return f"/admin/documents/types/{ground.hospital.establishment.finess}/{end}"


def test_an_agent_decides_of_a_type_changes_it_and_forgets_it(ground: Ground, agent: FlaskClient) -> None:
    assert agent.post(address(ground, "nouveau"), data=typed()).status_code == 303
    page = agent.get("/admin/documents/types")
    assert "After 3 business days" in page.text
    assert agent.get(address(ground, "11526-1")).status_code == 200
    agent.post(address(ground, "11526-1"), data=typed(delay="consultation", type_code="autre"))
    assert [(row.type_code, row.delay, row.delay_days) for row in rows(DocumentType)] == [
        ("11526-1", "consultation", 0)
    ]
    agent.post(address(ground, "11526-1"), data={"forget": "1"})
    assert rows(DocumentType) == []
    assert {"document_type.changed", "document_type.removed"} <= set(audited())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"delay_days": ""}, "Write how many days."),
        ({"delay_days": "4000"}, "from 1 to 365"),
        ({"paper_days": "7"}, "The paper letter comes after the reminder"),
        ({"type_code": "<b>"}, "A code such as 11502-2"),
        ({"delay": "never"}, "Choose when patients see it."),
        ({"label": "a" * 200}, "Write 120 characters at most."),
    ],
)
def test_what_makes_no_sense_is_said(ground: Ground, agent: FlaskClient, changes: dict[str, str], said: str) -> None:
    page = agent.post(address(ground, "nouveau"), data=typed(**changes))
    assert page.status_code == 422
    if changes != {"delay": "never"}:
        assert said in page.text
    assert rows(DocumentType) == []


def test_another_hospitals_rules_are_not_mine(ground: Ground, stranger: FlaskClient) -> None:
    with prepared():
        shelf.document_type(ground.hospital.establishment)
    for end in ("nouveau", "11502-2"):
        assert stranger.get(address(ground, end)).status_code == 404
    assert stranger.post(address(ground, "11502-2"), data={"forget": "1"}).status_code == 404
    assert len(rows(DocumentType)) == 1


def test_only_an_administrator_turns_mon_espace_sante_on(ground: Ground, agent: FlaskClient) -> None:
    assert agent.post(address(ground, "mon-espace-sante"), data={"sends": "on"}).status_code == 403


def test_an_agent_shows_what_waited_for_the_consultation(
    ground: Ground, agent: FlaskClient, stranger: FlaskClient
) -> None:
    with prepared():
        shelf.document_type(ground.hospital.establishment, "11526-1", kind="result", delay="consultation")
        held = shelf.published(ground.hospital.establishment, ground.patient, "Biopsie", "11526-1").id
    assert "Biopsie" in agent.get("/admin/documents/en-attente").text
    assert "Biopsie" not in stranger.get("/admin/documents/en-attente").text
    assert stranger.post(f"/admin/documents/{held}/montrer").status_code == 404
    agent.post(f"/admin/documents/{held}/montrer")
    assert "Biopsie" not in agent.get("/admin/documents/en-attente").text
    assert "document.released" in audited()
    assert "A colleague has already dealt" in agent.post(f"/admin/documents/{held}/montrer", follow_redirects=True).text


def test_the_paper_list_is_ticked_and_taken_away_as_a_file(
    ground: Ground, agent: FlaskClient, stranger: FlaskClient
) -> None:
    with prepared():
        shelf.document_type(ground.hospital.establishment, "11490-0", paper_days=20)
        letter = shelf.published(ground.hospital.establishment, ground.patient, "Titre qui dit tout")
        letter.visible_at = letter.told_at = db.now() - timedelta(days=30)
        letter_id = letter.id
    assert ground.patient.full_name in agent.get("/admin/documents/papier").text
    taken = agent.get("/admin/documents/papier.csv")
    assert "PAT-TROIS" in taken.text
    assert "Titre qui dit tout" not in taken.text
    assert "PAT-TROIS" not in stranger.get("/admin/documents/papier.csv").text
    stranger.post("/admin/documents/papier", data={"letter": str(letter_id)})
    assert rows(Document)[0].posted_at is None
    agent.post("/admin/documents/papier", data={"letter": str(letter_id)})
    assert rows(Document)[0].posted_at is not None
    assert {"document.listed_for_post", "document.posted"} <= set(audited())


@pytest.mark.parametrize("letter", ["x", "", "00000000-0000-4000-8000-000000000001"])
def test_a_nonsense_tick_changes_nothing(ground: Ground, agent: FlaskClient, letter: str) -> None:
    assert agent.post("/admin/documents/papier", data={"letter": letter}).status_code == 303


# -- deposits ------------------------------------------------------------------------------------------------------


@pytest.fixture
def deposit(ground: Ground) -> Deposit:
    with db.transaction(ground.as_patient):
        return shelf.sent(shelf.begun(ground.hospital.establishment, ground.patient, title="Ordonnance de ville"))


def test_an_agent_looks_at_a_deposit_and_accepts_it(ground: Ground, deposit: Deposit, agent: FlaskClient) -> None:
    assert "Ordonnance de ville" in agent.get("/admin/documents/depots").text
    page = agent.get(f"/admin/documents/depots/{deposit.id}")
    assert "Accept it" in page.text
    agent.post(f"/admin/documents/depots/{deposit.id}/accepter")
    assert rows(Piece)[0].state == "accepted"
    assert "Ordonnance de ville" in agent.get("/admin/documents/depots?liste=examines").text
    again = agent.post(f"/admin/documents/depots/{deposit.id}/accepter", follow_redirects=True)
    assert "Somebody has dealt with it in the meantime." in again.text


def test_an_agent_refuses_with_a_reason(ground: Ground, deposit: Deposit, agent: FlaskClient) -> None:
    here = f"/admin/documents/depots/{deposit.id}/refuser"
    assert agent.post(here, data={"reason": ""}).status_code == 422
    agent.post(here, data={"reason": "unreadable", "note": "Page 2"})
    assert [(each.state, each.note) for each in rows(Piece)] == [("refused", "Page 2")]


def test_the_original_is_handed_over_and_written_down(ground: Ground, deposit: Deposit, agent: FlaskClient) -> None:
    with prepared():
        page = session.query(Piece).one().pages[0].id
    answer = agent.get(f"/admin/documents/depots/{deposit.id}/pages/{page}/original")
    assert answer.data == shelf.photo()
    assert "piece.opened" in audited()


@pytest.mark.parametrize("end", ["", "/accepter", "/refuser", "/ne-plus-demander"])
def test_another_hospitals_agent_sees_and_judges_nothing(
    ground: Ground, deposit: Deposit, stranger: FlaskClient, end: str
) -> None:
    here = f"/admin/documents/depots/{deposit.id}{end}"
    assert (stranger.post(here) if end else stranger.get(here)).status_code == 404
    assert "Ordonnance de ville" not in stranger.get("/admin/documents/depots").text


def test_an_agent_finds_a_patient_and_asks(ground: Ground, agent: FlaskClient) -> None:
    found = agent.post("/admin/documents/depots/demander", data={"ipp": "0012345"})
    assert "PAT-TROIS" in found.text
    here = f"/admin/documents/depots/demander/{ground.here}/{ground.patient.id}"
    wish = {"unit": str(ground.hospital.unit.id), "kind": "result", "title": "Prise de sang", "once": str(uuid4())}
    asked = agent.post(here, data=wish)
    assert asked.status_code == 303
    assert "Waiting for the patient" in agent.get(asked.location).text
    assert "Prise de sang" in agent.get("/admin/documents/depots?liste=demandes").text
    past = wish | {"once": str(uuid4()), "due_on-day": "1", "due_on-month": "1", "due_on-year": "2020"}
    assert agent.post(here, data=past).status_code == 422
    agent.post(f"{asked.location}/ne-plus-demander")
    assert rows(Deposit)[0].closed_at is not None


def test_a_stranger_to_the_hospital_is_not_asked(ground: Ground, agent: FlaskClient) -> None:
    here = f"/admin/documents/depots/demander/{ground.here}/{ground.other_patient.id}"
    assert agent.get(here).status_code == 404


@pytest.mark.parametrize("page", ["depots", "types", "en-attente", "papier", "depots/demander"])
def test_a_full_screen_asks_the_database_few_things(
    ground: Ground, agent: FlaskClient, statements: Callable[[], object], page: str
) -> None:
    with db.transaction(ground.as_patient):
        for number in range(5):
            shelf.sent(shelf.begun(ground.hospital.establishment, ground.patient, title=f"D{number}"))
    with prepared():
        shelf.document_type(ground.hospital.establishment, "11490-0", paper_days=1)
        for _each in range(5):
            letter = shelf.published(ground.hospital.establishment, ground.patient)
            letter.visible_at = letter.told_at = db.now() - timedelta(days=30)
    agent.get(f"/admin/documents/{page}")
    with statements() as seen:  # type: ignore[attr-defined]  # a context manager
        assert agent.get(f"/admin/documents/{page}").status_code == 200
    assert len(seen) <= 12, "\n".join(seen)


def test_a_letter_without_envelope_has_the_same_page(ground: Ground, agent: FlaskClient) -> None:
    with prepared():
        document = documents.received(ground.hospital.establishment, documents.letter(ground.traits))
        document_id = document.id
    assert agent.get(f"/admin/documents/{document_id}").status_code == 200
