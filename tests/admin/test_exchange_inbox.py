"""The inbox of the units: each thread is in the group of what it waits for; agents share the work."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from auth.models import Account
from portal import db
from services.documents.exchanges import actions, inbox
from services.documents.exchanges.inbox import Wanted
from services.documents.exchanges.models import Exchange
from services.documents.mailboxes import oppositions
from tests.english import in_english as in_english
from tests.factories import documents, people
from tests.ground import audited, rows
from tests.services.documents.conftest import Ground
from tests.services.documents.conftest import count_statements as count_statements
from tests.services.documents.conftest import ground as ground

SignIn = Callable[[Account | UUID], FlaskClient]
INBOX = "/admin/documents/echanges"


@pytest.fixture
def agent(ground: Ground, sign_in: SignIn) -> FlaskClient:
    return sign_in(ground.agent)


@pytest.fixture
def thread(ground: Ground) -> UUID:
    return begin(ground, "Avis avant consultation")


def begin(ground: Ground, subject: str) -> UUID:
    with db.transaction(db.system("tests")):
        made = documents.exchange(ground.hospital.unit, ground.professional, ("professional", "Paul LEROY", "Bonjour"),
                                  subject=subject)  # fmt: skip
        return made.id


def do(browser: FlaskClient, gesture: str, *threads: UUID, **more: str) -> Any:
    return browser.post(f"{INBOX}/lot", data={"gesture": gesture, "exchanges": [str(each) for each in threads], **more})


def groups(ground: Ground) -> dict[str, int]:
    with db.transaction(ground.as_agent):
        return dict(inbox.of([ground.here], Wanted(), ground.agent.id).counts)


def test_a_thread_goes_from_group_to_group_as_people_act(ground: Ground, agent: FlaskClient, thread: UUID) -> None:
    assert groups(ground) == {"to_open": 1, "mine": 0, "to_answer": 0, "sent": 0}
    agent.get(f"{INBOX}/{thread}")
    assert groups(ground)["to_answer"] == 1
    do(agent, "take", thread)
    assert groups(ground)["mine"] == 1
    agent.post(f"{INBOX}/{thread}", data={"once": str(uuid4()), "text": "Bien reçu."})
    assert groups(ground) == {"to_open": 0, "mine": 1, "to_answer": 0, "sent": 1}
    do(agent, "close", thread)
    assert groups(ground) == {"to_open": 0, "mine": 0, "to_answer": 0, "sent": 0}
    assert "Avis avant consultation" in agent.get(f"{INBOX}?groupe=closed").text


def test_urgent_threads_come_first_then_whoever_waits_longest(ground: Ground, agent: FlaskClient, thread: UUID) -> None:
    second, third = begin(ground, "Deuxième"), begin(ground, "Troisième")
    do(agent, "urgent", third)
    page = agent.get(INBOX).text
    places = [page.index(subject) for subject in ("Troisième", "Avis avant consultation", "Deuxième")]
    assert places == sorted(places)
    do(agent, "normal", third)
    assert [each.priority for each in rows(Exchange)] == ["normal"] * 3
    assert second


def test_what_a_batch_cannot_change_is_left_and_told(ground: Ground, agent: FlaskClient, thread: UUID) -> None:
    do(agent, "close", thread)
    answer = do(agent, "take", thread)
    page = agent.get(answer.headers["Location"]).text
    assert "1 was left as it was." in page
    assert "Tick the exchanges first." in agent.get(do(agent, "take").headers["Location"]).text
    assert do(agent, "vanish", thread).status_code == 400
    assert do(agent, "take", *[uuid4() for _ in range(101)]).status_code == 413


def test_a_thread_is_only_given_to_an_agent_of_its_hospital(ground: Ground, agent: FlaskClient, thread: UUID) -> None:
    do(agent, "give", thread, agent=str(ground.other_agent.id))
    assert rows(Exchange)[0].assigned_id is None
    other = begin(ground, "Deuxième")
    do(agent, "take", other)
    do(agent, "give", thread, agent=str(ground.agent.id))
    assert {each.assigned_id for each in rows(Exchange)} == {ground.agent.id}


def test_nobody_elses_thread_is_touched(ground: Ground, sign_in: SignIn, thread: UUID) -> None:
    other = sign_in(ground.other_agent)
    do(other, "close", thread)
    assert [each.state for each in rows(Exchange)] == ["received"]
    assert "Avis avant consultation" not in other.get(INBOX).text
    for end in ("unite", "patient"):
        assert other.post(f"{INBOX}/{thread}/{end}", data={}).status_code == 404


def test_an_agent_says_whom_a_thread_is_about(ground: Ground, agent: FlaskClient, thread: UUID) -> None:
    found = agent.post(f"{INBOX}/{thread}/patient", data={"ipp": "0012345"})
    assert "PAT-TROIS" in found.text
    agent.post(f"{INBOX}/{thread}/patient", data={"patient_id": str(ground.patient.id)})
    assert rows(Exchange)[0].about_id == ground.patient.id
    stranger = agent.post(f"{INBOX}/{thread}/patient", data={"patient_id": str(ground.other_patient.id)})
    assert stranger.status_code == 404
    assert "exchange.recognised" in audited()


def test_a_thread_is_handed_to_a_unit_of_its_hospital_alone(ground: Ground, agent: FlaskClient, thread: UUID) -> None:
    refused = agent.post(f"{INBOX}/{thread}/unite", data={"unit_id": str(ground.other_hospital.unit.id)})
    assert refused.status_code == 400
    do(agent, "take", thread)
    agent.post(f"{INBOX}/{thread}/unite", data={"unit_id": str(ground.hospital.unit.id)})
    assert [each.assigned_id for each in rows(Exchange)] == [None], "the unit decides who takes it"


def test_a_reference_finds_one_thread_whatever_its_group(ground: Ground, agent: FlaskClient, thread: UUID) -> None:
    do(agent, "close", thread)
    reference = rows(Exchange)[0].reference
    assert "Avis avant consultation" in agent.get(f"{INBOX}?q={reference.lower()}").text
    assert "Nothing here" in agent.get(f"{INBOX}?q=ZZZZ-ZZZZ").text


@pytest.mark.parametrize("query", ["?groupe=nothing", "?page=x", "?page=-4", "?unite=1", "?avec=nobody", "?q=%00"])
def test_a_strange_address_shows_the_inbox(agent: FlaskClient, thread: UUID, query: str) -> None:
    assert agent.get(f"{INBOX}{query}").status_code in (200, 400)


def test_the_inbox_costs_as_many_statements_for_many_threads(
    ground: Ground, agent: FlaskClient, count_statements: Callable[[], Any]
) -> None:
    for rank in range(6):
        begin(ground, f"Avis {rank}")
    with count_statements() as statements:
        assert agent.get(INBOX).status_code == 200
    assert len(statements) <= 12, statements


def test_a_colleague_sees_who_has_it(ground: Ground, agent: FlaskClient, thread: UUID, sign_in: SignIn) -> None:
    do(agent, "take", thread)
    with db.transaction(db.system("tests")):
        colleague = people.agent(ground.here, "documents", name="Nadège ORVAULT")
    assert rows(Exchange)[0].assigned_name in sign_in(colleague).get(INBOX).text
    with db.transaction(ground.as_agent) as current:
        actions.take(current.get_one(Exchange, thread))


def test_a_patient_who_opposes_secure_mails_is_written_down_and_may_change_their_mind(
    ground: Ground, agent: FlaskClient, thread: UUID
) -> None:
    address = f"{INBOX}/{thread}/opposition"
    assert agent.post(address, data={"audience": "professional"}).status_code == 400, "about nobody yet"
    agent.post(f"{INBOX}/{thread}/patient", data={"patient_id": str(ground.patient.id)})
    assert agent.post(address, data={"audience": "everybody"}).status_code == 400
    agent.post(address, data={"audience": "professional"})
    assert "The patient no longer opposes it" in agent.get(f"{INBOX}/{thread}").text
    with db.transaction(db.system("tests")):
        assert oppositions.stands(ground.patient.id, ground.here, "professional")
        assert not oppositions.stands(ground.patient.id, ground.here, "patient")
    agent.post(address, data={"audience": "professional"})
    with db.transaction(db.system("tests")):
        assert not oppositions.stands(ground.patient.id, ground.here, "professional")
