"""`settle` is the only door to money: it believes PayFiP's own answer, once, and never loses a late payment."""

import threading
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, func, select, text, update
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from portal import audit, db
from portal.gateways.payments.payfip_twin import RunningTwin, Trouble
from services.billing import actions, jobs, queries
from services.billing.actions import Silence
from services.billing.models import LedgerEntry, PaymentAttempt, PspExchange
from tests.factories import people
from tests.services.billing.conftest import (
    Ground,
    SignIn,
    at_the_bank,
    begin,
    calls_to_payfip,
    idop_of,
    later,
    pay,
)

Tick = Callable[[], None]


@pytest.fixture
def browser(sign_in: SignIn, ground: Ground) -> FlaskClient:
    return sign_in(ground.account)


def settle(ground: Ground) -> str:
    return jobs.settle(ground.attempts()[0].id)


# -- nobody tells us anything ------------------------------------------------------------------------------------


def test_a_payment_nobody_told_us_about_is_found_by_the_clock(
    browser: FlaskClient, ground: Ground, door: RunningTwin, clock_ticks: Tick
) -> None:
    door.faults.notification_copies = 0
    pay(browser, ground)
    clock_ticks()
    assert ground.standing().state == "in_progress"  # not yet its minute
    later(ground.bill, timedelta(minutes=1))
    clock_ticks()
    assert ground.standing().state == "paid"


@pytest.mark.parametrize("choice", ["A", "R", "Z"])
def test_money_that_arrives_after_a_bad_end_is_booked(
    browser: FlaskClient, ground: Ground, door: RunningTwin, clock_ticks: Tick, choice: str
) -> None:
    back = pay(browser, ground, choice)
    browser.get(back)
    assert ground.standing().state == "open"
    door.till.decide(idop_of(back), "P")
    later(ground.bill, timedelta(minutes=2))
    clock_ticks()
    assert ground.standing().state == "paid"
    assert len(ground.receipts()) == 1


def test_money_that_arrives_after_we_gave_up_waiting_is_booked(
    browser: FlaskClient, ground: Ground, door: RunningTwin, clock_ticks: Tick
) -> None:
    page = begin(browser, ground)
    later(ground.bill, timedelta(hours=3))
    clock_ticks()
    assert [attempt.state for attempt in ground.attempts()] == ["expired"]
    assert ground.standing().state == "open"
    door.till.operations[idop_of(page)].opened_at = db.now()
    door.till.decide(idop_of(page), "P")
    later(ground.bill, timedelta(hours=1))
    clock_ticks()
    assert ground.standing().state == "paid"


def test_a_paid_attempt_never_goes_back(browser: FlaskClient, ground: Ground, door: RunningTwin) -> None:
    back = pay(browser, ground)
    browser.get(back)
    door.till.decide(idop_of(back), "R")
    before = calls_to_payfip()
    assert settle(ground) == "paid"
    assert calls_to_payfip() == before
    with db.transaction(db.system("tests")):
        assert actions.hear(ground.attempts()[0].id, Silence("dead", "P1")) == "paid"
    assert ground.standing().state == "paid"


def test_an_operation_purged_in_the_night_is_dead(
    browser: FlaskClient, ground: Ground, door: RunningTwin, clock_ticks: Tick
) -> None:
    begin(browser, ground)
    door.till.purge()
    later(ground.bill, timedelta(minutes=5))
    clock_ticks()
    attempt = ground.attempts()[0]
    assert (attempt.state, attempt.last_code, attempt.next_poll_at) == ("expired", "P1", None)


# -- an answer one cannot believe --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lie", "difference"),
    [
        ({"montant": "1"}, "amount_cents"),
        ({"montant": "452000"}, "amount_cents"),
        ({"refdet": "SOMEBODYELSE"}, "reference"),
        ({"numcli": "090910"}, "account"),
        ({"saisie": "W"}, "mode"),
        ({"idOp": "00000000-0000-0000-0000-000000000000"}, "psp_ref"),
        ({"resultrans": "Q"}, "outcome"),
    ],
)
def test_an_answer_that_does_not_match_books_nothing_and_waits_for_a_human(
    browser: FlaskClient, ground: Ground, door: RunningTwin, lie: dict[str, str], difference: str
) -> None:
    back = pay(browser, ground)
    door.faults.tampered = lie
    assert browser.get(back).status_code == 303
    attempt = ground.attempts()[0]
    assert (attempt.state, attempt.mismatch) == ("to_review", difference)
    assert ground.entries() == []
    assert ground.receipts() == []
    assert browser.get(ground.page).status_code == 200
    with db.transaction(db.system("tests")):
        assert "payment.quarantined" in {event.action for event in audit.of_patient(ground.patient.id)}


def test_once_the_answer_matches_the_payment_is_booked(browser: FlaskClient, ground: Ground, door: RunningTwin) -> None:
    back = pay(browser, ground)
    door.faults.tampered = {"montant": "1"}
    browser.get(back)
    door.faults.clear()
    assert settle(ground) == "paid"
    assert ground.standing().state == "paid"


def test_a_bill_under_review_cannot_be_paid_again_even_hours_later(
    browser: FlaskClient, ground: Ground, door: RunningTwin
) -> None:
    back = pay(browser, ground)
    door.faults.tampered = {"montant": "1"}
    browser.get(back)
    later(ground.bill, timedelta(hours=5))
    assert browser.get(f"{ground.page}/payer").location == ground.page


@pytest.mark.parametrize("missing", ["montant", "refdet", "numcli", "saisie", "resultrans", "idOp"])
def test_an_incomplete_answer_changes_nothing(
    browser: FlaskClient, ground: Ground, door: RunningTwin, missing: str
) -> None:
    back = pay(browser, ground)
    door.faults.dropped = {missing}
    browser.get(back)
    assert ground.attempts()[0].state == "awaiting"
    door.faults.clear()
    assert settle(ground) == "paid"


# -- PayFiP in trouble -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", [Trouble.BAD_GATEWAY, Trouble.GARBAGE, Trouble.CUT_AFTER, Trouble.BREAKDOWN])
def test_a_technical_fault_changes_nothing_but_the_next_moment(
    browser: FlaskClient, ground: Ground, door: RunningTwin, trouble: Trouble
) -> None:
    pay(browser, ground)
    door.faults.trouble = trouble
    assert settle(ground) == "awaiting"
    pause = ground.attempts()[0].next_poll_at
    assert pause is not None
    assert timedelta(minutes=29) < pause - db.now() < timedelta(minutes=31)


def test_every_exchange_is_kept_without_the_payers_address(browser: FlaskClient, ground: Ground) -> None:
    browser.get(pay(browser, ground))
    with db.transaction(db.system("tests")) as current:
        kept = current.scalars(select(PspExchange).order_by(PspExchange.at)).all()
    assert [exchange.operation for exchange in kept] == ["creerPaiementSecurise", "recupererDetailPaiementSecurise"]
    assert all("jeanne@exemple.test" not in exchange.request + exchange.answer for exchange in kept)
    assert all("/factures/retour/" not in exchange.request for exchange in kept)


# -- twice, at once, or cut in the middle ------------------------------------------------------------------------


def test_twelve_messengers_at_once_book_one_payment(app: Flask, browser: FlaskClient, ground: Ground) -> None:
    pay(browser, ground)
    attempt_id, states = ground.attempts()[0].id, list[str]()
    barrier = threading.Barrier(12)

    def bring_the_news() -> None:
        with app.app_context():
            barrier.wait()
            states.append(jobs.settle(attempt_id))

    threads = [threading.Thread(target=bring_the_news) for _n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert states == ["paid"] * 12
    assert (len(ground.entries()), len(ground.receipts())) == (1, 1)


def test_two_attempts_paid_at_the_same_instant_settle_the_bill_once(
    app: Flask, browser: FlaskClient, ground: Ground
) -> None:
    first = begin(browser, ground)
    later(ground.bill, timedelta(minutes=21))
    at_the_bank(begin(browser, ground), "P")
    at_the_bank(first, "P")
    barrier = threading.Barrier(2)

    def bring_the_news(attempt_id: UUID) -> None:
        with app.app_context():
            barrier.wait()
            jobs.settle(attempt_id)

    threads = [threading.Thread(target=bring_the_news, args=(attempt.id,)) for attempt in ground.attempts()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ground.standing().state == "overpaid"
    with db.transaction(db.system("tests")) as current:
        assert current.scalar(text("select count(*) from kpi_event where event = 'bill_settled'")) == 1
        assert "bill.overpaid" in {event.action for event in audit.of_patient(ground.patient.id)}


def test_killed_between_the_answer_and_the_commit_the_payment_is_found_again(
    browser: FlaskClient, ground: Ground, clock_ticks: Tick
) -> None:
    class Killed(BaseException):
        pass

    def kill(current: Session) -> None:
        if current.scalar(select(func.count()).select_from(LedgerEntry)):
            raise Killed

    pay(browser, ground)
    event.listen(Session, "before_commit", kill)
    try:
        with pytest.raises(Killed):
            settle(ground)
    finally:
        event.remove(Session, "before_commit", kill)
    assert ground.entries() == []
    assert ground.standing().state == "in_progress"
    later(ground.bill, timedelta(minutes=1))
    clock_ticks()
    assert (len(ground.entries()), len(ground.receipts())) == (1, 1)


def test_killed_before_payfip_answered_the_attempt_is_closed_by_the_clock(ground: Ground, clock_ticks: Tick) -> None:
    with db.transaction(people.as_patient(ground.account, ground.patient)):
        actions.start_payment([queries.standing(ground.bill.id)], "payfip", email="jeanne@exemple.test")
    later(ground.bill, timedelta(minutes=1))
    clock_ticks()
    assert ground.attempts()[0].state == "created"
    later(ground.bill, timedelta(minutes=2))
    clock_ticks()
    assert ground.attempts()[0].state == "failed"
    assert ground.standing().state == "open"


def test_two_tabs_at_the_same_instant_start_one_attempt(app: Flask, ground: Ground) -> None:
    actor, barrier, outcomes = people.as_patient(ground.account, ground.patient), threading.Barrier(8), list[str]()

    def start() -> None:
        barrier.wait()
        try:
            with db.transaction(actor):
                actions.start_payment([queries.standing(ground.bill.id)], "payfip", email="jeanne@exemple.test")
            outcomes.append("started")
        except actions.NotPayable as refusal:
            outcomes.append(refusal.reason)

    threads = [threading.Thread(target=start) for _n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["started"] + ["under_way"] * 7


def test_receipts_are_numbered_without_gaps(app: Flask, browser: FlaskClient, ground: Ground, sign_in: SignIn) -> None:
    from tests.factories import billing

    numbers = list[str]()
    for _n in range(3):
        browser.get(pay(browser, ground))
        numbers.append(ground.receipts()[-1].label)
        with db.transaction(db.system("tests")):
            ground.bill = billing.bill(ground.hospital.establishment, ground.patient)
    year = db.now().year
    assert numbers == [f"{year}-000001", f"{year}-000002", f"{year}-000003"]


def test_an_unknown_attempt_is_an_error_of_ours(ground: Ground) -> None:
    with pytest.raises(NoResultFound):
        jobs.settle(UUID(int=1))


def test_a_bill_withdrawn_while_the_payment_page_is_open_reads_overpaid(browser: FlaskClient, ground: Ground) -> None:
    back = at_the_bank(begin(browser, ground), "P")
    with db.transaction(db.system("tests")) as current:
        current.execute(update(PaymentAttempt).values(state="expired"))
    agent = people.as_agent(ground.account, ground.hospital.establishment.id, "billing")
    with db.transaction(agent):
        actions.close_elsewhere({ground.hospital.establishment.id}, ground.bill.id, "paid_elsewhere")
    browser.get(back)
    assert ground.standing().state == "overpaid"
    with db.transaction(db.system("tests")):
        assert queries.entries_of_bill(ground.bill.id)
