"""The identity unit answers requests about data before their legal date, and the person hears that something waits."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from auth.account import actions
from auth.account.models import DataRequest, DataRequestChange
from auth.account.states import months_after
from auth.models import Account, Patient
from portal import db
from portal.establishments import Establishment
from portal.notifications import Notification
from tests.factories import hospitals, people
from tests.ground import audited, prepared, rows, today
from tests.statements import executed

SignIn = Callable[[Account], FlaskClient]
PAGE = "/admin/demandes"


@dataclass(frozen=True)
class Ground:
    hospital: Establishment
    agent: Account
    account: Account
    patient: Patient
    asked: DataRequest


@pytest.fixture
def ground(app: Flask) -> Ground:
    with prepared():
        here = hospitals.hospital("990000017", "Hôpital du Nord").establishment
        agent = people.agent(here.id, "identity", name="Ida Identité")
        account, patient = people.patient_with_account()
    with db.transaction(people.as_patient(account, patient)):
        asked = actions.ask_hospital(patient.id, here, "deletion", "Une lettre qui n’est pas à moi", "")
    return Ground(here, agent, account, patient, asked)


@pytest.fixture
def agent(ground: Ground, sign_in: SignIn) -> FlaskClient:
    browser = sign_in(ground.agent)
    browser.set_cookie("parvis_lang", "en")
    return browser


def one() -> DataRequest:
    (asked,) = rows(DataRequest)
    return asked


def test_requests_are_listed_with_their_date(agent: FlaskClient, ground: Ground) -> None:
    page = agent.get(PAGE).text
    assert ground.asked.number in page
    assert ground.patient.full_name in page
    assert "Late" not in page


@pytest.mark.parametrize(("days", "told"), [(-1, "Late"), (3, "Soon")])
def test_what_is_urgent_is_marked(agent: FlaskClient, ground: Ground, days: int, told: str) -> None:
    with prepared():
        db.session.execute(update(DataRequest).values(due_on=today() + timedelta(days=days)))
    assert told in agent.get(PAGE).text


def test_an_empty_tray_says_so(agent: FlaskClient) -> None:
    assert "No request is over yet" in agent.get(f"{PAGE}?etat=closes").text


def test_reading_one_is_written_down(agent: FlaskClient, ground: Ground) -> None:
    assert "Une lettre" in agent.get(f"{PAGE}/{ground.asked.id}").text
    assert audited()[-1] == "data_request.opened"


@pytest.mark.parametrize("decision", ["accepted", "partly", "refused"])
def test_an_answer_closes_it_and_tells_the_person_without_saying_what(
    agent: FlaskClient, ground: Ground, decision: str
) -> None:
    answer = agent.post(f"{PAGE}/{ground.asked.id}", data={"decision": decision, "answer": "La lettre a été retirée."})
    assert answer.status_code == 303
    assert (one().state, one().answer) == (decision, "La lettre a été retirée.")
    mails = sorted(rows(Notification), key=lambda mail: mail.created_at)
    assert mails[-1].recipient == ground.account.email
    assert "lettre" not in mails[-1].body
    assert audited()[-1] == f"data_request.{decision}"


@pytest.mark.parametrize(
    "data", [{"decision": "accepted"}, {"answer": "Oui"}, {"decision": "withdrawn", "answer": "x"}]
)
def test_half_an_answer_is_refused_in_words(agent: FlaskClient, ground: Ground, data: dict[str, str]) -> None:
    assert agent.post(f"{PAGE}/{ground.asked.id}", data=data).status_code == 422
    assert one().state == "received"


def test_two_more_months_are_taken_once_and_with_a_reason(agent: FlaskClient, ground: Ground) -> None:
    address = f"{PAGE}/{ground.asked.id}/prolonger"
    assert agent.post(address, data={"reason": ""}).status_code == 422
    assert "two more months" in agent.get(address).text
    first = one().due_on
    agent.post(address, data={"reason": "Le dossier est réparti sur trois sites."})
    assert one().state == "extended"
    assert one().due_on >= months_after(first, 2) - timedelta(days=3)
    agent.post(address, data={"reason": "Encore."})
    assert [change.to_state for change in rows(DataRequestChange)].count("extended") == 1


def test_the_second_of_two_answers_changes_nothing(agent: FlaskClient, ground: Ground) -> None:
    address = f"{PAGE}/{ground.asked.id}"
    agent.post(address, data={"decision": "refused", "answer": "Non."})
    agent.post(address, data={"decision": "accepted", "answer": "Oui."})
    assert one().state == "refused"


def test_the_person_reads_the_answer_and_where_to_complain(agent: FlaskClient, ground: Ground, sign_in: SignIn) -> None:
    agent.post(f"{PAGE}/{ground.asked.id}", data={"decision": "refused", "answer": "Elle est bien à vous."})
    page = sign_in(ground.account).get(f"/mon-compte/donnees/demandes/{ground.asked.id}").text
    assert "Elle est bien à vous." in page
    assert "cnil.fr" in page


def test_the_register_counts_days_on_the_clock_of_the_hospital(agent: FlaskClient, ground: Ground) -> None:
    with prepared():
        db.session.execute(update(DataRequest).values(received_at=datetime(2026, 11, 23, 23, 20, tzinfo=UTC)))
    assert ",2026-11-24," in agent.get(f"{PAGE}/registre.csv").text.replace(";", ",")


def test_the_register_lists_every_request_without_saying_what_it_is_about(agent: FlaskClient, ground: Ground) -> None:
    answer = agent.get(f"{PAGE}/registre.csv")
    lines = list(csv.reader(StringIO(answer.text.removeprefix("\ufeff")), delimiter=";"))
    assert lines[1][0] == ground.asked.number
    assert "lettre" not in answer.text


def test_another_hospital_does_not_find_it(ground: Ground, sign_in: SignIn) -> None:
    with prepared():
        south = hospitals.hospital("990000025", "Hôpital du Sud").establishment
        other = people.agent(south.id, "identity", name="Iris Ailleurs")
    browser = sign_in(other)
    assert ground.asked.number not in browser.get(PAGE).text
    assert browser.get(f"{PAGE}/{ground.asked.id}").status_code == 404
    data = {"decision": "refused", "answer": "Non."}
    assert browser.post(f"{PAGE}/{ground.asked.id}", data=data).status_code == 404


def test_the_tray_asks_little_of_the_database(app: Flask, agent: FlaskClient) -> None:
    with executed(app) as statements:
        agent.get(PAGE)
    assert len(statements) <= 12, statements
