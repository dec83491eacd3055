"""Disputes, payouts and refunds together: the ledger stays balanced, says what Stripe says, and gives no cent twice."""

import contextlib
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from portal import db, establishments
from portal.config import Settings
from portal.db import Actor
from portal.gateways.payments.stripe_account import Dispute as Told
from portal.gateways.payments.stripe_account import Movement
from portal.gateways.payments.stripe_twin import RunningTwin as StripeTwin
from portal.gateways.payments.stripe_twin import start_in_thread as start_stripe
from services.billing import actions as room
from services.billing import jobs, queries
from services.billing.disputes import actions as disputes
from services.billing.disputes import jobs as dispute_jobs
from services.billing.disputes.models import Dispute, DisputeChange
from services.billing.ledger.models import LedgerEntry, LedgerLine
from services.billing.models import Bill, PaymentAttempt
from services.billing.payouts import jobs as payout_jobs
from services.billing.payouts import queries as payouts
from services.billing.payouts.models import Payout, PayoutMovement
from services.billing.refunds import actions as refunds
from services.billing.refunds import jobs as refund_jobs
from services.billing.refunds.actions import NotRefundable, TooLate
from services.billing.refunds.models import Refund
from tests.factories import billing, people
from tests.factories.refunds import payment
from tests.ground import rows
from tests.services.billing.conftest import Ground
from tests.services.billing.test_who_sees import strangers

KEY = "sk_test_of_the_hospital"


@pytest.fixture(scope="module")
def running() -> Iterator[StripeTwin]:
    with start_stripe() as twin:
        yield twin


@pytest.fixture
def stripe(settings: Settings, payment_settings: Settings, running: StripeTwin, ground: Ground) -> Iterator[StripeTwin]:
    running.clear()
    running.webhooks.url = ""
    jobs.connect(payment_settings.model_copy(update={"stripe_api_base": running.base_url}))
    with db.transaction(db.system("tests")):
        establishments.change_setting(ground.hospital.establishment.id, "stripe_enabled", "yes")
        establishments.change_setting(ground.hospital.establishment.id, "stripe_api_key", KEY, secret=True)
    yield running
    jobs.connect(settings)


def place(ground: Ground) -> str:
    return str(ground.hospital.establishment.id)


def pay(ground: Ground, stripe: StripeTwin, *bills: Bill) -> str:
    """Somebody pays these bills in one go; returns the payment's number at Stripe."""
    with db.transaction(db.system("tests")):
        owed = queries.standings_of([each.id for each in bills or (ground.bill,)])
        started = room.start_payment(owed, "stripe", email="jeanne@exemple.test")
    jobs.open_payment_page(started, "/retour")
    with db.transaction(db.system("tests")) as current:
        name = str(current.get_one(PaymentAttempt, started.attempt_id).psp_ref)
    stripe.bank.pay(name)
    jobs.settle(started.attempt_id)
    with db.transaction(db.system("tests")) as current:
        found = select(LedgerEntry.number).where(LedgerEntry.attempt_id == started.attempt_id)
        return current.scalars(found.where(LedgerEntry.kind == "payment")).one()


def another_bill(ground: Ground, cents: int) -> Bill:
    with db.transaction(db.system("tests")):
        return billing.bill(ground.hospital.establishment, ground.patient, cents)


def balance(account: str) -> int:
    """Debits less credits."""
    with db.transaction(db.system("tests")) as current:
        lines = select(func.coalesce(func.sum(LedgerLine.debit_cents - LedgerLine.credit_cents), 0))
        return int(current.scalars(lines.where(LedgerLine.account.startswith(account))).one())


def one_dispute() -> Dispute:
    with db.transaction(db.system("tests")) as current:
        return current.scalars(select(Dispute)).one()


class TestDisputes:
    def test_a_disputed_bill_is_never_unpaid(self, ground: Ground, stripe: StripeTwin) -> None:
        name = stripe.bank.dispute(pay(ground, stripe))["id"]
        for _ in range(3):
            dispute_jobs.hear_dispute(place(ground), name)
        assert (one_dispute().state, one_dispute().reason) == ("needs_response", "fraudulent")
        assert one_dispute().respond_by is not None
        assert ground.standing().state == "paid"
        assert (balance("disputes"), balance("fees"), balance("clearing:")) == (4520, 2000, -2000)

    def test_one_that_is_won_brings_the_money_back_and_not_the_fee(self, ground: Ground, stripe: StripeTwin) -> None:
        name = stripe.bank.dispute(pay(ground, stripe))["id"]
        dispute_jobs.hear_dispute(place(ground), name)
        stripe.bank.end_dispute(name, won=True)
        dispute_jobs.hear_dispute(place(ground), name)
        assert (one_dispute().state, balance("disputes"), balance("fees")) == ("won", 0, 2000)

    def test_one_whose_first_news_were_lost_is_written_down_whole(self, ground: Ground, stripe: StripeTwin) -> None:
        name = stripe.bank.dispute(pay(ground, stripe))["id"]
        stripe.bank.end_dispute(name, won=True)
        dispute_jobs.hear_dispute(place(ground), name)
        assert [entry.kind for entry in ground.entries()].count("dispute") == 1
        assert balance("disputes") == 0

    def test_one_that_is_lost_stays_in_the_disputes(self, ground: Ground, stripe: StripeTwin) -> None:
        name = stripe.bank.dispute(pay(ground, stripe))["id"]
        stripe.bank.end_dispute(name, won=False)
        dispute_jobs.hear_dispute(place(ground), name)
        assert (one_dispute().state, balance("disputes"), ground.standing().state) == ("lost", 4520, "paid")

    def test_each_bill_of_a_payment_bears_its_share(self, ground: Ground, stripe: StripeTwin) -> None:
        second = another_bill(ground, 1000)
        name = stripe.bank.dispute(pay(ground, stripe, ground.bill, second))["id"]
        dispute_jobs.hear_dispute(place(ground), name)
        with db.transaction(db.system("tests")) as current:
            lines = select(LedgerLine.bill_id, LedgerLine.debit_cents).where(LedgerLine.account == "disputes")
            assert dict(current.execute(lines).all()) == {ground.bill.id: 4520, second.id: 1000}  # type: ignore[arg-type]  # pairs

    def test_one_that_stripe_does_not_know_changes_nothing(self, ground: Ground, stripe: StripeTwin) -> None:
        dispute_jobs.hear_dispute(place(ground), "du_of_nobody")
        with db.transaction(db.system("tests")) as current:
            assert current.scalars(select(Dispute)).all() == []


class TestPayouts:
    def test_payments_refunds_disputes_and_fees_leave_nothing_on_the_clearing_account(
        self, ground: Ground, stripe: StripeTwin
    ) -> None:
        """The accountant's promise: what Stripe sent is explained to the cent."""
        first, second = pay(ground, stripe), pay(ground, stripe, another_bill(ground, 12_345))
        given_back = stripe.bank.refund(stripe.bank.account(KEY), {"payment_intent": first, "amount": "1200"})
        disputed = stripe.bank.dispute(second)["id"]
        made = stripe.bank.pay_out(KEY)
        refund_jobs.hear_refund(place(ground), given_back["id"])
        dispute_jobs.hear_dispute(place(ground), disputed)
        for _ in range(2):
            payout_jobs.hear_payout(place(ground), made["id"])
        (told,) = sent(ground)
        assert (told.gross_cents, told.other_cents) == (4520 + 12_345, -1200 - 12_345)
        assert told.payout.amount_cents == told.gross_cents + told.other_cents - told.fees_cents
        assert told.is_exact
        assert (balance("clearing:"), balance("bank")) == (0, made["amount"])
        booked = [entry for entry in rows(LedgerEntry) if entry.kind in ("payout", "fee")]
        assert booked, "a transfer, and what Stripe keeps"
        assert all(entry.is_test for entry in booked), "money of a test account is not the accountant's"

    def test_news_that_were_lost_are_asked_for(self, ground: Ground, stripe: StripeTwin, work_jobs: object) -> None:
        number = pay(ground, stripe)
        stripe.bank.refund(stripe.bank.account(KEY), {"payment_intent": number, "amount": "1200"})
        made = stripe.bank.pay_out(KEY)
        payout_jobs.hear_payout(place(ground), made["id"])
        assert [told.missing for told in sent(ground)] == [1]
        assert callable(work_jobs)
        work_jobs()  # the refund is asked about
        payout_jobs.match_payout(made["id"])
        assert all(told.is_exact for told in sent(ground))

    def test_a_transfer_that_the_bank_refuses_is_owed_again(self, ground: Ground, stripe: StripeTwin) -> None:
        pay(ground, stripe)
        made = stripe.bank.pay_out(KEY)
        payout_jobs.hear_payout(place(ground), made["id"])
        assert balance("bank") == made["amount"]
        stripe.bank.return_payout(made["id"])
        for _ in range(2):
            payout_jobs.hear_payout(place(ground), made["id"])
        assert (balance("bank"), balance("clearing:")) == (0, made["amount"])
        again = stripe.bank.pay_out(KEY)
        payout_jobs.hear_payout(place(ground), again["id"])
        assert (balance("bank"), balance("clearing:")) == (made["amount"], 0)
        assert all(told.is_exact for told in sent(ground))


def sent(ground: Ground) -> list[payouts.Told]:
    with db.transaction(db.system("tests")):
        return payouts.at([ground.hospital.establishment.id])


@pytest.mark.parametrize("table", [Dispute, DisputeChange, Payout, PayoutMovement])
def test_strangers_see_no_dispute_and_no_transfer(ground: Ground, stripe: StripeTwin, table: type) -> None:
    disputed = stripe.bank.dispute(pay(ground, stripe))["id"]
    dispute_jobs.hear_dispute(place(ground), disputed)
    payout_jobs.hear_payout(place(ground), stripe.bank.pay_out(KEY)["id"])
    who = {**strangers(ground), "the patient": people.as_patient(ground.account, ground.patient)}
    counted = select(func.count()).select_from(table)
    for name, actor in who.items():
        with db.transaction(actor) as current:
            assert current.scalar(counted) == 0, name
    with db.transaction(people.as_agent(ground.account, ground.hospital.establishment.id, "billing")) as current:
        assert current.scalar(counted)


# -- any sequence ----------------------------------------------------------------------------------------------------

GESTURES = ("ask", "approve", "cancel", "send", "lose_answer", "told", "fails", "transfer", "comes_back", "dispute",
            "win", "lower", "close")  # fmt: skip
steps = st.lists(
    st.tuples(st.sampled_from(GESTURES), st.integers(0, 2), st.integers(1, 9_000), st.booleans()), max_size=18
)


class Story:
    """One bill with three payments, two agents, and whatever happens to them."""

    def __init__(self, ground: Ground) -> None:
        self.place, self.finess = ground.hospital.establishment.id, ground.hospital.establishment.finess
        with db.transaction(db.system("tests")):
            self.bill = billing.bill(ground.hospital.establishment, ground.patient, 4520).id
            owed = db.session.get_one(Bill, self.bill)
            self.payments = [
                payment(owed, cents=cents, psp=psp).id
                for cents, psp in ((4520, "stripe"), (6000, "stripe"), (3000, "payfip"))
            ]
            agents = [people.agent(self.place, "billing") for _ in range(2)]
        self.agents = [people.as_agent(each, self.place, "billing") for each in agents]

    def refund(self, number: int) -> Refund | None:
        with db.transaction(db.system("tests")) as current:
            found = current.scalars(
                select(Refund).where(Refund.bill_id == self.bill).order_by(Refund.asked_at, Refund.id)
            ).all()
        return found[number % len(found)] if found else None

    def do(self, gesture: str, number: int, cents: int, other: bool) -> None:
        actor = self.agents[int(other)]
        if gesture in ("ask", "dispute", "win", "lower", "close"):
            getattr(self, gesture)(number, cents, actor, other)
            return
        found = self.refund(number)
        if found is not None:
            self._follow(gesture, found, actor, other)

    def ask(self, number: int, cents: int, actor: Actor, other: bool) -> None:
        reason = "cancelled_care" if other and number == 2 else "overpaid"
        with db.transaction(actor):
            refunds.ask([self.place], self.payments[number], self.bill, cents, reason)

    def lower(self, _number: int, cents: int, _actor: Actor, _other: bool) -> None:
        """The billing system sends the bill again."""
        with db.transaction(db.system("tests")) as current:
            current.get_one(Bill, self.bill).due_cents = cents

    def close(self, _number: int, _cents: int, _actor: Actor, other: bool) -> None:
        with db.transaction(db.system("tests")) as current:
            current.get_one(Bill, self.bill).closed_reason = "paid_elsewhere" if other else ""

    def dispute(self, number: int, _cents: int, _actor: Actor, _other: bool, state: str = "needs_response") -> None:
        if number == 2:
            return  # PayFiP has no disputes
        with db.transaction(db.system("tests")) as current:
            entry = current.get_one(LedgerEntry, self.payments[number])
            name, cents = f"du_{entry.id.hex}", entry.amount_cents
            back = (Movement(f"{name}b", "dispute_reversal", cents, 0, cents, "EUR", name, db.now()),)
            taken = Movement(f"{name}a", "dispute", -cents, 2000, -cents - 2000, "EUR", name, db.now())
            moved = (taken, *(back if state == "won" else ()))
            told = Told(name, entry.number, "ch", cents, "EUR", state, "", moved)
            # What left before the dispute is not the bank's to take again: Stripe disputes what is left.
            holds = current.scalar(select(func.payment_holds(entry.id, self.bill)))
            if holds == cents or state == "won":
                disputes.hear(self.place, self.finess, told)

    def win(self, number: int, cents: int, actor: Actor, other: bool) -> None:
        with db.transaction(db.system("tests")) as current:
            known = current.scalar(select(Dispute).where(Dispute.entry_id == self.payments[number]))
        if known is not None:
            self.dispute(number, cents, actor, other, "won")

    def _follow(self, gesture: str, found: Refund, actor: Actor, other: bool) -> None:
        name = f"re_{found.id.hex}"
        if gesture in ("approve", "cancel", "transfer", "comes_back"):
            with db.transaction(actor):
                if gesture == "approve":
                    refunds.approve([self.place], found.id)
                elif gesture == "cancel":
                    refunds.cancel([self.place], found.id)
                elif gesture == "transfer":
                    refunds.record_transfer([self.place], found.id, "VIR", db.now().date())
                else:
                    refunds.came_back([self.place], found.id, "RJT")
            return
        with db.transaction(db.system("tests")):
            if gesture == "send":
                refunds.begin(found.id)
            elif gesture == "lose_answer":
                refunds.record_unknown(found.id)
            elif found.psp == "stripe" and (found.psp_ref or found.state in ("sending", "unknown")):
                told = "failed" if gesture == "fails" else "done" if other else "pending"
                # A provider that has said that it failed does not change its mind.
                if found.state not in ("failed", "cancelled"):
                    refunds.hear(found.id, name, told)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
def test_whatever_happens_the_ledger_is_balanced_and_no_payment_gives_back_more_than_it_brought(
    ground: Ground, steps: list[tuple[str, int, int, bool]]
) -> None:
    story = Story(ground)
    for gesture, number, cents, other in steps:
        with contextlib.suppress(NotRefundable, TooLate, refunds.SamePerson):
            story.do(gesture, number, cents, other)
        check(story)


def check(story: Story) -> None:
    with db.transaction(db.system("tests")) as current:
        lines = select(func.sum(LedgerLine.debit_cents), func.sum(LedgerLine.credit_cents))
        debit, credit = current.execute(lines).one()
        assert debit == credit
        for entry in story.payments:
            assert int(current.scalars(select(func.payment_holds(entry, story.bill))).one()) >= 0
        found = queries.standing(story.bill)
        left = select(func.coalesce(func.sum(Refund.amount_cents), 0)).where(
            Refund.bill_id == story.bill, Refund.state.in_(("under_way", "done"))
        )
        assert found.refunded_cents == current.scalar(left)
        assert found.refunded_cents <= found.paid_cents == 13_520
        net = 13_520 - found.refunded_cents
        due = 0 if found.bill.closed_reason else found.bill.due_cents
        assert (found.state == "overpaid") == (net > due)
        assert found.overpaid_cents == max(net - due, 0)
