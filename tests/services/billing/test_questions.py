"""A payer asks about a bill, the billing office answers in time, and nobody else reads it."""

from datetime import timedelta

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from auth.models import Account
from portal import calendar, db
from portal.notifications import Notification
from services.billing.questions import actions, export, queries, states
from services.billing.questions.actions import AlreadyAsked, ChangedMeanwhile, NotThere
from services.billing.questions.models import BillQuestion, BillQuestionChange, BillQuestionMessage
from services.billing.questions.states import NotAllowed
from tests.factories import billing, people
from tests.ground import audited, prepared, rows, today
from tests.services.billing.conftest import Ground, SignIn, statements
from tests.services.billing.test_who_sees import seen, strangers, writes

TABLES = ("bill_question", "bill_question_message", "bill_question_change")
TEXT = "Bonjour, pourquoi cette somme ?"


def ask(sign_in: SignIn, ground: Ground, kind: str = "dispute", text: str = TEXT) -> BillQuestion:
    """The payer asks, through the page."""
    browser = sign_in(ground.account)
    form = browser.get(f"{ground.page}/question")
    answer = browser.post(f"{ground.page}/question", data={**hidden(form.text), "kind": kind, "text": text})
    assert answer.status_code == 303, answer.text
    return rows(BillQuestion)[-1]


def hidden(page: str) -> dict[str, str]:
    """The key of the page's form."""
    return {"once": page.split('name="once"')[1].split('value="')[1].split('"')[0]}


@pytest.fixture
def agent(ground: Ground) -> Account:
    with prepared():
        return people.agent(ground.hospital.establishment.id, "billing", name="Odile Maresquier")


def answer(ground: Ground, agent: Account, *, closes: bool = False) -> BillQuestion:
    place = ground.hospital.establishment.id
    with db.transaction(people.as_agent(agent, place, "billing")):
        (open_one,) = queries.at([place], states.OPEN)
        return actions.answer([place], open_one.id, "Voici.", version=open_one.version, closes=closes)


def test_a_question_waits_for_the_hospital_with_its_words_and_its_history(sign_in: SignIn, ground: Ground) -> None:
    asked = ask(sign_in, ground)
    page = sign_in(ground.account).get(f"/factures/questions/{asked.id}")
    assert TEXT in page.text
    assert (asked.state, asked.kind, asked.account_id) == ("open", "dispute", ground.account.id)
    (said,), (change,) = rows(BillQuestionMessage), rows(BillQuestionChange)
    assert (said.text, said.from_staff) == (TEXT, False)
    assert (change.before, change.after) == ("", "open")
    assert "bill_question.asked" in audited()


def test_the_bill_leads_to_its_question(sign_in: SignIn, ground: Ground) -> None:
    asked = ask(sign_in, ground)
    browser = sign_in(ground.account)
    assert f"/factures/questions/{asked.id}" in browser.get(ground.page).text
    again = browser.get(f"{ground.page}/question")
    assert (again.status_code, again.location) == (303, f"/factures/questions/{asked.id}")


def test_an_answer_is_due_within_five_business_days_of_the_hospital(sign_in: SignIn, ground: Ground) -> None:
    asked = ask(sign_in, ground)
    assert asked.due_on == calendar.business_days_after(today(), 5, ground.hospital.establishment.holiday_rules)


def test_the_office_answers_and_the_payer_writes_again(sign_in: SignIn, ground: Ground, agent: Account) -> None:
    asked = ask(sign_in, ground)
    answered = answer(ground, agent)
    assert (answered.state, answered.due_on) == ("answered", None)
    browser = sign_in(ground.account)
    page = browser.get(f"/factures/questions/{asked.id}")
    assert "Odile Maresquier" in page.text
    sent = browser.post(f"/factures/questions/{asked.id}/ecrire", data={**hidden(page.text), "text": "Merci, mais ?"})
    assert sent.status_code == 303
    (again,) = rows(BillQuestion)
    assert again.state == "open"
    assert again.due_on is not None


def test_a_question_that_is_closed_takes_no_more_words(sign_in: SignIn, ground: Ground, agent: Account) -> None:
    asked = ask(sign_in, ground)
    answer(ground, agent, closes=True)
    with db.transaction(people.as_patient(ground.account, ground.patient)), pytest.raises(NotAllowed):
        actions.go_on(ground.patient.id, asked.id, "Encore un mot")
    with db.transaction(people.as_patient(ground.account, ground.patient)):
        assert actions.ask(ground.patient.id, ground.bill.id, "question", "Une autre").id != asked.id


def test_whoever_asked_closes_their_question(sign_in: SignIn, ground: Ground) -> None:
    asked = ask(sign_in, ground)
    assert sign_in(ground.account).post(f"/factures/questions/{asked.id}/clore").status_code == 303
    assert rows(BillQuestion)[0].state == "closed"
    assert [each.because for each in rows(BillQuestionChange)] == ["", "withdrawn"]


def test_there_is_one_conversation_about_a_bill(ground: Ground) -> None:
    actor = people.as_patient(ground.account, ground.patient)
    with db.transaction(actor):
        actions.ask(ground.patient.id, ground.bill.id, "question", TEXT)
    with db.transaction(actor), pytest.raises(AlreadyAsked):
        actions.ask(ground.patient.id, ground.bill.id, "dispute", TEXT)


def test_a_double_click_asks_once(sign_in: SignIn, ground: Ground) -> None:
    browser = sign_in(ground.account)
    form = {**hidden(browser.get(f"{ground.page}/question").text), "kind": "question", "text": TEXT}
    first, second = (browser.post(f"{ground.page}/question", data=form) for _each in range(2))
    assert first.location == second.location
    assert len(rows(BillQuestionMessage)) == 1


def test_an_answer_written_from_an_older_page_is_not_sent(sign_in: SignIn, ground: Ground, agent: Account) -> None:
    asked = ask(sign_in, ground)
    place = ground.hospital.establishment.id
    with db.transaction(people.as_agent(agent, place, "billing")), pytest.raises(ChangedMeanwhile):
        actions.answer([place], asked.id, "Voici.", version="2020-01-01T00:00:00+00:00", closes=False)
    assert len(rows(BillQuestionMessage)) == 1


def test_a_month_without_a_word_closes_what_was_answered(sign_in: SignIn, ground: Ground, agent: Account) -> None:
    asked = ask(sign_in, ground)
    with prepared():
        assert actions.close_silent() == 0
    answer(ground, agent)
    with prepared():
        db.session.execute(update(BillQuestion).values(changed_at=db.now() - timedelta(days=31)))
    with prepared():
        assert actions.close_silent() == 1
    with prepared():
        assert queries.under_way(asked.bill_id) is None


def test_messages_tell_that_there_is_news_and_nothing_else(sign_in: SignIn, ground: Ground, agent: Account) -> None:
    ask(sign_in, ground)
    answer(ground, agent)
    mails = rows(Notification)
    assert len(mails) == 2
    for mail in mails:
        for secret in (ground.bill.reference, "45,20", "45.20", TEXT, "Voici", ground.bill.label, "Odile"):
            assert secret not in mail.subject + mail.body
        assert "/factures/questions/" in mail.body


@pytest.mark.parametrize(
    "form",
    [
        {"kind": "", "text": TEXT},
        {"kind": "nonsense", "text": TEXT},
        {"kind": "question", "text": "  "},
        {"kind": "question", "text": "x" * 2001},
        {"kind": "question", "text": "a\x00b"},
        {"kind": "instalments", "text": "Prélevez 4970 1012 3456 7890"},
    ],
)
def test_what_cannot_be_sent_is_said_and_kept_on_the_page(
    sign_in: SignIn, ground: Ground, form: dict[str, str]
) -> None:
    browser = sign_in(ground.account)
    key = hidden(browser.get(f"{ground.page}/question").text)
    page = browser.post(f"{ground.page}/question", data={**key, **form})
    assert page.status_code == 422
    assert "govuk-error-summary" in page.text
    assert rows(BillQuestion) == []


def test_markup_is_shown_as_text(sign_in: SignIn, ground: Ground) -> None:
    asked = ask(sign_in, ground, text="<script>alert(1)</script>")
    assert "<script>alert(1)" not in sign_in(ground.account).get(f"/factures/questions/{asked.id}").text


def test_nobody_asks_about_the_bill_of_another(sign_in: SignIn, ground: Ground) -> None:
    asked = ask(sign_in, ground)
    with prepared():
        other, person = people.patient_with_account(birth_name="DURAND")
    browser = sign_in(other)
    assert browser.get(f"{ground.page}/question").status_code == 404
    assert browser.get(f"/factures/questions/{asked.id}").status_code == 404
    assert browser.post(f"/factures/questions/{asked.id}/clore").status_code == 404
    with db.transaction(people.as_patient(other, person)), pytest.raises(NotThere):
        actions.ask(person.id, ground.bill.id, "question", TEXT)


def test_strangers_see_nothing_and_write_nothing(sign_in: SignIn, ground: Ground) -> None:
    ask(sign_in, ground)
    for name, actor in strangers(ground).items():
        assert seen(actor, *TABLES) == set(), name
        assert {table for table in TABLES if writes(actor, table)} == set(), name


def test_what_is_masked_is_hidden_with_its_questions(sign_in: SignIn, ground: Ground) -> None:
    """The questions follow the bill: whoever does not see it sees none of them."""
    ask(sign_in, ground)
    with prepared():
        db.session.merge(ground.bill).masked = True
        mother = people.account("patient", "Mère", "mere@exemple.test")
        people.give_access(mother, ground.patient, "parent")
    proxy = db.Actor(
        "patient", "Mère", mother.id, patients=frozenset({ground.patient.id}), proxied=frozenset({ground.patient.id}),
        scopes={"payment": frozenset({ground.patient.id})},
    )  # fmt: skip
    assert seen(proxy, "bill", *TABLES) == set()


def test_the_copy_of_ones_data_holds_what_was_asked_and_answered(
    sign_in: SignIn, ground: Ground, agent: Account
) -> None:
    ask(sign_in, ground)
    answer(ground, agent)
    with prepared():
        told = [fact.value for entry in export.part(ground.patient.id).entries for fact in entry.facts]
    assert TEXT in told
    assert "Voici." in told


def test_a_page_costs_few_statements(app: Flask, sign_in: SignIn, ground: Ground) -> None:
    asked = ask(sign_in, ground)
    browser = sign_in(ground.account)
    for page in (f"/factures/questions/{asked.id}", f"{ground.page}/question", ground.page, "/factures"):
        with statements(app) as sent:
            browser.get(page)
        assert len(sent) <= 12, (page, len(sent), sent)


def test_many_questions_cost_no_more(app: Flask, sign_in: SignIn, ground: Ground) -> None:
    ask(sign_in, ground)
    with prepared():
        for _each in range(5):
            more = billing.bill(ground.hospital.establishment, ground.patient)
            actions.ask(ground.patient.id, more.id, "question", TEXT)
    with statements(app) as sent:
        sign_in(ground.account).get("/factures")
    assert len(sent) <= 14  # the sign-in of the test itself is among them


@given(st.lists(st.sampled_from(states.STATES), max_size=8))
def test_what_is_closed_stays_closed(path: list[str]) -> None:
    state = ""
    for after in path:
        try:
            states.check(state, after)
        except NotAllowed:
            continue
        assert state != states.CLOSED
        state = after
