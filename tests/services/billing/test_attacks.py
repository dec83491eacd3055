"""What somebody who means harm tries: to lose a payment, to read other people's, to have money leave twice."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from portal import db, establishments
from portal.gateways.payments import stripe_account
from portal.gateways.payments.means import Counter
from portal.gateways.payments.stripe_account import Movement
from services.billing import actions as room
from services.billing import export
from services.billing.disputes import actions as disputes
from services.billing.disputes.models import Dispute
from services.billing.ledger.models import LedgerEntry
from services.billing.models import Bill, PaymentAttempt
from services.billing.payouts import actions as payouts
from services.billing.payouts.models import Payout
from services.billing.refunds import actions as refunds
from services.billing.refunds.actions import NotRefundable
from services.billing.settlement import actions as settlement
from tests.factories.refunds import payment
from tests.ground import prepared, rows
from tests.services.billing.conftest import Ground, SignIn, at_the_bank, begin, idop_of, pay
from tests.services.billing.test_guests import FORM, a_bill, a_browser, a_source, page_of, type_key
from tests.services.billing.test_refunds import an_agent, ask, here

HELD_BY_ANOTHER = text("select count(*) from pg_locks where not granted")


# -- a payment that is made must be booked -------------------------------------------------------------------------


def test_a_return_page_reloaded_for_days_does_not_make_the_payment_unbookable(
    sign_in: SignIn, ground: Ground
) -> None:  # fmt: skip
    browser = sign_in(ground.account)
    back = pay(browser, ground)
    attempt_id = ground.attempts()[0].id
    with db.transaction(db.system("tests")) as current:
        current.get_one(PaymentAttempt, attempt_id).polls = 32_767
    browser.get(back)
    assert ground.standing().state == "paid"


def meanwhile(book: Callable[[Session], object], gesture: Callable[[], None]) -> list[Exception]:
    """A provider's answer is being written; have somebody do something about it, then commit the answer. Returns why
    that was not done."""
    raised: list[Exception] = []

    def try_it() -> None:
        try:
            gesture()
        except Exception as error:
            raised.append(error)

    hurried = threading.Thread(target=try_it)
    with db.transaction(db.system("tests")) as current:
        book(current())
        hurried.start()
        for _ in range(500):
            if current.scalar(HELD_BY_ANOTHER):
                break
            hurried.join(0.02)
    hurried.join(20)
    assert not hurried.is_alive()
    return raised


def test_an_attempt_is_not_given_up_while_it_is_being_booked(sign_in: SignIn, ground: Ground) -> None:
    begin(sign_in(ground.account), ground)
    attempt_id, agent = ground.attempts()[0].id, an_agent(ground, "Paul")
    with db.transaction(db.system("tests")) as current:
        current.get_one(PaymentAttempt, attempt_id).state = "to_review"

    def release() -> None:
        with db.transaction(agent):
            room.release_attempt(here(ground), attempt_id)

    def book(current: Session) -> None:
        current.get_one(PaymentAttempt, attempt_id).state = "paid"
        current.flush()

    raised = meanwhile(book, release)
    assert [type(each) for each in raised] == [room.UnknownBill]
    assert ground.attempts()[0].state == "paid"


def test_a_bill_is_not_withdrawn_while_its_payment_is_being_booked(ground: Ground) -> None:
    agent = an_agent(ground, "Paul")

    def close() -> None:
        with db.transaction(agent):
            room.close_elsewhere(here(ground), ground.bill.id, "cancelled")

    def book(current: Session) -> None:
        payment(current.get_one(Bill, ground.bill.id))

    raised = meanwhile(book, close)
    assert [type(each) for each in raised] == [room.NotClosable]
    assert ground.standing().state == "paid"


# -- other people's bills and addresses ----------------------------------------------------------------------------


def two_letters_in_one_go(app: Flask, ground: Ground) -> tuple[Bill, str]:
    """Somebody leaves to pay the ground's bill together with another; returns that one and the payment page."""
    a_source(ground, "key", several=True)
    other, browser = a_bill(ground), a_browser(app)
    for bill in (ground.bill, other):
        type_key(browser, bill.reference)
    together = f"{FORM}/regler?facture={ground.bill.id}&facture={other.id}"
    return other, browser.post(together, data={"email": "fille@exemple.test"}).location


def test_one_letter_does_not_lead_to_the_page_where_other_bills_are_paid(
    app: Flask, sign_in: SignIn, ground: Ground
) -> None:  # fmt: skip
    _other, page = two_letters_in_one_go(app, ground)
    holder = a_browser(app)
    type_key(holder, ground.bill.reference)
    assert idop_of(page) not in holder.get(page_of(ground.bill)).text
    assert idop_of(page) not in sign_in(ground.account).get(ground.page).text


def test_a_letter_does_not_lead_to_the_page_that_its_patient_left_for(
    app: Flask, sign_in: SignIn, ground: Ground
) -> None:  # fmt: skip
    patient = sign_in(ground.account)
    idop = idop_of(begin(patient, ground))
    holder = a_browser(app)
    type_key(holder, ground.bill.reference)
    assert idop not in holder.get(page_of(ground.bill)).text
    assert idop in patient.get(ground.page).text


def test_the_copy_of_ones_data_names_neither_another_payer_nor_their_other_bills(app: Flask, ground: Ground) -> None:
    other, page = two_letters_in_one_go(app, ground)
    a_browser(app).get(at_the_bank(page, "P"))
    with app.test_request_context(), db.transaction(db.system("tests")):
        told = str(export.part(ground.patient.id))
    assert ground.bill.reference in told
    assert other.reference not in told
    assert "fille@exemple.test" not in told


def test_the_copy_of_ones_data_holds_ones_own_address(app: Flask, sign_in: SignIn, ground: Ground) -> None:
    begin(sign_in(ground.account), ground)
    with app.test_request_context(), db.transaction(db.system("tests")):
        assert "jeanne@exemple.test" in str(export.part(ground.patient.id))


# -- money that would leave twice ----------------------------------------------------------------------------------


def test_nobody_approves_a_refund_of_what_the_bank_has_taken_back_since(sign_in: SignIn, ground: Ground) -> None:
    """A debit order and a card paid a bill twice; one is to be given back, and then the bank gives the debit back."""
    paul, rose = an_agent(ground, "Paul"), an_agent(ground, "Rose")
    browser = sign_in(ground.account)
    browser.get(pay(browser, ground, "V"))
    with prepared():
        establishments.change_setting(ground.hospital.establishment.id, "refund_two_persons_from_cents", "0")
        card = payment(ground.bill, psp="payfip")
    refund_id = ask(paul, ground, card.id, ground.bill.due_cents)
    debit = next(entry for entry in ground.entries() if entry.means == "direct_debit")
    with db.transaction(paul):
        settlement.reject_at(here(ground), ground.bill.id, debit.id, "IMP 12")
    with db.transaction(rose), pytest.raises(NotRefundable):
        refunds.approve(here(ground), refund_id)
    assert ground.standing().state == "paid"


# -- currencies ----------------------------------------------------------------------------------------------------

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
TESTED = Counter("990000001", "T")
TAKEN = Movement("txn_d", "dispute", -4520, 1500, -6020, "USD", "du_1", AT)


def test_money_of_another_currency_never_enters_the_ledger(ground: Ground) -> None:
    place: UUID = ground.hospital.establishment.id
    sent = stripe_account.Payout("po_1", 9000, "USD", "paid", AT, "txn_p", "")
    dispute = stripe_account.Dispute("du_1", "pi_1", "ch_1", 4520, "USD", "needs_response", "fraudulent", (TAKEN,))
    for _ in range(2):
        with db.transaction(db.system("tests")):
            payouts.hear(place, TESTED, sent, [])
            disputes.hear(place, "990000001", dispute)
    assert rows(LedgerEntry) == []
    assert rows(Payout) == []
    assert len(rows(Dispute)) == 1, "an agent still has to answer it at Stripe's site"
    with db.transaction(db.system("tests")):
        payouts.hear(place, TESTED, replace(sent, currency="EUR"), [])
    assert [entry.kind for entry in rows(LedgerEntry)] == ["payout"]
