"""The shelf: what is on it, in which order, found by filters and words; what is not shown yet, or not at all."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from auth.models import Account
from portal import calendar, db
from portal.db import ANONYMOUS, session
from portal.establishments import Establishment
from portal.notifications import Notification
from services.documents import actions as room
from services.documents.models import Document, DocumentReading
from services.documents.shelf import actions, kinds, queries, showing, sources
from services.documents.shelf.models import DocumentType
from services.documents.shelf.queries import Filters
from services.documents.shelf.showing import Rules
from services.documents.shelf.sources import Line, Source
from services.documents.states import NotPossibleNow
from tests.english import in_english as in_english
from tests.factories import documents, shelf
from tests.ground import prepared, rows
from tests.services.documents.conftest import Ground


@pytest.fixture
def dominique(ground: Ground, sign_in: Callable[[Account], FlaskClient]) -> FlaskClient:
    return sign_in(ground.account)


def publish(ground: Ground, title: str = "Lettre de sortie", code: str = "11490-0", days_ago: int = 0) -> UUID:
    with prepared():
        document = shelf.published(ground.hospital.establishment, ground.patient, title, code)
        document.authored_at = db.now() - timedelta(days=days_ago)
        return document.id


def read(ground: Ground, document_id: UUID) -> None:
    with prepared():
        session.add(
            DocumentReading(document_id=document_id, account_id=ground.account.id, patient_id=ground.patient.id)
        )


def titles(page: queries.Page) -> list[str]:
    return [line.document.title for line in page.lines if line.document]


# -- the list ------------------------------------------------------------------------------------------------------


def test_what_was_not_opened_comes_first_then_the_latest(ground: Ground) -> None:
    newest, oldest = publish(ground, "Récente", days_ago=1), publish(ground, "Ancienne", days_ago=90)
    publish(ground, "Entre deux", days_ago=30)
    for each in (newest, oldest):
        read(ground, each)
    with db.transaction(ground.as_patient):
        page = queries.page(ground.patient.id, ground.account.id, Filters())
        assert titles(page) == ["Entre deux", "Récente", "Ancienne"]
        assert [len(page.unread), len(page.others)] == [1, 2]


def test_filters_and_counts_agree(ground: Ground) -> None:
    publish(ground, "Lettre", "11490-0", days_ago=3)
    publish(ground, "Ordonnance", "57833-6", days_ago=800)
    with prepared():
        shelf.sent(shelf.begun(ground.hospital.establishment, ground.patient, title="Mon ordonnance"))
    with db.transaction(ground.as_patient):
        patient, account = ground.patient.id, ground.account.id
        counted = queries.counts(patient, account)
        assert (counted.everything, counted.unread, counted.deposited) == (3, 2, 1)
        assert {kind: counted.kinds[kind] for kind in ("letter", "prescription")} == {"letter": 1, "prescription": 1}
        for kind in ("letter", "prescription"):
            assert len(queries.page(patient, account, Filters(kind=kind)).lines) == counted.kinds[kind]
        for year, total in counted.years.items():
            assert len(queries.page(patient, account, Filters(year=year)).lines) == total
        assert len(queries.page(patient, account, Filters(unread=True)).lines) == 2
        assert len(queries.page(patient, account, Filters(deposited=True)).lines) == 1
        assert len(queries.page(patient, account, Filters(hospital=ground.here)).lines) == 3
        assert queries.page(patient, account, Filters(hospital=uuid4())).lines == []


def test_a_word_of_the_title_or_of_the_author_finds(ground: Ground, dominique: FlaskClient) -> None:
    publish(ground, "Échographie du cœur")
    publish(ground, "Lettre de sortie")
    page = dominique.post("/documents/rechercher", data={"words": "échographie"})
    assert page.status_code == 200
    assert "Échographie du cœur" in page.text
    assert "Lettre de sortie" not in page.text


@pytest.mark.parametrize("typed", ["%", "_", "'; drop table document; --", "\\", "zzz"])
def test_a_search_is_words_and_nothing_else(ground: Ground, dominique: FlaskClient, typed: str) -> None:
    publish(ground, "Lettre de sortie")
    page = dominique.post("/documents/rechercher", data={"words": typed})
    assert page.status_code == 200
    assert "Lettre de sortie" not in page.text
    assert "No document has all these words" in page.text


def test_too_long_a_search_is_said_in_words(ground: Ground, dominique: FlaskClient) -> None:
    page = dominique.post("/documents/rechercher", data={"words": "a" * 200})
    assert page.status_code == 422
    assert "Write 100 characters at most." in page.text


@pytest.mark.parametrize("query", ["kind=<script>", "hospital=nobody", "year=99999", "page=-4", "page=1e9", "show=x"])
def test_an_unknown_filter_counts_for_nothing(ground: Ground, dominique: FlaskClient, query: str) -> None:
    publish(ground, "Lettre de sortie")
    assert dominique.get(f"/documents?{query}").status_code == 200


def test_a_page_asks_the_database_few_things(
    ground: Ground, dominique: FlaskClient, count_statements: Callable[[], object]
) -> None:
    with prepared():
        shelf.many(ground.hospital.establishment, ground.patient, 60)
        shelf.sent(shelf.begun(ground.hospital.establishment, ground.patient))
    dominique.get("/documents")
    with count_statements() as seen:  # type: ignore[attr-defined]  # a context manager
        assert dominique.get("/documents").status_code == 200
    assert len(seen) <= 12, "\n".join(seen)


def test_other_rooms_lay_their_things_on_the_shelf(
    ground: Ground, dominique: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = Line("Facture 12", datetime(2026, 3, 1, tzinfo=UTC), "Hôpital d’essai", "/factures/1", "25,00 €")
    bills = Source("bills", "Bills", "To pay", "receipt-euro", "payment", "my_documents.shelf", lambda _p: 1,
                   lambda _p, _n: [line])  # fmt: skip
    monkeypatch.setattr(sources, "_sources", {})
    sources.offer(bills)
    assert "Bills (1)" in dominique.get("/documents").text
    assert "Facture 12" in dominique.get("/documents?kind=bills").text


# -- when it is shown ----------------------------------------------------------------------------------------------


def test_a_result_waits_for_the_consultation_and_leaves_no_hint(
    ground: Ground, dominique: FlaskClient, work_jobs: Callable[[], None]
) -> None:
    with prepared():
        shelf.document_type(ground.hospital.establishment, "11526-1", kind="result", delay="consultation")
    document_id = publish(ground, "Résultat d’anatomopathologie", "11526-1")
    work_jobs()
    assert "anatomopathologie" not in dominique.get("/documents").text
    assert dominique.get("/documents?kind=result").text.count("app-files__link") == 0
    for address in ("", "/fichier", "/original"):
        assert dominique.get(f"/documents/{document_id}{address}").status_code == 404
    assert "anatomopathologie" not in dominique.post("/documents/rechercher", data={"words": "anatomo"}).text
    assert rows(Notification) == []
    with db.transaction(ground.as_patient):
        assert queries.counts(ground.patient.id, ground.account.id).everything == 0


def test_an_agent_shows_it_and_the_patient_is_told_once(
    ground: Ground, dominique: FlaskClient, work_jobs: Callable[[], None]
) -> None:
    with prepared():
        shelf.document_type(ground.hospital.establishment, "11526-1", kind="result", delay="consultation")
    document_id = publish(ground, "Résultat d’anatomopathologie", "11526-1")
    with db.transaction(ground.as_agent):
        actions.release(session.get_one(Document, document_id))
    work_jobs()
    with db.transaction(ground.as_agent), pytest.raises(NotPossibleNow):
        actions.release(session.get_one(Document, document_id))
    work_jobs()
    assert len(rows(Notification)) == 1
    assert "anatomopathologie" not in rows(Notification)[0].body
    assert dominique.get(f"/documents/{document_id}").status_code == 200


def test_when_the_delay_is_over_the_patient_is_told_once(ground: Ground, work_jobs: Callable[[], None]) -> None:
    with prepared():
        shelf.document_type(ground.hospital.establishment, "11502-2", kind="result", delay="days", delay_days=3)
    document_id = publish(ground, "Prise de sang", "11502-2")
    work_jobs()
    assert rows(Notification) == []
    with prepared():
        session.get_one(Document, document_id).visible_at = db.now() - timedelta(minutes=1)
    from services.documents.shelf.jobs import show_delayed

    for _again in range(2):
        show_delayed()
        work_jobs()
    assert len(rows(Notification)) == 1


def test_a_correction_is_shown_when_what_it_corrects_is(ground: Ground) -> None:
    establishment = ground.hospital.establishment
    first = documents.letter(ground.traits, type_code="11502-2", title="Prise de sang")
    from services.documents import cda

    header = cda.read_header(first)
    with prepared():
        old = documents.received(establishment, first)
        shelf.document_type(establishment, "11502-2", kind="result", delay="consultation")
        second = documents.letter(
            ground.traits, type_code="11502-2", title="Prise de sang corrigée", set_id=header.set_id, version=2,
            replaces=header.unique_id,
        )  # fmt: skip
        new = documents.received(establishment, second)
        assert (old.state, new.state) == ("superseded", "filed")
        assert new.visible_at == old.visible_at


def test_without_any_rule_a_document_is_shown_at_once(ground: Ground) -> None:
    with prepared():
        rules = showing.rules_for(ground.here, "11490-0")
        assert rules == Rules("letter")
        given_at = db.now()
        assert showing.visible_from(rules, given_at, ground.hospital.establishment) == given_at


def test_the_rules_of_all_others_hold_for_a_type_without_its_own(ground: Ground) -> None:
    with prepared():
        shelf.document_type(ground.hospital.establishment, "", delay="days", delay_days=2, kind="other")
        shelf.document_type(ground.hospital.establishment, "11502-2", kind="result")
        assert showing.rules_for(ground.here, "18748-4").delay == "days"
        assert showing.rules_for(ground.here, "18748-4").kind == "imaging"
        assert showing.rules_for(ground.here, "11502-2").delay == "none"


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)),
    st.integers(1, 30),
    st.sampled_from(["days", "business_days"]),
)
def test_a_delay_ends_on_a_morning_after_that_many_days(given_at: datetime, days: int, unit: str) -> None:
    hospital = Establishment(name="H", finess="990000017", time_zone="Europe/Paris", holidays="")
    moment = given_at.replace(tzinfo=UTC)
    shown = showing.visible_from(Rules("result", unit, days), moment, hospital)
    assert shown is not None
    assert shown > moment
    there = shown.astimezone(hospital.tz)
    passed = (there.date() - calendar.civil_day(moment, hospital.tz)).days
    assert there.time() == time(8)
    assert passed == days if unit == "days" else passed >= days and calendar.is_business_day(there.date())


@given(st.text(max_size=20))
def test_every_type_is_of_some_kind(code: str) -> None:
    assert kinds.kind_of(code) in kinds.KINDS


# -- what is kept from somebody ------------------------------------------------------------------------------------


def test_what_is_masked_is_nowhere_for_those_who_act_for_the_patient(ground: Ground) -> None:
    shown, hidden = publish(ground, "Pour tous"), publish(ground, "Pour moi seule")
    with prepared():
        session.get_one(Document, hidden).masked = True
        deposit = shelf.sent(shelf.begun(ground.hospital.establishment, ground.patient, title="À moi"))
        deposit.masked = True
    proxy = shelf.as_proxy(ground.other_account, ground.patient)
    with db.transaction(proxy):
        assert titles(queries.page(ground.patient.id, ground.other_account.id, Filters())) == ["Pour tous"]
        assert queries.counts(ground.patient.id, ground.other_account.id).everything == 1
        assert queries.titled(ground.patient.id, ["pour"]) == [shown]
        assert queries.titled(ground.patient.id, ["moi"]) == []


@pytest.mark.parametrize(("code", "own", "proxys"), [("INVISIBLE_PATIENT", 0, 0), ("INVISIBLE_REP_LEGAUX", 1, 0)])
def test_what_its_sender_hides_is_not_shown(ground: Ground, code: str, own: int, proxys: int) -> None:
    document_id = publish(ground)
    with prepared():
        room.change_visibility(session.get_one(Document, document_id), [code])
    for actor, account, expected in (
        (ground.as_patient, ground.account, own),
        (shelf.as_proxy(ground.other_account, ground.patient), ground.other_account, proxys),
    ):
        with db.transaction(actor):
            assert queries.counts(ground.patient.id, account.id).everything == expected


def test_a_withdrawn_document_is_named_and_cannot_be_opened(ground: Ground, dominique: FlaskClient) -> None:
    document_id = publish(ground, "Compte rendu opératoire")
    with prepared():
        room.withdraw(session.get_one(Document, document_id), "sender_withdrew")
    assert "Withdrawn by the hospital" in dominique.get("/documents").text
    page = dominique.get(f"/documents/{document_id}")
    assert page.status_code == 200
    assert "The hospital withdrew this document on" in page.text
    assert "The sender asked for it to be withdrawn" in page.text
    for part in ("fichier", "original"):
        assert dominique.get(f"/documents/{document_id}/{part}").status_code == 404


def test_nobody_else_sees_the_rules_of_a_hospital_nor_changes_them(ground: Ground) -> None:
    with prepared():
        shelf.document_type(ground.hospital.establishment, "11502-2", kind="result")
    with db.transaction(ANONYMOUS):
        assert session.query(DocumentType).count() == 0
    with db.transaction(ground.as_patient):
        session.query(DocumentType).update({"delay": "days"})
    with db.transaction(ground.as_other_agent):
        session.query(DocumentType).delete()
    assert [row.delay for row in rows(DocumentType)] == ["none"]


def test_a_national_type_is_read_without_its_abbreviation() -> None:
    assert kinds.in_full("CR d'examens biologiques") == "Compte rendu d’examens biologiques"
    assert kinds.in_full("Lettre de liaison à la sortie") == "Lettre de liaison à la sortie"
