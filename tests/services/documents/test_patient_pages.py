"""A patient finds, reads, keeps and prints their letters; nobody else does."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.datastructures import Headers

from auth.models import Account
from portal import db, files
from portal.audit import AuditEvent
from portal.db import session
from portal.gateways.antivirus.twin import EICAR
from portal.kpi import KpiEvent
from services.documents import cda
from services.documents.models import Document
from services.documents.shelf import queries as shelf
from tests.conftest import TESTDATA
from tests.factories import documents, people
from tests.services.documents.conftest import Ground

SignIn = Callable[[Account | UUID], FlaskClient]


def filed(ground: Ground, data: bytes | None = None, **said: object) -> UUID:
    """A letter on Dominique's shelf."""
    with db.transaction(db.system("tests")):
        document = documents.received(ground.hospital.establishment, data or documents.letter(ground.traits, **said))
        assert document.state == "filed", document.reason
        return document.id


@pytest.fixture
def dominique(ground: Ground, sign_in: SignIn) -> FlaskClient:
    return sign_in(ground.account)


# -- the shelf -----------------------------------------------------------------------------------------------------


def test_an_empty_shelf_says_what_to_expect(dominique: FlaskClient) -> None:
    page = dominique.get("/documents?lang=en")
    assert page.status_code == 200
    assert "No document yet" in page.text


def test_new_letters_come_first_then_the_latest(ground: Ground, dominique: FlaskClient) -> None:
    read = filed(ground, title="Lettre lue", created_at=datetime(2026, 11, 1, tzinfo=UTC))
    filed(ground, title="Ancienne lettre", created_at=datetime(2025, 1, 1, tzinfo=UTC))
    filed(ground, title="Nouvelle lettre", created_at=datetime(2026, 1, 1, tzinfo=UTC))
    dominique.get(f"/documents/{read}")
    text = dominique.get("/documents?lang=en").text
    assert text.index("Nouvelle lettre") < text.index("Ancienne lettre") < text.index("Lettre lue")
    assert "2 new documents" in text
    assert "Hôpital d’essai" in text
    assert "Hélène MERCIER" in text


def test_a_replaced_letter_leaves_the_shelf_and_stays_behind_the_new_one(
    ground: Ground, dominique: FlaskClient
) -> None:
    older = filed(ground, title="Première version", unique_id="1.2.3^1")
    newer = filed(ground, title="Version corrigée", replaces="1.2.3^1")
    assert "Première version" not in dominique.get("/documents").text
    assert "Première version" in dominique.get(f"/documents/{newer}").text
    old_page = dominique.get(f"/documents/{older}?lang=en")
    assert f"/documents/{newer}" in old_page.text
    assert "A newer version replaced this document" in old_page.text


def test_a_long_shelf_has_pages(ground: Ground, dominique: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "PAGE", 2)
    for number in range(3):
        filed(ground, title=f"Lettre {number}")
    first, second = dominique.get("/documents"), dominique.get("/documents?page=2")
    assert (first.text.count("app-files__link"), second.text.count("app-files__link")) == (2, 1)
    assert dominique.get("/documents?page=0").status_code == 200


@pytest.mark.parametrize("size", [1, 8])
def test_the_shelf_costs_few_statements_however_full(
    ground: Ground, dominique: FlaskClient, count_statements: Callable[[], Any], size: int
) -> None:
    for _ in range(size):
        filed(ground)
    with count_statements() as statements:
        dominique.get("/documents")
    assert len(statements) <= 12, statements


# -- one letter ----------------------------------------------------------------------------------------------------


def test_opening_a_letter_is_audited_marked_and_counted_once(ground: Ground, dominique: FlaskClient) -> None:
    letter = filed(ground)
    for _ in range(2):
        assert dominique.get(f"/documents/{letter}").status_code == 200
    with db.transaction(ground.as_patient):
        opened = session.scalars(select(AuditEvent).where(AuditEvent.action == "document.opened")).all()
        assert [(event.patient_id, event.object_id) for event in opened] == [(ground.patient.id, letter)] * 2
    with db.transaction(db.system("tests")):
        counted = session.execute(
            select(KpiEvent.dimension, func.count())
            .where(KpiEvent.event == "document_opened")
            .group_by(KpiEvent.dimension)
        ).all()
    assert [tuple(row) for row in counted] == [("within_30_days", 1)]


def test_a_letter_costs_few_statements(
    ground: Ground, dominique: FlaskClient, count_statements: Callable[[], Any]
) -> None:
    letter = filed(ground)
    with count_statements() as statements:
        dominique.get(f"/documents/{letter}")
    assert len(statements) <= 12, statements


def test_the_text_of_a_structured_letter_is_read_in_the_page(ground: Ground, dominique: FlaskClient) -> None:
    sections = [("Motif", "<paragraph>Bilan annuel</paragraph>"), ("Conclusion", "<list><item>Rien</item></list>")]
    page = dominique.get(f"/documents/{filed(ground, documents.structured(ground.traits, sections))}")
    assert "<h2>Motif</h2>" in page.text
    assert "Bilan annuel" in page.text
    assert "<li>Rien</li>" in page.text


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script><paragraph>mots</paragraph>",
        '<linkHtml href="javascript:alert(1)">mots</linkHtml>',
        '<paragraph onclick="alert(1)">mots</paragraph>',
        '<paragraph styleCode="x" style="position:fixed">mots</paragraph>',
        '<content xmlns:h="http://www.w3.org/1999/xhtml"><h:img src="x" onerror="alert(1)"/>mots</content>',
        '<renderMultiMedia referencedObject="x"/><paragraph>mots &lt;script&gt;alert(1)&lt;/script&gt;</paragraph>',
    ],
)
def test_a_hostile_letter_is_only_words(ground: Ground, dominique: FlaskClient, attack: str) -> None:
    data = documents.structured(ground.traits, [("A&lt;script&gt;alert(1)&lt;/script&gt;", attack)])
    page = dominique.get(f"/documents/{filed(ground, data)}")
    article = page.text[page.text.index('class="app-letter"') : page.text.index("</article>")]
    assert "mots" in article
    assert "<script" not in article
    assert not any(word in article for word in ("javascript:", "onclick", "onerror", "style=", "<img"))


def test_a_letter_of_plain_text_is_read_in_the_page(ground: Ground, dominique: FlaskClient) -> None:
    data = documents.letter(ground.traits, body="Tout va bien. <b>é</b>".encode(), media_type="text/plain")
    page = dominique.get(f"/documents/{filed(ground, data)}?lang=en")
    assert "Tout va bien. &lt;b&gt;é&lt;/b&gt;" in page.text
    assert "Download the document" not in page.text


def test_the_pdf_of_a_letter_is_downloaded_under_its_title(ground: Ground, dominique: FlaskClient) -> None:
    body = documents.pdf("Bonjour")
    letter = filed(ground, documents.letter(ground.traits, body=body, title='Lettre "à/lire" né'))
    answer = dominique.get(f"/documents/{letter}/fichier")
    assert answer.data == body
    assert answer.mimetype == "application/pdf"
    assert_handed_over(answer.headers)
    assert "filename*=UTF-8''" in answer.headers["Content-Disposition"]
    assert ".pdf" in answer.headers["Content-Disposition"]
    assert "/" not in answer.headers["Content-Disposition"].partition("''")[2]


def test_the_original_is_handed_over_as_it_came(ground: Ground, dominique: FlaskClient) -> None:
    sent = documents.letter(ground.traits)
    letter = filed(ground, sent)
    answer = dominique.get(f"/documents/{letter}/original")
    assert answer.data == sent
    assert_handed_over(answer.headers)
    with db.transaction(db.system("tests")):
        event = session.scalars(select(AuditEvent).where(AuditEvent.action == "document.downloaded")).one()
        assert (event.patient_id, event.details) == (ground.patient.id, {"part": "original"})


def assert_handed_over(headers: Headers) -> None:
    assert headers["Content-Disposition"].startswith("attachment")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert "sandbox" in headers["Content-Security-Policy"]


def test_a_letter_that_is_being_checked_says_so_and_stays_new(
    ground: Ground, dominique: FlaskClient, monkeypatch: pytest.MonkeyPatch, work_jobs: Callable[[], None]
) -> None:
    with monkeypatch.context() as away:
        away.setattr(files._place.scanner.faults, "down", True)
        letter = filed(ground)
        page = dominique.get(f"/documents/{letter}?lang=en")
        assert "This document is being checked" in page.text
        assert dominique.get(f"/documents/{letter}/fichier").status_code == 404
        assert "One new document" in dominique.get("/documents?lang=en").text
    work_jobs()
    assert dominique.get(f"/documents/{letter}/fichier").status_code == 200


def test_a_letter_found_infected_afterwards_never_opens(
    ground: Ground, dominique: FlaskClient, monkeypatch: pytest.MonkeyPatch, work_jobs: Callable[[], None]
) -> None:
    with monkeypatch.context() as away:
        away.setattr(files._place.scanner.faults, "down", True)
        letter = filed(ground, body=documents.pdf().replace(b"%%EOF", EICAR + b"\n%%EOF"))
    work_jobs()
    assert "This document held a virus" in dominique.get(f"/documents/{letter}?lang=en").text
    assert dominique.get(f"/documents/{letter}/fichier").status_code == 404


@pytest.mark.skipif(not (TESTDATA / "cda").exists(), reason=f"the official examples are not there: {TESTDATA}")
def test_each_official_example_opens_as_a_page(ground: Ground, dominique: FlaskClient) -> None:
    for path in sorted((TESTDATA / "cda").glob("*.xml")):
        data = path.read_bytes()
        letter = filed(ground, data)
        page = dominique.get(f"/documents/{letter}")
        assert page.status_code == 200, path.name
        if inside := cda.embedded(data):
            assert dominique.get(f"/documents/{letter}/fichier").data == inside[1]
        else:
            assert all(str(section.html) in page.text for section in cda.narrative(data)), path.name


# -- only theirs ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "/fichier", "/original"])
def test_nobody_opens_another_patients_letter(ground: Ground, sign_in: SignIn, client: FlaskClient, path: str) -> None:
    letter = filed(ground)
    assert sign_in(ground.other_account).get(f"/documents/{letter}{path}").status_code == 404
    assert sign_in(ground.agent).get(f"/documents/{letter}{path}").status_code == 403
    assert sign_in(ground.professional.account_id).get(f"/documents/{letter}{path}").status_code == 403
    assert client.get(f"/documents/{letter}{path}").status_code == 303
    assert sign_in(ground.account).get(f"/documents/{uuid4()}{path}").status_code == 404


def test_a_letter_of_the_tray_is_nobodys_yet(ground: Ground, dominique: FlaskClient) -> None:
    with db.transaction(db.system("tests")):
        document = documents.received(
            ground.hospital.establishment, documents.letter(ground.traits, confidentiality="R")
        )
        assert document.state == "tray"
    assert dominique.get(f"/documents/{document.id}").status_code == 404
    with db.transaction(ground.as_patient):
        assert session.scalars(select(Document)).all() == []


def test_a_parent_reads_the_letters_of_their_child_with_marks_of_their_own(ground: Ground, sign_in: SignIn) -> None:
    with db.transaction(db.system("tests")):
        parent = people.account(name="Parent")
        people.give_access(parent, ground.patient, "parent")
    letter = filed(ground)
    assert sign_in(parent).get(f"/documents/{letter}").status_code == 200
    assert "One new document" in sign_in(ground.account).get("/documents?lang=en").text
    assert "One new document" not in sign_in(parent).get("/documents?lang=en").text
