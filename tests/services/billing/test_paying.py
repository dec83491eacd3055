"""A patient pays a bill through PayFiP, and always knows where they stand."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text, update

from auth.models import WebSession
from portal import audit, db, establishments
from portal.config import Settings
from portal.gateways.payments.payfip_twin import RunningTwin, Trouble
from portal.notifications import Notification
from services.billing import jobs
from services.billing.models import Bill
from services.billing.sources import queries as sources
from tests.factories import billing, people
from tests.ground import prepared, today
from tests.services.billing.conftest import (
    Ground,
    SignIn,
    at_the_bank,
    begin,
    calls_to_payfip,
    idop_of,
    later,
    leave_to_pay,
    open_till,
    pay,
    speak_english,
    statements,
)


@pytest.fixture
def browser(sign_in: SignIn, ground: Ground) -> FlaskClient:
    return sign_in(ground.account)


# -- paying ------------------------------------------------------------------------------------------------------


def test_pays_by_card_and_comes_back_to_a_paid_bill(browser: FlaskClient, ground: Ground) -> None:
    assert browser.get(f"{ground.page}/payer").status_code == 200
    arrived = browser.get(pay(browser, ground))
    assert (arrived.status_code, arrived.location) == (303, ground.page)
    standing = ground.standing()
    assert (standing.state, standing.paid_cents, standing.left_cents) == ("paid", 4520, 0)
    page = browser.get(ground.page)
    assert ground.receipts()[0].label in page.text


def test_what_a_payment_leaves_behind(browser: FlaskClient, ground: Ground) -> None:
    browser.get(pay(browser, ground))
    with db.transaction(db.system("tests")) as current:
        mails = current.scalars(select(Notification)).all()
        done = {event.action for event in audit.of_patient(ground.patient.id)}
        figures = current.execute(
            text("select event, quantity, establishment_id from kpi_event where starts_with(event, 'bill_')")
        )
        assert {tuple(row) for row in figures} == {
            ("bill_paid", 4520, ground.hospital.establishment.id),
            ("bill_settled", 4520, ground.hospital.establishment.id),
        }
    assert {"payment.started", "payment.opened", "payment.booked"} <= done
    assert [mail.recipient for mail in mails] == ["jeanne@exemple.test"]
    assert "45,20" not in mails[0].body
    assert "ardiolog" not in mails[0].body


def test_a_direct_debit_is_accepted_before_it_is_cash(browser: FlaskClient, ground: Ground) -> None:
    browser.get(pay(browser, ground, "V"))
    assert ground.standing().state == "debit_accepted"
    assert [entry.means for entry in ground.entries()] == ["direct_debit"]


def test_going_back_after_paying_is_harmless(browser: FlaskClient, ground: Ground) -> None:
    back = pay(browser, ground)
    browser.get(back)
    browser.get(back)
    assert browser.get(f"{ground.page}/payer").location == ground.page
    assert leave_to_pay(browser, ground).location == ground.page
    assert len(ground.attempts()) == 1
    assert len(ground.receipts()) == 1


@pytest.mark.parametrize("choice", ["R", "Z", "A"])
def test_after_a_refusal_or_an_abandon_the_patient_may_try_again_at_once(
    browser: FlaskClient, ground: Ground, choice: str
) -> None:
    browser.get(pay(browser, ground, choice))
    assert ground.standing().state == "open"
    assert ground.entries() == []
    assert "/payer" in browser.get(ground.page).text
    browser.get(pay(browser, ground, "P"))
    assert ground.standing().state == "paid"
    assert len(ground.attempts()) == 2


def test_pays_what_is_left_of_a_bill_partly_paid(browser: FlaskClient, ground: Ground) -> None:
    browser.get(pay(browser, ground))
    with db.transaction(db.system("tests")) as current:
        current.get_one(Bill, ground.bill.id).due_cents = 6020
    assert ground.standing().state == "partly"
    browser.get(pay(browser, ground))
    assert [entry.amount_cents for entry in ground.entries()] == [4520, 1500]
    assert ground.standing().state == "paid"


# -- interrupted, or in two tabs ---------------------------------------------------------------------------------


def test_an_interrupted_payer_may_go_back_to_the_same_payment_page(browser: FlaskClient, ground: Ground) -> None:
    page = begin(browser, ground)
    assert ground.standing().state == "in_progress"
    assert page.replace("&", "&amp;") in browser.get(ground.page).text
    browser.get(at_the_bank(page, "P"))
    assert ground.standing().state == "paid"


def test_a_second_tab_opens_no_second_payment(browser: FlaskClient, ground: Ground, door: RunningTwin) -> None:
    begin(browser, ground)
    assert leave_to_pay(browser, ground).location == ground.page
    assert len(door.till.operations) == 1


def test_another_attempt_is_allowed_after_twenty_minutes(browser: FlaskClient, ground: Ground) -> None:
    begin(browser, ground)
    later(ground.bill, timedelta(minutes=19))
    assert browser.get(f"{ground.page}/payer").location == ground.page
    later(ground.bill, timedelta(minutes=2))
    assert browser.get(f"{ground.page}/payer").status_code == 200
    browser.get(pay(browser, ground))
    assert [attempt.state for attempt in ground.attempts()] == ["paid", "expired"]
    assert ground.standing().state == "paid"


def test_before_a_second_attempt_the_first_is_asked_about(browser: FlaskClient, ground: Ground) -> None:
    pay(browser, ground)  # paid, but the payer never came back
    later(ground.bill, timedelta(minutes=21))
    assert leave_to_pay(browser, ground).location == ground.page
    assert len(ground.attempts()) == 1
    assert ground.standing().state == "paid"


def test_two_attempts_both_paid_are_both_booked_and_told(browser: FlaskClient, ground: Ground) -> None:
    first = begin(browser, ground)
    later(ground.bill, timedelta(minutes=21))
    second = begin(browser, ground)
    back_first, back_second = at_the_bank(first, "P"), at_the_bank(second, "P")
    browser.get(back_second)
    browser.get(back_first)
    standing = ground.standing()
    assert (standing.state, standing.paid_cents) == ("overpaid", 9040)
    assert len(ground.receipts()) == 2
    assert browser.get(ground.page).status_code == 200
    with db.transaction(db.system("tests")) as current:
        settled = current.scalar(text("select count(*) from kpi_event where event = 'bill_settled'"))
    assert settled == 1


# -- a payment site in trouble -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "trouble",
    [Trouble.BAD_GATEWAY, Trouble.HTML, Trouble.GARBAGE, Trouble.EMPTY, Trouble.TRUNCATED, Trouble.CUT_BEFORE,
     Trouble.CUT_AFTER, Trouble.OUT_OF_SERVICE, Trouble.DOCTYPE],
)  # fmt: skip
def test_a_payment_site_in_trouble_loses_nothing(
    browser: FlaskClient, ground: Ground, door: RunningTwin, trouble: Trouble
) -> None:
    door.faults.trouble = trouble
    answer = leave_to_pay(browser, ground)
    assert answer.status_code == 503
    assert "jeanne@exemple.test" in answer.text
    assert [attempt.state for attempt in ground.attempts()] == ["failed"]
    door.faults.clear()
    browser.get(pay(browser, ground))
    assert ground.standing().state == "paid"


def test_a_slow_payment_site_does_not_hold_the_payer(
    browser: FlaskClient, ground: Ground, door: RunningTwin, payment_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_PROVIDER_SECONDS", 0.2)
    jobs.connect(payment_settings)
    door.faults.trouble, door.faults.slow_seconds = Trouble.SLOW, 30.0
    assert leave_to_pay(browser, ground).status_code == 503


def test_a_payment_site_that_is_down_when_the_payer_returns(
    browser: FlaskClient, ground: Ground, door: RunningTwin
) -> None:
    back = pay(browser, ground)
    door.faults.trouble = Trouble.BAD_GATEWAY
    assert browser.get(back).status_code == 303
    assert ground.standing().state == "in_progress"
    assert browser.get(ground.page).status_code == 200
    door.faults.clear()
    assert browser.post(f"{ground.page}/actualiser").status_code == 303
    assert ground.standing().state == "paid"


def test_an_address_the_payment_site_does_not_like_is_asked_again(
    browser: FlaskClient, ground: Ground, door: RunningTwin
) -> None:
    door.faults.code, door.faults.only = "A2", "creerPaiementSecurise"
    answer = leave_to_pay(browser, ground)
    assert answer.status_code == 422
    assert 'href="#email"' in answer.text


@pytest.mark.parametrize("code", ["T2", "T4", "R3", "S1", "ZZ"])
def test_a_refusal_the_payer_can_do_nothing_about_is_told_as_such(
    browser: FlaskClient, ground: Ground, door: RunningTwin, code: str
) -> None:
    door.faults.code, door.faults.only = code, "creerPaiementSecurise"
    assert leave_to_pay(browser, ground).status_code == 503
    assert [attempt.last_code for attempt in ground.attempts()] == [code]


# -- wrong, foreign or impossible --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "email", ["", "jeanne", "a@b", "jeanne@exemple.test\r\nBcc: x@y.fr", "é" * 90, "x" * 81 + "@a.fr"]
)
def test_a_wrong_address_is_corrected_before_leaving(browser: FlaskClient, ground: Ground, email: str) -> None:
    answer = leave_to_pay(browser, ground, email)
    assert answer.status_code == 422
    assert ground.attempts() == []


def test_what_was_typed_waits_for_the_person_whose_session_had_ended(
    sign_in: SignIn, browser: FlaskClient, ground: Ground
) -> None:
    with db.transaction(db.system("tests")) as current:
        current.execute(update(WebSession).values(ended_at=db.now()))
    referrer = {"Referer": f"http://localhost{ground.page}/payer"}
    sent_away = browser.post(f"{ground.page}/payer", data={"email": "typed@exemple.test"}, headers=referrer)
    assert sent_away.location.startswith("/connexion")
    assert ground.attempts() == []
    assert "typed@exemple.test" in sign_in(ground.account).get(f"{ground.page}/payer").text


def test_nobody_else_sees_or_pays_the_bill(sign_in: SignIn, ground: Ground, client: FlaskClient) -> None:
    with db.transaction(db.system("tests")):
        other, _person = people.patient_with_account(birth_name="DURAND")
    stranger = sign_in(other)
    assert stranger.get(ground.page).status_code == 404
    assert stranger.get(f"{ground.page}/payer").status_code == 404
    assert leave_to_pay(stranger, ground).status_code == 404
    assert stranger.post(f"{ground.page}/actualiser").status_code == 404
    assert client.get(ground.page).location.startswith("/connexion")
    assert ground.attempts() == []


@pytest.mark.parametrize(
    "facts", [{"due_cents": 99}, {"due_cents": 10_000_000}, {"source": "private"}, {"due_cents": 0}]
)
def test_some_bills_cannot_be_paid_online(sign_in: SignIn, ground: Ground, facts: dict[str, object]) -> None:
    with db.transaction(db.system("tests")):
        made = billing.bill(ground.hospital.establishment, ground.patient, **facts)  # type: ignore[arg-type]  # facts of any field
    browser = sign_in(ground.account)
    page = browser.get(f"/factures/{made.id}")
    assert page.status_code == 200
    assert f"/factures/{made.id}/payer" not in page.text
    answer = browser.post(f"/factures/{made.id}/payer", data={"email": "jeanne@exemple.test"})
    assert answer.location == f"/factures/{made.id}"


@pytest.mark.parametrize("cents", [100, 9_999_999])
def test_the_smallest_and_the_largest_amounts_pass(sign_in: SignIn, ground: Ground, cents: int) -> None:
    with db.transaction(db.system("tests")) as current:
        current.get_one(Bill, ground.bill.id).due_cents = cents
    browser = sign_in(ground.account)
    browser.get(pay(browser, ground))
    standing = ground.standing()
    assert (standing.state, standing.paid_cents) == ("paid", cents)
    assert type(standing.paid_cents) is int


def test_a_hospital_without_a_till_takes_no_payment(browser: FlaskClient, ground: Ground) -> None:
    with db.transaction(db.system("tests")):
        open_till(ground.hospital, saisie="")
    assert f'{ground.page}/payer"' not in browser.get(ground.page).text
    assert leave_to_pay(browser, ground).location == ground.page


def test_a_test_payment_never_credits_a_bill_in_production(
    browser: FlaskClient, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    back = pay(browser, ground)
    monkeypatch.setattr(sources._rules, "tests_count", False)
    browser.get(back)
    assert ground.entries() == []
    assert ground.attempts()[0].mismatch == "test_payment"


def test_a_counter_in_test_mode_is_closed_in_production(
    browser: FlaskClient, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources._rules, "tests_count", False)
    assert f'{ground.page}/payer"' not in browser.get(ground.page).text
    assert leave_to_pay(browser, ground).location == ground.page
    assert ground.attempts() == []


# -- the way back ------------------------------------------------------------------------------------------------


def test_a_payer_whose_session_has_ended_learns_the_result_and_no_more(
    browser: FlaskClient, ground: Ground, client: FlaskClient
) -> None:
    page = client.get(pay(browser, ground))
    assert page.status_code == 200
    assert ground.bill.reference in page.text
    assert "MARTIN" not in page.text
    assert "ardiologie" not in page.text
    assert ground.standing().state == "paid"


def test_the_payment_site_may_send_the_browser_back_by_post(
    browser: FlaskClient, ground: Ground, client: FlaskClient
) -> None:
    path = pay(browser, ground).partition("?")[0]
    assert (
        client.open(
            path, method="POST", data="idop=whatever", content_type="application/x-www-form-urlencoded"
        ).status_code
        == 200
    )
    assert ground.standing().state == "paid"


def test_a_made_up_return_address_is_not_found_and_asks_nobody(browser: FlaskClient, ground: Ground) -> None:
    idop = idop_of(begin(browser, ground))
    before = calls_to_payfip()
    assert browser.get(f"/factures/retour/made-up?idop={idop}").status_code == 404
    assert calls_to_payfip() == before


def test_the_pay_page_lets_the_browser_go_to_the_payment_site_only(
    browser: FlaskClient, ground: Ground, door: RunningTwin
) -> None:
    policy = browser.get(f"{ground.page}/payer").headers["Content-Security-Policy"]
    assert f"form-action 'self' {door.base_url};" in policy


def test_pages_keep_to_twelve_statements(
    app: Flask, browser: FlaskClient, ground: Ground, clock_ticks: Callable[[], None]
) -> None:
    with db.transaction(db.system("tests")):
        for _n in range(12):
            billing.bill(ground.hospital.establishment, ground.patient)
    browser.get(pay(browser, ground))
    for path in ("/factures", "/factures/", ground.page, f"/factures/recus/{ground.receipts()[0].id}"):
        with statements(app) as seen:
            assert browser.get(path).status_code == 200
        assert len(seen) <= 12, f"{path}: {len(seen)}"


# -- what the page says ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("days", "said"), [(-1, "Was to be paid by"), (0, "To pay by"), (30, "To pay by")])
def test_a_day_that_has_passed_is_said_in_the_past(browser: FlaskClient, ground: Ground, days: int, said: str) -> None:
    with prepared():
        due_on = today() + timedelta(days=days)
        late = billing.bill(ground.hospital.establishment, ground.patient, 3000, due_on=due_on)
    speak_english(ground)
    words = {"Was to be paid by", "To pay by"}
    page = browser.get(f"/factures/{late.id}").text
    assert {each for each in words if f">{each} " in page} == {said}


def test_a_cancelled_bill_asks_nothing_of_an_insurance(browser: FlaskClient, ground: Ground) -> None:
    speak_english(ground)
    assert "complementary insurance for this bill" in browser.get(ground.page).text
    with prepared():
        cancelled = billing.bill(
            ground.hospital.establishment, ground.patient, 3000, closed_reason="cancelled", closed_at=db.now()
        )
    assert "complementary insurance for this bill" not in browser.get(f"/factures/{cancelled.id}").text


def test_the_choice_between_two_means_is_not_called_optional(browser: FlaskClient, ground: Ground) -> None:
    with prepared():
        billing.source(ground.hospital.establishment, means=["payfip", "stripe"])
        for key, value in {"enabled": "yes", "accountant": "Trésorerie", "agreed_on": "2026-09-01"}.items():
            establishments.change_setting(ground.hospital.establishment.id, f"stripe_{key}", value)
        here = ground.hospital.establishment.id
        establishments.change_setting(here, "stripe_api_key", "sk_test_demonstration", secret=True)
    speak_english(ground)
    page = browser.get(f"{ground.page}/payer").text
    assert "How do you wish to pay?" in page
    assert "(optional)" not in page
