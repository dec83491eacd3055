"""Sorting letters: patients beside a letter, never chosen; several at once; ways out of quarantine."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from auth.models import Account
from portal import db, establishments, files
from portal.db import ANONYMOUS, session
from portal.notifications import Notification
from services.documents import actions, jobs
from services.documents.models import ArrivalDecision, Document, DocumentArrival, Misfiling
from services.documents.tray import actions as deciding
from services.documents.tray import queries, returning
from services.documents.tray.comparing import TRAITS, Described, closeness, compare, is_near
from tests.english import in_english as in_english
from tests.factories import documents, people
from tests.ground import audited, prepared, rows
from tests.services.documents.conftest import Ground

SignIn = Callable[[Account | UUID], FlaskClient]
TRAY = "/admin/documents"


@pytest.fixture
def agent(ground: Ground, sign_in: SignIn) -> FlaskClient:
    return sign_in(ground.agent)


def in_tray(ground: Ground, **changes: Any) -> Document:
    """A letter that does not say its INS, so that a person must decide."""
    with prepared():
        about = replace(ground.traits, ins="", ins_oid="", **changes)
        return documents.received(ground.hospital.establishment, documents.letter(about, title="Lettre à trier"))


def quarantined(ground: Ground, data: bytes, name: str = "recu.pdf") -> DocumentArrival:
    with prepared():
        (outcome,) = jobs.take_in_file(ground.here, "command", name, data, production=False)
        assert outcome.outcome == "quarantined"
    return next(each for each in rows(DocumentArrival) if each.code)


def state_of(document: Document) -> str:
    with prepared():
        return session.get_one(Document, document.id).state


def proposed(ground: Ground, document: Document) -> list[queries.Proposal]:
    with db.transaction(ground.as_agent):
        return queries.proposals(session.get_one(Document, document.id))


def once(**data: Any) -> dict[str, Any]:
    return {"once": str(uuid4()), **data}


# -- patients beside a letter --------------------------------------------------------------------------------------


def test_a_letter_is_shown_beside_the_patient_it_may_be_about(ground: Ground, agent: FlaskClient) -> None:
    document = in_tray(ground, sex="M")
    (proposal,) = proposed(ground, document)
    assert proposal.known.patient.id == ground.patient.id
    assert {each.code: each.agrees for each in proposal.traits} == {
        "ins": None, "ipp": None, "birth_name": True, "first_name": True, "birth_on": True, "sex": False,
    }  # fmt: skip
    page = agent.get(f"{TRAY}/{document.id}").text
    assert page.count("differs") == 1
    assert "checked" not in page.split('name="patient_id"')[1].split(">")[0], "nobody is chosen for the agent"


def test_the_number_of_the_hospital_alone_proposes_somebody(ground: Ground) -> None:
    document = in_tray(ground, ipp="0012345", ipp_oid="1.2.3", birth_name="AUTRE", birth_on=date(1950, 1, 1))
    assert [each.known.ipp for each in proposed(ground, document)] == ["0012345"]


def test_a_patient_of_another_hospital_is_never_proposed(ground: Ground) -> None:
    with prepared():
        stranger = people.patient("PAT-QUATRE", ("DOMINIQUE",), date(1979, 3, 28))
        people.known_at(stranger, ground.other_hospital.establishment.id, "777")
    document = in_tray(ground, birth_name="PAT-QUATRE")
    assert stranger.id not in {each.known.patient.id for each in proposed(ground, document)}


def test_a_forged_choice_is_refused(ground: Ground, agent: FlaskClient) -> None:
    document = in_tray(ground)
    data = once(patient_id=str(ground.other_patient.id), reason="identity_checked")
    assert agent.post(f"{TRAY}/{document.id}/attribuer", data=data).status_code == 422
    assert state_of(document) == "tray"


def test_letters_about_the_same_person_are_filed_with_one_gesture(ground: Ground, agent: FlaskClient) -> None:
    ipp = {"ipp": "0012345", "ipp_oid": "1.2.3"}
    first, second, other = in_tray(ground, **ipp), in_tray(ground, **ipp), in_tray(ground, sex="M", **ipp)
    page = agent.get(f"{TRAY}/{first.id}").text
    assert str(second.id) in page
    assert str(other.id) not in page, "one trait differs"
    data = once(patient_id=str(ground.patient.id), reason="identity_checked", together=[str(second.id)], then="next")
    answer = agent.post(f"{TRAY}/{first.id}/attribuer", data=data)
    assert answer.headers["Location"] == f"{TRAY}/{other.id}", "the next one to sort"
    assert [state_of(each) for each in (first, second, other)] == ["filed", "filed", "tray"]
    assert audited().count("document.assigned") == 2


def test_only_letters_that_were_offered_are_filed_together(ground: Ground, agent: FlaskClient) -> None:
    ipp = {"ipp": "0012345", "ipp_oid": "1.2.3"}
    first, other = in_tray(ground, **ipp), in_tray(ground, sex="M", **ipp)
    data = once(patient_id=str(ground.patient.id), reason="identity_checked", together=[str(other.id)])
    assert agent.post(f"{TRAY}/{first.id}/attribuer", data=data).status_code == 422
    assert [state_of(each) for each in (first, other)] == ["tray", "tray"]


described = st.builds(
    Described,
    ins=st.sampled_from(["", "279035121518989", "255069910600378"]),
    ipp=st.sampled_from(["", "1", "2"]),
    birth_name=st.sampled_from(["", "PAT-TROIS", "Pat-Trois", "AUTRUI"]),
    first_name=st.sampled_from(["", "DOMINIQUE", "ZOÉ"]),
    birth_on=st.sampled_from([None, date(1979, 3, 28), date(1980, 5, 17)]),
    sex=st.sampled_from(["", "F", "M"]),
)


@given(described, described)
def test_a_comparison_says_the_same_from_both_sides_and_claims_nothing_unsaid(one: Described, other: Described) -> None:
    there, back = compare(one, other), compare(other, one)
    assert [each.code for each in there] == list(TRAITS)
    assert [each.agrees for each in there] == [each.agrees for each in back]
    assert all((each.agrees is None) == (not each.said or not each.known) for each in there)
    assert closeness(there) == closeness(back)
    if is_near(one, other):
        assert any(each.agrees for each in there), "nobody is shown without something in common"


# -- the list ------------------------------------------------------------------------------------------------------


def test_the_tray_is_narrowed_by_reason_and_by_age(ground: Ground, agent: FlaskClient) -> None:
    old, new = in_tray(ground), in_tray(ground, sex="")
    with prepared():
        late = db.now() - timedelta(days=4)
        session.execute(update(Document).where(Document.id == old.id).values(received_at=late))
    page = agent.get(TRAY).text
    assert "4 days" in page
    assert page.index(str(old.id)) < page.index(str(new.id)), "the oldest first"
    assert str(new.id) not in agent.get(f"{TRAY}?age=2").text
    assert "No letter waits for this reason" in agent.get(f"{TRAY}?motif=901").text
    for nonsense in ("?page=-1", "?page=abc", "?hopital=nowhere", "?motif='"):
        assert agent.get(TRAY + nonsense).status_code == 200


def test_several_letters_are_set_aside_at_once(ground: Ground, agent: FlaskClient) -> None:
    letters = [in_tray(ground) for _ in range(3)]
    with prepared():
        elsewhere = documents.received(
            ground.other_hospital.establishment, documents.letter(replace(ground.traits, ins="", ins_oid=""))
        )
    ids = [str(each.id) for each in (*letters[:2], elsewhere)]
    data = once(letters=ids, reason="not_our_patient")
    assert agent.post(f"{TRAY}/ecarter-plusieurs", data=data).status_code == 303
    assert [state_of(each) for each in (*letters, elsewhere)] == ["discarded", "discarded", "tray", "tray"]


@pytest.mark.parametrize("data", [{"reason": ""}, {"reason": "not_our_patient"}, {"reason": "invented"}])
def test_setting_aside_needs_letters_and_a_reason(ground: Ground, agent: FlaskClient, data: dict[str, str]) -> None:
    document = in_tray(ground)
    ticked = {"letters": str(document.id)} if data["reason"] != "not_our_patient" else {}
    assert agent.post(f"{TRAY}/ecarter-plusieurs", data=once(**data, **ticked)).status_code == 422
    assert state_of(document) == "tray"


# -- a hospital that files by hand ---------------------------------------------------------------------------------


def test_a_hospital_may_file_every_letter_by_hand(ground: Ground) -> None:
    with prepared():
        establishments.change_setting(ground.here, "documents_auto_file", "no")
        outcome = documents.receive(ground.hospital.establishment, documents.letter(ground.traits))
    assert (outcome.outcome, outcome.reason) == ("tray", "by_hand")


# -- a wrong shelf -------------------------------------------------------------------------------------------------


def misfiled(ground: Ground) -> Document:
    """A letter about somebody else that an agent gave to the patient."""
    document = in_tray(ground, birth_name="AUTRE", first_name="Anne")
    with db.transaction(ground.as_agent):
        letter = session.get_one(Document, document.id)
        actions.assign(letter, ground.patient.id, "identity_checked")
    return document


def test_who_opened_a_misfiled_letter_is_told_to_the_agent_and_everybody_concerned_is_told(
    ground: Ground, agent: FlaskClient, sign_in: SignIn, work_jobs: Callable[[], None]
) -> None:
    with prepared():
        establishments.change_setting(ground.here, "data_protection_email", "dpo@ch-essai.test")
    document = misfiled(ground)
    patient = sign_in(ground.account)
    assert patient.get(f"/documents/{document.id}").status_code == 200
    work_jobs()
    before = len(rows(Notification))
    agent.post(f"{TRAY}/{document.id}/reprendre", data=once(reason="wrong_patient"))
    assert patient.get(f"/documents/{document.id}").status_code == 404
    work_jobs()
    page = agent.get(f"{TRAY}/{document.id}").text
    assert "It was in the documents of somebody else" in page
    assert "opened it" in page
    told = rows(Notification)[before:]
    assert {each.recipient for each in told} == {ground.account.email, "dpo@ch-essai.test"}
    assert not any("AUTRE" in each.body or "Lettre" in each.body for each in told)


def test_both_persons_find_the_trace_in_their_journal(ground: Ground, agent: FlaskClient) -> None:
    document = misfiled(ground)
    agent.post(f"{TRAY}/{document.id}/reprendre", data=once(reason="wrong_patient"))
    with prepared():
        right = people.patient("AUTRE", ("Anne",), date(1979, 3, 28))
        people.known_at(right, ground.here, "888")
    data = once(patient_id=str(right.id), reason="identity_checked")
    assert agent.post(f"{TRAY}/{document.id}/attribuer", data=data).status_code == 303
    assert {"document.taken_back", "document.put_right"} <= set(audited())


def test_a_letter_that_nobody_opened_disturbs_no_patient(
    ground: Ground, agent: FlaskClient, work_jobs: Callable[[], None]
) -> None:
    document = misfiled(ground)
    work_jobs()
    before = len(rows(Notification))
    agent.post(f"{TRAY}/{document.id}/reprendre", data=once(reason="wrong_patient"))
    work_jobs()
    assert ground.account.email not in {each.recipient for each in rows(Notification)[before:]}
    assert [each.openings for each in rows(Misfiling)] == [[]]


def test_another_reason_is_no_misfiling(ground: Ground, agent: FlaskClient) -> None:
    document = misfiled(ground)
    agent.post(f"{TRAY}/{document.id}/reprendre", data=once(reason="wrong_document"))
    assert rows(Misfiling) == []


# -- ways out of quarantine ----------------------------------------------------------------------------------------


def test_what_is_refused_is_kept_and_nobody_opens_it(ground: Ground, agent: FlaskClient) -> None:
    arrival = quarantined(ground, documents.pdf("Un courrier"))
    page = agent.get(f"{TRAY}/refuses").text
    assert "recu.pdf" in page
    assert agent.get(f"{TRAY}/refuses/{arrival.id}").status_code == 200
    with db.transaction(ground.as_agent):
        stored = queries.stored_of(session.get_one(DocumentArrival, arrival.id))
        assert stored is not None
        with pytest.raises(files.FileNotReadable):
            files.open_(stored)


def test_a_pdf_that_came_alone_is_taken_in_as_a_plain_file(ground: Ground, agent: FlaskClient) -> None:
    arrival = quarantined(ground, documents.pdf("Un courrier"))
    data = once(title="Courrier du docteur")
    assert agent.post(f"{TRAY}/refuses/{arrival.id}/en-fichier", data=data).status_code == 303
    (document,) = rows(Document)
    assert (document.state, document.level, document.title) == ("tray", "FILE", "Courrier du docteur")
    assert [each.outcome for each in rows(ArrivalDecision)] == ["tray"]
    assert "recu.pdf" not in agent.get(f"{TRAY}/refuses").text
    assert "recu.pdf" in agent.get(f"{TRAY}/refuses?decides=1").text


def test_what_is_no_file_for_people_stays_refused(ground: Ground, agent: FlaskClient) -> None:
    arrival = quarantined(ground, b"MZ\x90 a program", "lettre.pdf")
    agent.post(f"{TRAY}/refuses/{arrival.id}/en-fichier", data=once(title="Courrier"))
    agent.post(f"{TRAY}/refuses/{arrival.id}/relire", data={})
    assert rows(Document) == []
    assert rows(ArrivalDecision) == []


def test_a_letter_refused_by_mistake_is_read_again_and_filed(ground: Ground, agent: FlaskClient) -> None:
    """As after a correction of the portal: the bytes are those of a good letter."""
    arrival = quarantined(ground, documents.letter(ground.traits) + b" ", "lettre.bin")
    with prepared():
        row = session.get_one(DocumentArrival, arrival.id)
        assert row.reason == "not_cda"
        # The table is append-only for everybody but its owner; what changed here is what the portal reads.
        session.expunge(row)
        row.name = "lettre.xml"
        outcomes = deciding.look_again(row, production=False)
    assert [each.outcome for each in outcomes] == ["filed"]
    assert [each.outcome for each in rows(ArrivalDecision)] == ["released"]


def test_two_agents_do_not_decide_twice(ground: Ground, agent: FlaskClient) -> None:
    arrival = quarantined(ground, documents.pdf())
    for _each in range(2):
        agent.post(f"{TRAY}/refuses/{arrival.id}/abandonner", data=once(reason="not_a_letter"))
        agent.post(f"{TRAY}/refuses/{arrival.id}/retourner", data=once())
    assert [(each.outcome, each.reason) for each in rows(ArrivalDecision)] == [("discarded", "not_a_letter")]


def test_a_sender_is_told_by_the_way_it_came(
    ground: Ground, agent: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setitem(returning._ways, "command", lambda arrival, reason: told.append(reason))
    arrival = quarantined(ground, documents.pdf())
    agent.post(f"{TRAY}/refuses/{arrival.id}/retourner", data=once())
    assert told == ["not_cda"]
    assert [each.outcome for each in rows(ArrivalDecision)] == ["returned"]


def test_the_quarantine_of_another_hospital_is_closed(ground: Ground, sign_in: SignIn) -> None:
    arrival = quarantined(ground, documents.pdf())
    other = sign_in(ground.other_agent)
    assert other.get(f"{TRAY}/refuses/{arrival.id}").status_code == 404
    for end in ("relire", "en-fichier", "retourner", "abandonner"):
        answer = other.post(f"{TRAY}/refuses/{arrival.id}/{end}", data=once(title="T", reason="harmful"))
        assert answer.status_code == 404
    assert rows(ArrivalDecision) == []


def test_each_table_shows_nothing_to_others(ground: Ground, agent: FlaskClient) -> None:
    arrival = quarantined(ground, documents.pdf())
    agent.post(f"{TRAY}/refuses/{arrival.id}/abandonner", data=once(reason="not_a_letter"))
    document = misfiled(ground)
    agent.post(f"{TRAY}/{document.id}/reprendre", data=once(reason="wrong_patient"))
    for who in (ground.as_patient, ground.as_other_agent, ground.as_professional, ANONYMOUS):
        with db.transaction(who):
            for table in (ArrivalDecision, Misfiling):
                assert session.scalars(select(table)).all() == []
    with db.transaction(ground.as_agent):
        assert len(session.scalars(select(ArrivalDecision)).all()) == len(session.scalars(select(Misfiling)).all()) == 1


@pytest.mark.parametrize("path", ["", "/refuses", "/refuses/{arrival}", "/{document}"])
def test_each_page_costs_few_statements(
    ground: Ground, agent: FlaskClient, count_statements: Callable[[], Any], path: str
) -> None:
    arrival = quarantined(ground, documents.pdf())
    document = max((in_tray(ground) for _each in range(3)), key=lambda each: each.received_at)
    with count_statements() as statements:
        address = path.format(arrival=arrival.id, document=document.id)
        assert agent.get(TRAY + address).status_code == 200
    assert len(statements) <= 12, statements
