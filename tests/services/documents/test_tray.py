"""The tray: an agent says whose a letter is, of a patient their hospital knows, and can take it back."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from auth.models import Account
from portal import db
from portal.audit import AuditEvent
from portal.db import session
from portal.files import StoredFile
from services.documents import jobs
from services.documents.models import Document, DocumentChange
from tests.factories import documents, people
from tests.services.documents.conftest import Ground

SignIn = Callable[[Account | UUID], FlaskClient]
FOUND = {"ipp": "0012345"}
"""The search that the form carries along: the patient of the ground."""


@pytest.fixture
def agent(ground: Ground, sign_in: SignIn) -> FlaskClient:
    return sign_in(ground.agent)


def in_tray(ground: Ground, **changes: Any) -> Document:
    """A letter that does not say its INS, so that a person must decide."""
    with db.transaction(db.system("tests")):
        about = replace(ground.traits, ins="", ins_oid="", **changes)
        return documents.received(ground.hospital.establishment, documents.letter(about, title="Lettre à trier"))


def state_of(document_id: UUID) -> str:
    with db.transaction(db.system("tests")):
        return session.get_one(Document, document_id).state


def choice(patient_id: UUID, reason: str = "identity_checked") -> dict[str, str]:
    return {"once": str(uuid4()), "patient_id": str(patient_id), "reason": reason}


def test_the_tray_says_why_a_letter_waits(ground: Ground, agent: FlaskClient) -> None:
    document = in_tray(ground)
    page = agent.get("/admin/documents?lang=en")
    assert "Lettre à trier" in page.text
    assert "903" in page.text
    assert "The letter carries no INS" in agent.get(f"/admin/documents/{document.id}?lang=en").text


@pytest.mark.parametrize(
    "search",
    [
        {"ipp": "0012345"},
        {"name": "pat-trois", "birth_on-day": "28", "birth_on-month": "3", "birth_on-year": "1979"},
    ],
)
def test_an_agent_gives_a_letter_to_the_patient_they_found(
    ground: Ground,
    agent: FlaskClient,
    sign_in: SignIn,
    search: dict[str, str],
) -> None:
    document = in_tray(ground)
    found = agent.post(f"/admin/documents/{document.id}", data=search)
    assert str(ground.patient.id) in found.text
    for name, value in search.items():
        assert f'<input type="hidden" name="{name}" value="{value}">' in found.text
    answer = agent.post(f"/admin/documents/{document.id}/attribuer", data=search | choice(ground.patient.id))
    assert answer.status_code == 303
    assert sign_in(ground.account).get(f"/documents/{document.id}/fichier").status_code == 200
    with db.transaction(ground.as_patient):
        event = session.scalars(select(AuditEvent).where(AuditEvent.action == "document.assigned")).one()
    assert (event.actor, event.details) == (f"staff:{ground.agent.id}", {"reason": "identity_checked"})


@pytest.mark.parametrize(
    "search",
    [
        {},
        {"ipp": ""},
        {"ipp": "0099"},
        {"name": "PAT-TROIS"},
        {"birth_on-day": "28", "birth_on-month": "3", "birth_on-year": "1979"},
        {"ipp": "%"},
    ],
)
def test_a_search_that_asks_too_little_finds_nobody(ground: Ground, agent: FlaskClient, search: dict[str, str]) -> None:
    document = in_tray(ground, birth_name="INCONNU", first_name="Noé", birth_on=date(1931, 1, 2))
    page = agent.post(f"/admin/documents/{document.id}", data=search)
    assert page.status_code == 200
    assert 'type="radio"' not in page.text


def test_nobody_is_searched_for_in_an_address(ground: Ground, agent: FlaskClient) -> None:
    """Addresses are kept by browsers, proxies and logs."""
    document = in_tray(ground, birth_name="INCONNU", first_name="Noé", birth_on=date(1931, 1, 2))
    for path in (f"/admin/documents/{document.id}", "/admin/documents/envoyer-a-un-patient"):
        page = agent.get(f"{path}?ipp=0012345").text
        assert str(ground.patient.id) not in page
        assert 'method="get" role="search"' not in page


def test_a_letter_never_goes_to_a_patient_the_hospital_does_not_know(ground: Ground, agent: FlaskClient) -> None:
    document = in_tray(ground)
    search = {"name": "AUTRUI", "birth_on-day": "17", "birth_on-month": "5", "birth_on-year": "1980"}
    found = agent.post(f"/admin/documents/{document.id}", data=search)
    assert str(ground.other_patient.id) not in found.text
    forged = agent.post(f"/admin/documents/{document.id}/attribuer", data=FOUND | choice(ground.other_patient.id))
    assert forged.status_code == 422
    assert state_of(document.id) == "tray"


def test_a_reason_is_needed(ground: Ground, agent: FlaskClient) -> None:
    document = in_tray(ground)
    page = agent.post(f"/admin/documents/{document.id}/attribuer", data=FOUND | choice(ground.patient.id, ""))
    assert page.status_code == 422
    assert state_of(document.id) == "tray"


def test_the_second_of_two_agents_is_told(ground: Ground, agent: FlaskClient) -> None:
    document = in_tray(ground)
    address = f"/admin/documents/{document.id}/attribuer"
    agent.post(address, data=FOUND | choice(ground.patient.id))
    second = agent.post(f"{address}?lang=en", data=FOUND | choice(ground.patient.id), follow_redirects=True)
    assert "A colleague has already dealt with this letter" in second.text


def test_a_letter_is_set_aside_with_a_reason(ground: Ground, agent: FlaskClient) -> None:
    document = in_tray(ground)
    assert agent.get(f"/admin/documents/{document.id}/ecarter").status_code == 200
    answer = agent.post(
        f"/admin/documents/{document.id}/ecarter", data={"once": str(uuid4()), "reason": "other_hospital"}
    )
    assert answer.status_code == 303
    assert state_of(document.id) == "discarded"
    assert "Lettre à trier" not in agent.get("/admin/documents").text


def test_a_letter_given_to_the_wrong_person_is_taken_back_and_the_former_version_returns(
    ground: Ground,
    agent: FlaskClient,
    sign_in: SignIn,
) -> None:
    with db.transaction(db.system("tests")):
        hospital = ground.hospital.establishment
        older = documents.received(hospital, documents.letter(ground.traits, unique_id="1.2.3^1"))
        newer = documents.received(hospital, documents.letter(ground.traits, replaces="1.2.3^1"))
    patient = sign_in(ground.account)
    assert patient.get(f"/documents/{newer.id}").status_code == 200
    post = {"once": str(uuid4()), "reason": "wrong_patient"}
    assert agent.post(f"/admin/documents/{newer.id}/reprendre", data=post).status_code == 303
    assert patient.get(f"/documents/{newer.id}").status_code == 404
    assert patient.get(f"/documents/{newer.id}/original").status_code == 404
    assert (state_of(newer.id), state_of(older.id)) == ("tray", "filed")
    with db.transaction(ground.as_patient):
        assert session.get(StoredFile, newer.file_id) is None
    with db.transaction(ground.as_agent):
        states = session.scalars(
            select(DocumentChange.to_state).where(DocumentChange.document_id == newer.id).order_by(DocumentChange.at)
        ).all()
    assert states == ["filed", "tray"]


def test_an_agent_takes_in_a_letter_from_their_machine(ground: Ground, agent: FlaskClient) -> None:
    def post(data: bytes, name: str = "lettre.xml") -> Any:
        form = {"once": str(uuid4()), "establishment_id": str(ground.here), "file": (BytesIO(data), name)}
        return agent.post("/admin/documents/recevoir?lang=en", data=form, follow_redirects=True)

    sent = documents.letter(ground.traits, title="Lettre déposée")
    assert "The letter is in its patient’s documents" in post(sent).text
    assert "already here" in post(sent).text
    assert "This file was refused" in post(b"<?xml version='1.0'?><note/>").text
    assert post(b"").status_code == 422
    assert "Lettre déposée" in agent.get("/admin/documents/classes").text
    assert "neither a CDA letter" in agent.get("/admin/documents/refuses?lang=en").text


def test_an_agents_upload_never_reaches_a_patient_their_hospital_does_not_know(
    ground: Ground,
    sign_in: SignIn,
) -> None:
    with db.transaction(ground.as_other_agent):
        data = documents.letter(ground.traits)
        (outcome,) = jobs.take_in_file(
            ground.other_hospital.establishment.id, "upload", "lettre.xml", data, production=False
        )
    assert (outcome.outcome, outcome.code) == ("tray", "902")


def test_an_agent_sends_a_document_to_a_patient(ground: Ground, agent: FlaskClient, sign_in: SignIn) -> None:
    found = agent.post("/admin/documents/envoyer-a-un-patient", data=FOUND)
    address = f"/admin/documents/envoyer-a-un-patient/{ground.here}/{ground.patient.id}"
    assert address in found.text
    body = documents.pdf("Ordonnance")
    form = {"once": str(uuid4()), "type_code": "57833-6", "title": "Votre ordonnance"}
    refused = agent.post(address, data=form)
    assert refused.status_code == 422
    sent = agent.post(address, data=form | {"file": (BytesIO(body), "ordonnance.pdf")})
    document_id = sent.headers["Location"].rpartition("/")[2]
    patient = sign_in(ground.account)
    assert "Votre ordonnance" in patient.get("/documents").text
    assert patient.get(f"/documents/{document_id}/fichier").data == body
    unknown = f"/admin/documents/envoyer-a-un-patient/{ground.here}/{ground.other_patient.id}"
    assert agent.get(unknown).status_code == 404
    elsewhere = f"/admin/documents/envoyer-a-un-patient/{ground.other_hospital.establishment.id}/{ground.patient.id}"
    assert agent.get(elsewhere).status_code == 404


def test_opening_a_letter_is_written_in_its_patients_audit(ground: Ground, agent: FlaskClient) -> None:
    with db.transaction(db.system("tests")):
        document = documents.received(ground.hospital.establishment, documents.letter(ground.traits))
    agent.get(f"/admin/documents/{document.id}")
    agent.get(f"/admin/documents/{document.id}/fichier")
    with db.transaction(ground.as_patient):
        done = session.execute(select(AuditEvent.action, AuditEvent.actor_name).order_by(AuditEvent.id)).all()
    assert [tuple(row) for row in done][-2:] == [
        ("document.opened", "Agent d’essai"),
        ("document.downloaded", "Agent d’essai"),
    ]


@pytest.mark.parametrize("end", ["", "/fichier", "/original", "/ecarter", "/reprendre"])
def test_the_tray_of_another_hospital_is_closed(ground: Ground, sign_in: SignIn, end: str) -> None:
    document = in_tray(ground)
    other = sign_in(ground.other_agent)
    assert other.get(f"/admin/documents/{document.id}{end}").status_code == 404
    assert "Lettre à trier" not in other.get("/admin/documents").text
    with db.transaction(db.system("tests")):
        clerk = people.agent(ground.here, "billing", name="Sans droit")
    assert sign_in(clerk).get(f"/admin/documents/{document.id}{end}").status_code == 403


@pytest.mark.parametrize("path", ["", "/classes", "/refuses", "/echanges", "/{id}", "/echanges/nouveau"])
def test_a_staff_page_costs_few_statements(
    ground: Ground,
    agent: FlaskClient,
    count_statements: Callable[[], Any],
    path: str,
) -> None:
    for _ in range(3):
        document = in_tray(ground)
    with db.transaction(db.system("tests")):
        for _ in range(3):
            documents.received(ground.hospital.establishment, documents.letter(ground.traits))
            documents.exchange(ground.hospital.unit, ground.professional, ("professional", "Paul LEROY", "Bonjour"))
    with count_statements() as statements:
        assert agent.get(f"/admin/documents{path.format(id=document.id)}").status_code == 200
    assert len(statements) <= 12, statements


def test_a_search_costs_few_statements(ground: Ground, agent: FlaskClient, count_statements: Callable[[], Any]) -> None:
    document = in_tray(ground)
    with count_statements() as statements:
        assert agent.post(f"/admin/documents/{document.id}", data=FOUND).status_code == 200
    assert len(statements) <= 12, statements
