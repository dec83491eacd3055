"""Deposits: asked for or not, sent by a browser without scripts, judged, followed; seen by nobody else."""

import io
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from auth.account.export import parts
from auth.enrolment.belongings import Move
from auth.models import Account
from portal import db, retention
from portal.db import ANONYMOUS, Actor, session
from portal.gateways.antivirus.twin import EICAR
from portal.kpi import KpiEvent
from portal.notifications import Notification
from services.documents.actions import PatientNotKnown
from services.documents.deposits import actions, belongings, queries
from services.documents.deposits.actions import Closed
from services.documents.deposits.models import Deposit
from services.documents.deposits.queries import Deposited
from services.pieces.models import Piece, PiecePage
from tests.english import in_english as in_english
from tests.factories import shelf
from tests.ground import audited, prepared, rows
from tests.services.documents.conftest import Ground


@pytest.fixture
def dominique(ground: Ground, sign_in: Callable[[Account], FlaskClient]) -> FlaskClient:
    return sign_in(ground.account)


def found(ground: Ground, deposit_id: UUID) -> Deposited:
    one = queries.one_of_patient(ground.patient.id, deposit_id)
    assert one is not None
    return one


def posted(ground: Ground, **changes: str) -> dict[str, str]:
    return {
        "kind": "prescription",
        "title": "Ordonnance du docteur Martin",
        "unit": f"u{ground.hospital.unit.id}",
        "text": "Pour ma consultation.",
        "once": str(uuid4()),
    } | changes


def sheet(name: str = "page.jpg", data: bytes | None = None) -> tuple[io.BytesIO, str]:
    return io.BytesIO(data or shelf.photo()), name


# -- the patient ---------------------------------------------------------------------------------------------------


def test_a_patient_sends_photos_without_a_script(ground: Ground, dominique: FlaskClient) -> None:
    begun = dominique.post("/documents/envoyer", data=posted(ground))
    assert begun.status_code == 303
    pages = begun.location
    assert dominique.get(pages).status_code == 200
    more = dominique.post(pages, data={"file": [sheet()], "more": "1", "once": str(uuid4())})
    assert more.location == pages
    done = dominique.post(pages, data={"file": [sheet("2.jpg", shelf.photo((10, 90, 10)))], "once": str(uuid4())})
    page = dominique.get(done.location)
    assert "It has arrived" in page.text
    assert "2 pages received" in page.text
    deposit = rows(Deposit)[0]
    assert deposit.reference in page.text
    assert deposit.sent_at is not None
    assert "Ordonnance du docteur Martin" in dominique.get("/documents").text


def test_a_hospital_sees_nothing_before_it_is_sent(ground: Ground) -> None:
    with db.transaction(ground.as_patient):
        deposit = shelf.begun(ground.hospital.establishment, ground.patient)
    with db.transaction(ground.as_agent):
        assert queries.one_at([ground.here], deposit.id) is None
    with db.transaction(ground.as_patient):
        shelf.sent(deposit)
    with db.transaction(ground.as_agent):
        seen = queries.to_judge_at([ground.here])
        assert [each.deposit.id for each in seen] == [deposit.id]
        assert len(seen[0].piece.pages) == 1


@pytest.mark.parametrize("missing", ["kind", "title", "unit"])
def test_what_is_missing_is_said_and_nothing_is_lost(ground: Ground, dominique: FlaskClient, missing: str) -> None:
    page = dominique.post("/documents/envoyer", data=posted(ground, **{missing: ""}))
    assert page.status_code == 422
    assert "Pour ma consultation." in page.text
    assert rows(Deposit) == []


@pytest.mark.parametrize("unit", ["u00000000-0000-0000-0000-000000000000", "hx", "x", "h"])
def test_an_unknown_unit_is_refused(ground: Ground, dominique: FlaskClient, unit: str) -> None:
    assert dominique.post("/documents/envoyer", data=posted(ground, unit=unit)).status_code == 422


def test_a_double_click_begins_one_deposit(ground: Ground, dominique: FlaskClient) -> None:
    data = posted(ground)
    first, second = (dominique.post("/documents/envoyer", data=dict(data)) for _ in range(2))
    assert first.location == second.location
    assert len(rows(Deposit)) == 1


def test_a_virus_is_refused_and_said(ground: Ground, dominique: FlaskClient) -> None:
    pages = dominique.post("/documents/envoyer", data=posted(ground)).location
    page = dominique.post(pages, data={"file": [sheet("v.pdf", EICAR)], "once": str(uuid4())})
    assert page.status_code == 422
    assert rows(PiecePage) == []


def test_something_that_is_no_document_is_refused(ground: Ground, dominique: FlaskClient) -> None:
    pages = dominique.post("/documents/envoyer", data=posted(ground)).location
    page = dominique.post(pages, data={"file": [sheet("page.jpg", b"#!/bin/sh\nrm -rf /")], "once": str(uuid4())})
    assert page.status_code == 422


def test_nothing_is_sent_without_a_page(ground: Ground, dominique: FlaskClient) -> None:
    pages = dominique.post("/documents/envoyer", data=posted(ground)).location
    page = dominique.post(pages, data={"once": str(uuid4())})
    assert page.status_code == 422
    assert "Choose a file." in page.text


def test_what_was_begun_can_be_thrown_away_until_it_is_sent(ground: Ground, dominique: FlaskClient) -> None:
    pages = dominique.post("/documents/envoyer", data=posted(ground)).location
    dominique.post(pages.replace("/pages", "/abandonner"))
    assert rows(Deposit)[0].closed_at is not None
    with db.transaction(ground.as_patient):
        sent = shelf.sent(shelf.begun(ground.hospital.establishment, ground.patient))
        with pytest.raises(Closed):
            actions.give_up(found(ground, sent.id))


# -- the hospital --------------------------------------------------------------------------------------------------


def test_a_unit_asks_and_the_patient_is_told_without_a_word_of_it(
    ground: Ground, dominique: FlaskClient, work_jobs: Callable[[], None]
) -> None:
    with db.transaction(ground.as_agent):
        deposit = shelf.asked(ground.patient, ground.hospital.unit, due_on=db.now().date() + timedelta(days=9))
    work_jobs()
    mail = rows(Notification)[0]
    assert "sang" not in mail.subject + mail.body
    assert "prise de sang" in dominique.get("/documents").text
    assert "Celle de moins de trois mois." in dominique.get(f"/documents/envois/{deposit.id}/pages").text


def test_only_a_patient_of_the_hospital_is_asked(ground: Ground) -> None:
    with db.transaction(ground.as_agent), pytest.raises(PatientNotKnown):
        shelf.asked(ground.other_patient, ground.hospital.unit)


def test_a_refused_deposit_comes_back_with_its_reason_and_is_replaced(
    ground: Ground, dominique: FlaskClient, work_jobs: Callable[[], None]
) -> None:
    with db.transaction(ground.as_patient):
        deposit = shelf.sent(shelf.begun(ground.hospital.establishment, ground.patient))
    with db.transaction(ground.as_agent):
        one = queries.one_at([ground.here], deposit.id)
        assert one is not None
        actions.refuse(one, "unreadable", "La page 2 est floue.")
    work_jobs()
    assert len(rows(Notification)) == 1
    assert "To send again" in dominique.get("/documents").text
    address = f"/documents/envois/{deposit.id}/pages"
    assert "La page 2 est floue." in dominique.get(address).text
    again = {"file": [sheet("3.jpg", shelf.photo((3, 3, 99)))], "once": str(uuid4())}
    assert dominique.post(address, data=again).status_code == 303
    with db.transaction(ground.as_agent):
        waiting = queries.to_judge_at([ground.here])
        assert [len(each.piece.pages) for each in waiting] == [1]
        actions.accept(waiting[0])
    assert {"deposit.sent", "deposit.refused", "deposit.sent_again", "deposit.accepted"} <= set(audited())
    counted = [each.event for each in rows(KpiEvent) if each.event.startswith("deposit")]
    assert sorted(counted) == ["deposit_accepted", "deposit_refused", "deposit_sent"]


def test_what_is_accepted_changes_no_more(ground: Ground, dominique: FlaskClient) -> None:
    with db.transaction(ground.as_patient):
        deposit = shelf.sent(shelf.begun(ground.hospital.establishment, ground.patient))
    with db.transaction(ground.as_agent):
        one = queries.one_at([ground.here], deposit.id)
        assert one is not None
        actions.accept(one)
    assert dominique.get(f"/documents/envois/{deposit.id}/pages").status_code == 303
    assert "The hospital has taken it" in dominique.get(f"/documents/envois/{deposit.id}").text


def test_what_is_no_longer_asked_leaves_the_list(ground: Ground) -> None:
    with db.transaction(ground.as_agent):
        deposit = shelf.asked(ground.patient, ground.hospital.unit)
        one = queries.one_at([ground.here], deposit.id)
        assert one is not None
        actions.no_longer_ask(one)
    with db.transaction(ground.as_patient):
        assert queries.waiting_for(ground.patient.id) == []
        with pytest.raises(Closed):
            actions.send(found(ground, deposit.id))


# -- nobody else ---------------------------------------------------------------------------------------------------


def _actors(ground: Ground) -> dict[str, Actor]:
    return {
        "other patient": ground.as_other_patient,
        "other agent": ground.as_other_agent,
        "professional": ground.as_professional,
        "anybody": ANONYMOUS,
        "another right": Actor("staff", "X", ground.agent.id, rights={"billing": frozenset({ground.here})}),
    }


@pytest.mark.parametrize("who", ["other patient", "other agent", "professional", "anybody", "another right"])
def test_nobody_else_sees_a_deposit_nor_its_pages(ground: Ground, who: str) -> None:
    with db.transaction(ground.as_patient):
        shelf.sent(shelf.begun(ground.hospital.establishment, ground.patient))
    with db.transaction(_actors(ground)[who]):
        assert [len(session.scalars(select(table)).all()) for table in (Deposit, Piece, PiecePage)] == [0, 0, 0]


def test_another_patients_address_leads_nowhere(ground: Ground, sign_in: Callable[[Account], FlaskClient]) -> None:
    with db.transaction(ground.as_patient):
        deposit = shelf.sent(shelf.begun(ground.hospital.establishment, ground.patient))
    stranger = sign_in(ground.other_account)
    for address in ("", "/pages"):
        assert stranger.get(f"/documents/envois/{deposit.id}{address}").status_code == 404


def test_a_proxy_for_papers_does_not_see_health_documents(ground: Ground) -> None:
    with db.transaction(ground.as_patient):
        shelf.sent(shelf.begun(ground.hospital.establishment, ground.patient))
    reached = frozenset({ground.patient.id})
    proxy = Actor("patient", "Proche", ground.other_account.id, patients=reached, proxied=reached,
                  scopes={"administrative": reached})  # fmt: skip
    with db.transaction(proxy):
        assert [len(session.scalars(select(table)).all()) for table in (Deposit, Piece)] == [0, 0]
    with db.transaction(shelf.as_proxy(ground.other_account, ground.patient)):
        assert [len(session.scalars(select(table)).all()) for table in (Deposit, Piece)] == [1, 1]


# -- the copy of one's data, links, retention ----------------------------------------------------------------------


def test_the_copy_of_my_data_holds_what_i_sent(ground: Ground) -> None:
    with db.transaction(ground.as_patient):
        shelf.sent(shelf.begun(ground.hospital.establishment, ground.patient))
    with prepared():
        part = next(each for each in parts(ground.patient.id) if each.code == "deposits")
        assert [entry.title for entry in part.entries] == ["Ordonnance"]
        assert len(part.files) == 1


def test_deposits_follow_a_link_and_come_back(ground: Ground) -> None:
    def owners() -> set[UUID]:
        session.flush()
        return {each.patient_id for table in (Deposit, Piece, PiecePage) for each in session.scalars(select(table))}

    with prepared():
        shelf.sent(shelf.begun(ground.hospital.establishment, ground.patient))
        here, there = ground.patient.id, ground.other_patient.id
        moved = belongings.adopt(Move(ground.here, here, there, "0012345"))
        assert owners() == {there}
        belongings.release(Move(ground.here, there, here, "0012345", db.now()), moved)
        assert owners() == {here}


def test_retention_erases_the_pages_and_keeps_the_trace(ground: Ground) -> None:
    with db.transaction(ground.as_patient):
        deposit = shelf.sent(shelf.begun(ground.hospital.establishment, ground.patient))
        draft = shelf.begun(ground.hospital.establishment, ground.patient, title="Jamais envoyé")
    later = db.now() + timedelta(days=1)
    with prepared():
        one = queries.one_at([ground.here], deposit.id)
        assert one is not None
        actions.accept(one)
        due = {code: retention.rule(code).due(ground.here, later, 10) for code in ("deposit", "deposit_draft")}
        assert [[each.id for each in listed] for listed in due.values()] == [[deposit.id], [draft.id]]
        for code, listed in due.items():
            assert retention.rule(code).purge(listed[0].id, later)
            assert not retention.rule(code).purge(listed[0].id, later)
    with db.transaction(ground.as_patient):
        assert found_states(ground) == {"Ordonnance": "purged", "Jamais envoyé": "closed"}


def found_states(ground: Ground) -> dict[str, str]:
    return {each.deposit.title: each.state for each in queries.of_patient(ground.patient.id)}
