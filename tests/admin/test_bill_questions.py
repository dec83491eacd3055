"""The billing office's tray of questions: what to answer first, prepared answers, nothing of another hospital."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from auth.models import Account
from portal import db
from services.billing.models import Bill
from services.billing.questions import actions
from services.billing.questions.models import BillAnswer, BillQuestion, BillQuestionMessage
from services.billing.reminders.models import BillReminderSetting
from tests.factories import billing, hospitals, people
from tests.factories.hospitals import Hospital
from tests.ground import audited, prepared, rows, today
from tests.services.billing.conftest import SignIn, statements

TRAY = "/admin/factures/questions"
REMINDERS = "/admin/factures/rappels"


@pytest.fixture
def hospital(app: Flask) -> Hospital:
    with prepared():
        return hospitals.hospital()


@pytest.fixture
def asked(hospital: Hospital) -> BillQuestion:
    """Somebody disputes a bill."""
    with prepared():
        return _ask(hospital)


def _ask(hospital: Hospital, kind: str = "dispute") -> BillQuestion:
    _account, person = people.patient_with_account(birth_name=f"MARTIN{len(rows(Bill))}")
    bill = billing.bill(hospital.establishment, person)
    return actions.ask(person.id, bill.id, kind, "Bonjour, pourquoi cette somme ?")


@pytest.fixture
def agent(hospital: Hospital) -> Account:
    with prepared():
        return people.agent(hospital.establishment.id, "billing", name="Odile Maresquier")


@pytest.fixture
def desk(sign_in: SignIn, agent: Account) -> FlaskClient:
    return sign_in(agent)


def fields_of(page: str) -> dict[str, str]:
    """The hidden fields of the answer's form."""
    return {
        name: page.split(f'name="{name}"')[1].split('value="')[1].split('"')[0] for name in ("once", "version")
    }  # fmt: skip


def reference_of(asked: BillQuestion) -> str:
    with prepared():
        return db.session.scalars(select(Bill.reference).where(Bill.id == asked.bill_id)).one()


def test_the_tray_shows_what_waits_and_what_is_late(desk: FlaskClient, asked: BillQuestion) -> None:
    page = desk.get(TRAY)
    assert page.status_code == 200
    assert reference_of(asked) in page.text
    assert "app-notice--warning" not in page.text
    with prepared():
        db.session.execute(update(BillQuestion).values(due_on=today() - timedelta(days=1)))
    assert "app-notice--warning" in desk.get(TRAY).text


@pytest.mark.parametrize(
    ("query", "found"),
    [("etat=answered", False), ("etat=closed", False), ("motif=dispute", True), ("motif=paid", False),
     ("etat=x&motif=y&page=-4", True), ("etat=%00", True), ("page=999999999999", False)],
)  # fmt: skip
def test_filters(desk: FlaskClient, asked: BillQuestion, query: str, found: bool) -> None:
    page = desk.get(f"{TRAY}?{query}")
    assert page.status_code == 200
    assert (reference_of(asked) in page.text) is found


def test_an_agent_reads_and_answers_under_their_name(desk: FlaskClient, asked: BillQuestion) -> None:
    page = desk.get(f"{TRAY}/{asked.id}")
    assert "pourquoi cette somme" in page.text
    sent = desk.post(f"{TRAY}/{asked.id}/repondre", data={**fields_of(page.text), "text": "Voici pourquoi."})
    assert sent.status_code == 303
    said = rows(BillQuestionMessage)[-1]
    assert (said.text, said.from_staff, said.by_name) == ("Voici pourquoi.", True, "Odile Maresquier")
    assert rows(BillQuestion)[0].state == "answered"
    assert {"bill_question.opened", "bill_question.answered"} <= set(audited())


def test_an_answer_may_close_the_question(desk: FlaskClient, asked: BillQuestion) -> None:
    page = desk.get(f"{TRAY}/{asked.id}")
    desk.post(f"{TRAY}/{asked.id}/repondre", data={**fields_of(page.text), "text": "Voici.", "closes": "y"})
    assert rows(BillQuestion)[0].state == "closed"


def test_a_question_is_closed_without_a_word(desk: FlaskClient, asked: BillQuestion) -> None:
    version = fields_of(desk.get(f"{TRAY}/{asked.id}").text)["version"]
    assert desk.post(f"{TRAY}/{asked.id}/clore", data={"version": version}).status_code == 303
    assert rows(BillQuestion)[0].state == "closed"


def test_what_changed_meanwhile_is_read_again_before_anything_is_sent(desk: FlaskClient, asked: BillQuestion) -> None:
    fields = fields_of(desk.get(f"{TRAY}/{asked.id}").text)
    with prepared():
        bill = db.session.get_one(Bill, asked.bill_id)
        actions.go_on(bill.patient_id, asked.id, "Et aussi ceci.")  # type: ignore[arg-type]  # a bill of somebody
    page = desk.post(f"{TRAY}/{asked.id}/repondre", data={**fields, "text": "Trop tard"})
    assert page.status_code == 409
    for words in ("Et aussi ceci.", "Trop tard"):
        assert words in page.text
    again = desk.post(f"{TRAY}/{asked.id}/repondre", data={**fields_of(page.text), "text": "Trop tard"})
    assert again.status_code == 303


@pytest.mark.parametrize("text", ["", "x" * 2001, "a\x00b", "Carte 4970 1012 3456 7890"])
def test_an_answer_that_cannot_be_sent_is_told(desk: FlaskClient, asked: BillQuestion, text: str) -> None:
    fields = fields_of(desk.get(f"{TRAY}/{asked.id}").text)
    page = desk.post(f"{TRAY}/{asked.id}/repondre", data={**fields, "text": text})
    assert page.status_code == 422
    assert "govuk-error-summary" in page.text


def test_agents_start_from_what_their_hospital_prepared(
    desk: FlaskClient, hospital: Hospital, asked: BillQuestion
) -> None:
    place = hospital.establishment.finess
    form = desk.get(f"{TRAY}/reponses/nouvelle/{place}")
    key = form.text.split('name="once"')[1].split('value="')[1].split('"')[0]
    filled = {"once": key, "kind": "dispute", "title": "Deux forfaits", "body": "Bonjour, vous aviez raison."}
    assert desk.post(f"{TRAY}/reponses/nouvelle/{place}", data=filled).status_code == 303
    (kept,) = rows(BillAnswer)
    assert "Deux forfaits" in desk.get(f"{TRAY}/reponses").text
    assert "Deux forfaits" in desk.get(f"{TRAY}/{asked.id}").text
    assert "vous aviez raison" in desk.get(f"{TRAY}/{asked.id}?modele={kept.id}").text
    assert desk.post(f"{TRAY}/reponses/{kept.id}/supprimer").status_code == 303
    assert rows(BillAnswer) == []


def test_another_hospital_sees_none_of_it(sign_in: SignIn, hospital: Hospital, asked: BillQuestion) -> None:
    with prepared():
        actions.keep_answer(hospital.establishment.id, "", "Ici", "Bonjour.")
        elsewhere = hospitals.hospital("990000025", "Hôpital d’à côté")
        stranger = people.agent(elsewhere.establishment.id, "billing")
        without = people.agent(hospital.establishment.id, "appointments")
    (kept,) = rows(BillAnswer)
    browser = sign_in(stranger)
    assert reference_of(asked) not in browser.get(TRAY).text
    for path in (f"{TRAY}/{asked.id}", f"{TRAY}/reponses/{kept.id}", f"{REMINDERS}/{hospital.establishment.finess}",
                 f"{TRAY}/reponses/nouvelle/{hospital.establishment.finess}"):  # fmt: skip
        assert browser.get(path).status_code == 404, path
    for path in ("repondre", "clore"):
        answer = browser.post(f"{TRAY}/{asked.id}/{path}", data={"once": str(asked.id), "text": "x", "version": "x"})
        assert answer.status_code == 404, path
    assert sign_in(without).get(TRAY).status_code in (303, 403)


def test_the_bill_of_the_desk_leads_to_its_questions(desk: FlaskClient, asked: BillQuestion) -> None:
    assert f"{TRAY}/{asked.id}" in desk.get(f"/admin/factures/{asked.bill_id}").text


def test_pages_cost_few_statements(app: Flask, desk: FlaskClient, hospital: Hospital, asked: BillQuestion) -> None:
    with prepared():
        for _each in range(4):
            _ask(hospital, "question")
    for page in (TRAY, f"{TRAY}/{asked.id}", f"{TRAY}/reponses", REMINDERS):
        desk.get(page)
        with statements(app) as sent:
            desk.get(page)
        assert len(sent) <= 12, (page, len(sent))


# -- reminders ---------------------------------------------------------------------------------------------------

RULES = {
    "is_on": "y",
    "before_days": "5",
    "after_days": "3, 20",
    "send_at": "9",
    "quiet_from": "19",
    "quiet_until": "8",
}


def test_an_agent_says_when_bills_are_reminded_of(desk: FlaskClient, hospital: Hospital) -> None:
    page = f"{REMINDERS}/{hospital.establishment.finess}"
    assert desk.get(page).status_code == 200
    assert desk.post(page, data=RULES).status_code == 303
    (kept,) = rows(BillReminderSetting)
    assert (kept.before_days, kept.after_days, kept.send_at, kept.quiet_from) == ([5], [3, 20], 9, 19)
    assert "bill_reminders.changed" in audited()
    assert desk.post(page, data={**RULES, "is_on": ""}).status_code == 303
    assert not rows(BillReminderSetting)[0].is_on


@pytest.mark.parametrize(
    "wrong",
    [{"before_days": "abc"}, {"after_days": "1, 2, 3, 4, 5, 6"}, {"after_days": "91"}, {"after_days": "-3"},
     {"send_at": "7", "quiet_until": "9"}, {"send_at": "19", "quiet_from": "18"}, {"quiet_from": "zz"},
     {"before_days": "\x00"}],
)  # fmt: skip
def test_rules_that_make_no_sense_are_told(desk: FlaskClient, hospital: Hospital, wrong: dict[str, str]) -> None:
    answer = desk.post(f"{REMINDERS}/{hospital.establishment.finess}", data={**RULES, **wrong})
    assert answer.status_code == 422
    assert rows(BillReminderSetting) == []
