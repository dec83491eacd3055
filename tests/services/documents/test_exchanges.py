"""Units and practitioners exchange documents; each side knows what became of what it sent, nobody else sees it."""

from collections.abc import Callable
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from auth.models import Account
from auth.news.models import News
from portal import db, establishments
from portal.audit import AuditEvent
from portal.db import session
from portal.gateways.antivirus.twin import EICAR
from portal.kpi import KpiEvent
from portal.notifications import Notification
from services.documents.exchanges.models import Exchange, ExchangeFile, ExchangeMessage
from services.documents.models import Document
from tests.factories import documents
from tests.services.documents.conftest import Ground

SignIn = Callable[[Account | UUID], FlaskClient]
PDF = documents.pdf("Courrier")
WRITTEN = {
    "subject": "Avis cardiologique",
    "birth_name": "Pat-Trois",
    "first_name": "Dominique",
    "birth_on-day": "28",
    "birth_on-month": "3",
    "birth_on-year": "1979",
    "text": "Bonjour,\r\nmerci de votre <b>avis</b>.",
}


def written(content: bytes | None = PDF, name: str = "courrier.pdf", **changes: str) -> dict[str, Any]:
    file = {"file": (BytesIO(content), name)} if content is not None else {}
    return {"once": str(uuid4()), **WRITTEN, **changes, **file}


@pytest.fixture
def doctor(ground: Ground, sign_in: SignIn) -> FlaskClient:
    return sign_in(ground.professional.account_id)


@pytest.fixture
def agent(ground: Ground, sign_in: SignIn) -> FlaskClient:
    return sign_in(ground.agent)


def the_exchange() -> Exchange:
    with db.transaction(db.system("tests")):
        return session.scalars(select(Exchange)).one()


def messages() -> list[ExchangeMessage]:
    with db.transaction(db.system("tests")):
        return list(session.scalars(select(ExchangeMessage).order_by(ExchangeMessage.sent_at)))


def joined(message: ExchangeMessage) -> UUID:
    """The only file of a message."""
    with db.transaction(db.system("tests")):
        return session.scalars(select(ExchangeFile.id).where(ExchangeFile.message_id == message.id)).one()


# -- from the practitioner to the unit, and back -------------------------------------------------------------------


def test_a_document_goes_to_the_unit_and_an_answer_comes_back(
    ground: Ground, doctor: FlaskClient, agent: FlaskClient
) -> None:
    unit = ground.hospital.unit
    receipt = doctor.post(f"/pro/envoyer/{unit.id}?lang=en", data=written(), follow_redirects=True)
    exchange = the_exchange()
    assert exchange.reference in receipt.text
    assert "Received by the unit" in doctor.get("/pro?lang=en").text

    assert "Avis cardiologique" in agent.get("/admin/documents/echanges").text
    thread = agent.get(f"/admin/documents/echanges/{exchange.id}")
    assert "merci de votre &lt;b&gt;avis&lt;/b&gt;" in thread.text
    (first,) = messages()
    taken = agent.get(f"/admin/documents/echanges/{exchange.id}/fichiers/{joined(first)}")
    assert taken.data == PDF
    assert taken.headers["Content-Disposition"].startswith("attachment")
    assert "Opened by the unit" in doctor.get(f"/pro/echanges/{exchange.id}?lang=en").text

    report = documents.pdf("Compte rendu")
    answer = {"once": str(uuid4()), "text": "Voici notre avis.", "file": (BytesIO(report), "compte-rendu.pdf")}
    assert agent.post(f"/admin/documents/echanges/{exchange.id}", data=answer).status_code == 303
    assert "New" in doctor.get("/pro?lang=en").text
    page = doctor.get(f"/pro/echanges/{exchange.id}")
    assert "Voici notre avis." in page.text
    _first, second = messages()
    got = doctor.get(f"/pro/echanges/{exchange.id}/fichiers/{joined(second)}")
    assert got.data == report
    assert "sandbox" in got.headers["Content-Security-Policy"]
    assert "Read by its correspondent" in agent.get(f"/admin/documents/echanges/{exchange.id}?lang=en").text


def test_each_step_is_audited_and_counted(ground: Ground, doctor: FlaskClient, agent: FlaskClient) -> None:
    doctor.post(f"/pro/envoyer/{ground.hospital.unit.id}", data=written())
    exchange = the_exchange()
    agent.get(f"/admin/documents/echanges/{exchange.id}")
    agent.post(f"/admin/documents/echanges/{exchange.id}", data={"once": str(uuid4()), "text": "Reçu."})
    with db.transaction(db.system("tests")):
        actions = session.scalars(
            select(AuditEvent.action).where(AuditEvent.object_id == exchange.id).order_by(AuditEvent.id)
        ).all()
        sent = session.scalar(select(func.count()).select_from(KpiEvent).where(KpiEvent.event == "exchange_sent"))
    assert actions == ["exchange.sent", "exchange.opened", "exchange.answered"]
    assert sent == 2


def test_a_form_posted_twice_sends_once(ground: Ground, doctor: FlaskClient) -> None:
    address, key = f"/pro/envoyer/{ground.hospital.unit.id}", str(uuid4())
    first = doctor.post(address, data=written() | {"once": key})
    again = doctor.post(address, data=written() | {"once": key})
    assert first.headers["Location"] == again.headers["Location"]
    assert len(messages()) == 1


def test_typed_traits_search_for_nobody_and_reveal_nothing(ground: Ground, doctor: FlaskClient) -> None:
    address = f"/pro/envoyer/{ground.hospital.unit.id}"
    known = doctor.post(address, data=written(), follow_redirects=True)
    unknown = doctor.post(address, data=written(birth_name="Personne"), follow_redirects=True)
    assert "0012345" not in known.text
    assert len(known.text) == len(unknown.text)


def test_the_unit_is_called_when_it_cannot_wait(ground: Ground, doctor: FlaskClient) -> None:
    assert "tel:0199001000" in doctor.get(f"/pro/envoyer/{ground.hospital.unit.id}").text
    assert "01 99 00 10 00" in doctor.get("/pro/envoyer").text


# -- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (written(subject=""), "Write what it is about"),
        (written(**{"birth_on-day": "31", "birth_on-month": "2"}), "This day does not exist"),
        (written(text="x" * 2001), "2,000 characters at most"),
        (written(None), "Choose the document to send"),
        (written(b"MZ executable", "virus.pdf"), "does not match"),
        (written(documents.pdf() + EICAR, "courrier.pdf"), "virus"),
        (written(b"<html>", "page.html"), "We only take photos"),
        (written(documents.letter(documents.cda.Patient()), "lettre.xml"), "We only take photos"),
    ],
)
def test_a_bad_form_is_explained_and_sends_nothing(
    ground: Ground, doctor: FlaskClient, sent: dict[str, Any], said: str
) -> None:
    if "file" in sent:  # each test posts a stream of its own
        stream, name = sent["file"]
        sent = {**sent, "file": (BytesIO(stream.getvalue()), name)}
    page = doctor.post(f"/pro/envoyer/{ground.hospital.unit.id}?lang=en", data=sent)
    assert page.status_code == 422
    assert said in page.text
    assert messages() == []


def test_a_document_sent_with_a_form_to_correct_is_not_asked_again(ground: Ground, doctor: FlaskClient) -> None:
    address = f"/pro/envoyer/{ground.hospital.unit.id}"
    page = doctor.post(f"{address}?lang=en", data=written(subject=""))
    assert "courrier.pdf is kept" in page.text
    kept = page.text.partition('name="received"')[2].partition('value="')[2].partition('"')[0]
    assert doctor.post(address, data=written(None, received=kept)).status_code == 303
    assert len(messages()) == 1


def test_nobody_sends_the_kept_file_of_somebody_else(ground: Ground, doctor: FlaskClient, sign_in: SignIn) -> None:
    with db.transaction(ground.as_other_professional):
        theirs = documents.stored()
    page = doctor.post(f"/pro/envoyer/{ground.hospital.unit.id}", data=written(None, received=str(theirs.id)))
    assert page.status_code == 422


def test_an_empty_answer_is_not_sent(ground: Ground, doctor: FlaskClient) -> None:
    doctor.post(f"/pro/envoyer/{ground.hospital.unit.id}", data=written())
    page = doctor.post(f"/pro/echanges/{the_exchange().id}?lang=en", data={"once": str(uuid4()), "text": " "})
    assert page.status_code == 422
    assert "Write a message, or join a document" in page.text


def test_a_unit_of_a_hospital_where_the_service_is_closed_takes_nothing(ground: Ground, doctor: FlaskClient) -> None:
    with db.transaction(db.system("tests")):
        from portal.catalog import PublishedService

        session.delete(session.get_one(PublishedService, (ground.here, "documents")))
    assert doctor.get(f"/pro/envoyer/{ground.hospital.unit.id}").status_code == 404
    assert str(ground.hospital.unit.id) not in doctor.get("/pro/envoyer").text


# -- the unit files it, and writes first ---------------------------------------------------------------------------


def test_an_agent_files_what_a_practitioner_sent_with_a_known_patient(
    ground: Ground, doctor: FlaskClient, agent: FlaskClient, sign_in: SignIn
) -> None:
    doctor.post(f"/pro/envoyer/{ground.hospital.unit.id}", data=written())
    exchange, (message,) = the_exchange(), messages()
    address = f"/admin/documents/echanges/{exchange.id}/fichiers/{joined(message)}/classer"
    found = agent.post(f"{address}/chercher", data={"ipp": "0012345"})
    assert "PAT-TROIS" in found.text
    choice = {
        "ipp": "0012345",
        "once": str(uuid4()),
        "patient_id": str(ground.patient.id),
        "reason": "identity_checked",
        "type_code": "11488-4",
        "title": "Courrier du Dr Leroy",
    }
    assert agent.post(address, data=choice).status_code == 303
    again = agent.post(address, data=choice | {"once": str(uuid4())}, follow_redirects=True)
    assert again.status_code == 200
    with db.transaction(ground.as_patient):
        document = session.scalars(select(Document)).one()
    assert sign_in(ground.account).get(f"/documents/{document.id}/fichier").data == PDF
    assert doctor.get(f"/pro/echanges/{exchange.id}/fichiers/{joined(message)}").data == PDF


def test_a_unit_writes_first_to_a_practitioner_it_finds_by_number(
    ground: Ground, doctor: FlaskClient, agent: FlaskClient
) -> None:
    assert "Nobody found" in agent.get("/admin/documents/echanges/nouveau?nom=Personne&lang=en").text
    found = agent.get("/admin/documents/echanges/nouveau?nom=10000000017")
    address = f"/admin/documents/echanges/nouveau/{ground.professional.id}"
    assert address in found.text
    sent = agent.post(address, data=written() | {"unit_id": str(ground.hospital.unit.id)})
    assert sent.status_code == 303
    assert "Avis cardiologique" in doctor.get("/pro").text
    elsewhere = agent.post(address, data=written() | {"unit_id": str(ground.other_hospital.unit.id)})
    assert elsewhere.status_code == 422


def test_the_practitioner_and_the_hospital_are_told_without_health_data(
    ground: Ground, doctor: FlaskClient, agent: FlaskClient, work_jobs: Callable[[], None]
) -> None:
    with db.transaction(db.system("tests")):
        establishments.change_setting(ground.here, "documents_email", "documents@ch-essai.exemple.test")
        session.get_one(Account, ground.professional.account_id).email = "paul.leroy@exemple.test"
    doctor.post(f"/pro/envoyer/{ground.hospital.unit.id}", data=written())
    agent.post(f"/admin/documents/echanges/{the_exchange().id}", data={"once": str(uuid4()), "text": "Reçu."})
    work_jobs()
    with db.transaction(db.system("tests")):
        told = session.scalars(select(Notification).order_by(Notification.created_at)).all()
        (line,) = session.scalars(select(News)).all()
    assert [mail.recipient for mail in told] == ["documents@ch-essai.exemple.test"]
    assert (line.account_id, line.kind) == (ground.professional.account_id, "messages")
    assert not any("cardio" in mail.body.lower() or "PAT-TROIS" in mail.body for mail in told)


# -- only the two sides --------------------------------------------------------------------------------------------


def test_nobody_else_sees_a_thread(ground: Ground, doctor: FlaskClient, sign_in: SignIn) -> None:
    doctor.post(f"/pro/envoyer/{ground.hospital.unit.id}", data=written())
    exchange, (message,) = the_exchange(), messages()
    other_doctor, other_agent = sign_in(ground.other_professional.account_id), sign_in(ground.other_agent)
    for end in ("", f"/fichiers/{joined(message)}"):
        assert other_doctor.get(f"/pro/echanges/{exchange.id}{end}").status_code == 404
        assert other_agent.get(f"/admin/documents/echanges/{exchange.id}{end}").status_code == 404
    assert other_doctor.get(f"/pro/echanges/{exchange.id}/envoye").status_code == 404
    post = {"once": str(uuid4()), "text": "Bonjour"}
    assert other_doctor.post(f"/pro/echanges/{exchange.id}", data=post).status_code == 404
    assert other_agent.post(f"/admin/documents/echanges/{exchange.id}", data=post).status_code == 404
    assert sign_in(ground.account).get(f"/pro/echanges/{exchange.id}").status_code == 403
    assert "Avis cardiologique" not in other_doctor.get("/pro").text
    assert "Avis cardiologique" not in other_agent.get("/admin/documents/echanges").text
    assert len(messages()) == 1


def test_a_message_of_another_thread_is_not_found_through_ones_own(ground: Ground, doctor: FlaskClient) -> None:
    doctor.post(f"/pro/envoyer/{ground.hospital.unit.id}", data=written())
    mine = the_exchange()
    with db.transaction(db.system("tests")):
        theirs = documents.exchange(
            ground.hospital.unit, ground.other_professional, ("professional", "Anne AUTRE", "Bonjour")
        )
        of_theirs = ExchangeMessage.exchange_id == theirs.id
        foreign = session.scalars(select(ExchangeFile.id).join(ExchangeMessage).where(of_theirs)).one()
    assert doctor.get(f"/pro/echanges/{mine.id}/fichiers/{foreign}").status_code == 404


@pytest.mark.parametrize("path", ["/pro", "/pro/envoyer", "/pro/echanges/{id}"])
def test_a_practitioners_page_costs_few_statements(
    ground: Ground, doctor: FlaskClient, count_statements: Callable[[], Any], path: str
) -> None:
    with db.transaction(db.system("tests")):
        said = [("professional", "Paul LEROY", "Bonjour"), ("unit", "Agent", "Bonjour")] * 3
        threads = [documents.exchange(ground.hospital.unit, ground.professional, *said) for _ in range(5)]
    with count_statements() as statements:
        assert doctor.get(path.format(id=threads[0].id)).status_code == 200
    assert len(statements) <= 12, statements
