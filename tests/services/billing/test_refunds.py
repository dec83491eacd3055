"""Money given back: never more than came in, by two people above a threshold, and always as the ledger says."""

import threading
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from auth.models import Account
from portal import db, establishments
from portal.config import Settings
from portal.db import Actor
from portal.gateways.payments.means import Refund as Told
from portal.gateways.payments.stripe_twin import RunningTwin as StripeTwin
from portal.gateways.payments.stripe_twin import Trouble
from portal.gateways.payments.stripe_twin import start_in_thread as start_stripe
from services.billing import actions as room
from services.billing import jobs, queries
from services.billing.ledger.models import LedgerEntry, LedgerLine
from services.billing.models import Bill, PaymentAttempt
from services.billing.refunds import actions, states
from services.billing.refunds import jobs as refund_jobs
from services.billing.refunds import queries as refunds
from services.billing.refunds.actions import NotRefundable, SamePerson, TooLate, UnknownRefund
from services.billing.refunds.models import Refund, RefundChange
from tests.factories import billing, people
from tests.factories.refunds import payment
from tests.services.billing.conftest import Ground
from tests.services.billing.test_who_sees import strangers

KEY = "sk_test_of_the_hospital"


@pytest.fixture(scope="module")
def running() -> Iterator[StripeTwin]:
    with start_stripe() as twin:
        yield twin


@pytest.fixture
def stripe(settings: Settings, payment_settings: Settings, running: StripeTwin, ground: Ground) -> Iterator[StripeTwin]:
    """The hospital of the ground takes Stripe too, and no webhook ever comes."""
    running.clear()
    running.webhooks.url = ""
    jobs.connect(payment_settings.model_copy(update={"stripe_api_base": running.base_url}))
    with db.transaction(db.system("tests")):
        establishments.change_setting(ground.hospital.establishment.id, "stripe_enabled", "yes")
        establishments.change_setting(ground.hospital.establishment.id, "stripe_api_key", KEY, secret=True)
    yield running
    jobs.connect(settings)


@pytest.fixture
def paul(ground: Ground) -> Actor:
    return an_agent(ground, "Paul")


@pytest.fixture
def rose(ground: Ground) -> Actor:
    return an_agent(ground, "Rose")


def an_agent(ground: Ground, name: str) -> Actor:
    with db.transaction(db.system("tests")):
        made: Account = people.agent(ground.hospital.establishment.id, "billing")
    actor = people.as_agent(made, ground.hospital.establishment.id, "billing")
    return Actor(actor.kind, name, actor.account_id, rights=actor.rights)


def here(ground: Ground) -> set[UUID]:
    return {ground.hospital.establishment.id}


def paid(bill: Bill, **facts: object) -> UUID:
    with db.transaction(db.system("tests")) as current:
        return payment(current.get_one(Bill, bill.id), **facts).id  # type: ignore[arg-type]  # the factory's own


def paid_at_stripe(ground: Ground, stripe: StripeTwin, bill: Bill | None = None) -> UUID:
    """The whole trip: a page is opened, somebody pays, the portal asks."""
    with db.transaction(db.system("tests")) as current:
        owed = queries.standings_of([(bill or ground.bill).id])
        started = room.start_payment(owed, "stripe", email="jeanne@exemple.test")
    jobs.open_payment_page(started, "/retour")
    with db.transaction(db.system("tests")) as current:
        name = str(current.get_one(PaymentAttempt, started.attempt_id).psp_ref)
    stripe.bank.pay(name)
    assert jobs.settle(started.attempt_id) == "paid"
    with db.transaction(db.system("tests")) as current:
        return current.scalars(select(LedgerEntry.id).where(LedgerEntry.attempt_id == started.attempt_id)).one()


def ask(
    actor: Actor, ground: Ground, entry_id: UUID, cents: int, reason: str = "overpaid", bill: Bill | None = None
) -> UUID:
    with db.transaction(actor):
        return actions.ask(here(ground), entry_id, (bill or ground.bill).id, cents, reason).id


def state_of(refund_id: UUID) -> str:
    return refund(refund_id).state


def refund(refund_id: UUID) -> Refund:
    with db.transaction(db.system("tests")) as current:
        return current.get_one(Refund, refund_id)


def send(refund_id: UUID) -> str:
    refund_jobs.send_refund(str(refund_id))
    return state_of(refund_id)


def later(refund_id: UUID, delay: timedelta) -> None:
    with db.transaction(db.system("tests")) as current:
        found = current.get_one(Refund, refund_id)
        found.state_at -= delay
        if found.first_sent_at:
            found.first_sent_at -= delay


def kinds(ground: Ground) -> list[str]:
    return sorted(entry.kind for entry in ground.entries())


def balance(account: str) -> int:
    """Debits less credits of an account, all bills together."""
    with db.transaction(db.system("tests")) as current:
        lines = select(func.coalesce(func.sum(LedgerLine.debit_cents - LedgerLine.credit_cents), 0))
        return int(current.scalars(lines.where(LedgerLine.account.startswith(account))).one())


class TestTwoPeople:
    def test_below_the_threshold_one_person_is_enough(self, ground: Ground, paul: Actor) -> None:
        entry = paid(ground.bill, cents=5000)
        assert state_of(ask(paul, ground, entry, 480)) == "approved"

    def test_above_it_nothing_leaves_before_a_second_person_agrees(
        self, ground: Ground, paul: Actor, rose: Actor
    ) -> None:
        entry = paid(ground.bill, cents=4520 + 10_000)
        asked = ask(paul, ground, entry, 10_000)
        assert state_of(asked) == "asked"
        with db.transaction(paul), pytest.raises(SamePerson):
            actions.approve(here(ground), asked)
        with db.transaction(rose):
            actions.approve(here(ground), asked)
        assert (state_of(asked), refund(asked).approved_by_name) == ("approved", "Rose")

    def test_each_hospital_has_its_threshold(self, ground: Ground, paul: Actor) -> None:
        with db.transaction(db.system("tests")):
            establishments.change_setting(ground.hospital.establishment.id, refunds.THRESHOLD, "100")
        entry = paid(ground.bill, cents=5000)
        assert state_of(ask(paul, ground, entry, 99)) == "approved"

    @pytest.mark.parametrize("value", ["", "abc", "-1", "100.50", "1e3", "9" * 12])
    def test_a_threshold_that_makes_no_sense_is_refused(self, ground: Ground, value: str) -> None:
        with db.transaction(db.system("tests")), pytest.raises(ValueError, match="whole cents"):
            establishments.change_setting(ground.hospital.establishment.id, refunds.THRESHOLD, value)

    def test_three_small_refunds_are_one_large_one(self, ground: Ground, paul: Actor) -> None:
        entry = paid(ground.bill, cents=30_000)
        assert [state_of(ask(paul, ground, entry, 4000)) for _ in range(3)] == ["approved", "approved", "asked"]

    def test_the_database_itself_refuses_one_pair_of_eyes(self, ground: Ground, paul: Actor) -> None:
        asked = ask(paul, ground, paid(ground.bill, cents=30_000), 20_000)
        with pytest.raises(IntegrityError, match="four_eyes"), db.transaction(paul) as current:
            current.execute(text("update refund set approved_by = asked_by"))
        with pytest.raises(IntegrityError, match="needs_second"), db.transaction(paul) as current:
            current.execute(text("update refund set state = 'approved'"))
        with pytest.raises(DBAPIError, match="not changed"), db.transaction(paul) as current:
            current.execute(text("update refund set needs_second = false, state = 'approved'"))
        assert state_of(asked) == "asked"

    def test_somebody_without_account_approves_nothing(self, ground: Ground, paul: Actor) -> None:
        asked = ask(paul, ground, paid(ground.bill, cents=30_000), 20_000)
        with db.transaction(db.system("tests")), pytest.raises(SamePerson):
            actions.approve(here(ground), asked)

    def test_what_is_given_up_does_not_leave(self, ground: Ground, paul: Actor, rose: Actor) -> None:
        entry = paid(ground.bill, cents=30_000)
        asked = ask(paul, ground, entry, 20_000)
        with db.transaction(rose):
            actions.cancel(here(ground), asked)
        with db.transaction(rose), pytest.raises(TooLate):
            actions.approve(here(ground), asked)
        assert state_of(ask(paul, ground, entry, 20_000)) == "asked"


class TestNeverMoreThanCameIn:
    @pytest.mark.parametrize("cents", [0, -1, 481, 10**15])
    def test_not_a_cent_beyond_what_is_too_much(self, ground: Ground, paul: Actor, cents: int) -> None:
        entry = paid(ground.bill, cents=5000)
        with pytest.raises(NotRefundable, match="too_much"):
            ask(paul, ground, entry, cents)

    def test_what_is_on_its_way_is_not_given_twice(self, ground: Ground, paul: Actor) -> None:
        entry = paid(ground.bill, cents=5000)
        ask(paul, ground, entry, 300)
        with pytest.raises(NotRefundable) as refused:
            ask(paul, ground, entry, 181)
        assert refused.value.most_cents == 180

    def test_each_payment_gives_back_its_own(self, ground: Ground, paul: Actor) -> None:
        first, second = paid(ground.bill), paid(ground.bill, cents=1000)
        with pytest.raises(NotRefundable):
            ask(paul, ground, second, 1001)
        ask(paul, ground, second, 600)
        ask(paul, ground, first, 400)

    def test_the_database_refuses_what_an_action_forgot(self, ground: Ground, paul: Actor) -> None:
        entry = paid(ground.bill, cents=5000)
        with pytest.raises(DBAPIError, match="does not hold so much"), db.transaction(paul) as current:
            current.add(
                Refund(
                    establishment_id=ground.hospital.establishment.id, bill_id=ground.bill.id, entry_id=entry,
                    psp="stripe", amount_cents=5001, reason="overpaid", asked_by=paul.account_id,
                )
            )  # fmt: skip

    def test_two_agents_at_once_give_it_back_once(self, ground: Ground, paul: Actor, rose: Actor) -> None:
        entry = paid(ground.bill, cents=5000)
        ready, ended = threading.Barrier(2), list[str]()

        def one(actor: Actor) -> None:
            ready.wait()
            try:
                ask(actor, ground, entry, 480)
                ended.append("asked")
            except NotRefundable:
                ended.append("refused")

        both = [threading.Thread(target=one, args=(actor,)) for actor in (paul, rose)]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        assert sorted(ended) == ["asked", "refused"]

    def test_a_bill_that_is_just_paid_gives_nothing_back_unless_its_care_was_cancelled(
        self, ground: Ground, paul: Actor
    ) -> None:
        entry = paid(ground.bill)
        with pytest.raises(NotRefundable):
            ask(paul, ground, entry, 100)
        assert state_of(ask(paul, ground, entry, 4520, "cancelled_care")) == "approved"

    def test_a_reason_of_our_own_making_is_no_reason(self, ground: Ground, paul: Actor) -> None:
        entry = paid(ground.bill, cents=5000)
        for reason in ("at_provider", "", "x" * 400):
            with pytest.raises(NotRefundable):
                ask(paul, ground, entry, 100, reason)

    def test_the_titres_money_is_the_public_accountants(self, ground: Ground, paul: Actor) -> None:
        with db.transaction(db.system("tests")):
            titre = billing.bill(ground.hospital.establishment, ground.patient, source="titre")
            entry = payment(titre, psp="payfip", cents=9000).id
        with pytest.raises(NotRefundable, match="titre"):
            ask(paul, ground, entry, 100, bill=titre)

    def test_another_hospitals_payment_is_unknown(self, ground: Ground, paul: Actor) -> None:
        entry = paid(ground.bill, cents=5000)
        with db.transaction(paul), pytest.raises(UnknownRefund):
            actions.ask({uuid4()}, entry, ground.bill.id, 100, "overpaid")
        with db.transaction(paul), pytest.raises(UnknownRefund):
            actions.ask(here(ground), entry, uuid4(), 100, "overpaid")


class TestStripe:
    def test_the_money_leaves_and_the_bill_is_paid_again(
        self, ground: Ground, stripe: StripeTwin, paul: Actor, work_jobs: Callable[[], None]
    ) -> None:
        paid_at_stripe(ground, stripe)
        second = paid(ground.bill)  # another way in, so that the first is whole
        assert ground.standing().state == "overpaid"
        with db.transaction(db.system("tests")) as current:
            first = current.scalars(
                select(LedgerEntry.id).where(LedgerEntry.id != second, LedgerEntry.kind == "payment")
            ).one()
        asked = ask(paul, ground, first, 4520)
        work_jobs()
        assert state_of(asked) == "done"
        assert (ground.standing().state, ground.standing().refunded_cents) == ("paid", 4520)
        assert [each["amount"] for each in stripe.bank.account(KEY).all("refund")] == [4520]
        assert balance("overpaid") == 0

    def test_a_lost_answer_is_looked_for_before_anything_is_sent_again(
        self, ground: Ground, stripe: StripeTwin, paul: Actor
    ) -> None:
        asked = cancelled_care(ground, stripe, paul)
        stripe.faults.trouble, stripe.faults.only, stripe.faults.times = Trouble.CUT_AFTER, "POST /v1/refunds", 1
        assert send(asked) == "unknown"
        assert kinds(ground) == ["payment"]
        assert send(asked) == "done"
        assert len(stripe.bank.account(KEY).all("refund")) == 1
        assert kinds(ground) == ["payment", "refund"]

    def test_what_never_arrived_is_sent_again_with_the_same_key(
        self, ground: Ground, stripe: StripeTwin, paul: Actor
    ) -> None:
        asked = cancelled_care(ground, stripe, paul)
        stripe.faults.trouble, stripe.faults.only, stripe.faults.times = Trouble.CUT_BEFORE, "POST /v1/refunds", 1
        assert send(asked) == "unknown"
        assert send(asked) == "done"
        assert [each["metadata"]["refund"] for each in stripe.bank.account(KEY).all("refund")] == [str(asked)]

    def test_a_process_that_died_in_the_middle_changes_nothing(
        self, ground: Ground, stripe: StripeTwin, paul: Actor
    ) -> None:
        asked = cancelled_care(ground, stripe, paul)
        with db.transaction(db.system("tests")):
            assert actions.begin(asked) is not None  # and then the lights went out
        assert send(asked) == "sending"
        later(asked, states.LOST_AFTER)
        with db.transaction(db.system("tests")):
            assert asked in refunds.to_send(db.now() + timedelta(seconds=1))
        assert send(asked) == "done"
        assert len(stripe.bank.account(KEY).all("refund")) == 1

    def test_a_saved_error_ends_in_a_failure_and_the_money_may_be_asked_for_again(
        self, ground: Ground, stripe: StripeTwin, paul: Actor
    ) -> None:
        asked = cancelled_care(ground, stripe, paul)
        stripe.faults.trouble, stripe.faults.only = Trouble.ERROR_BEFORE, "POST /v1/refunds"
        assert [send(asked), send(asked)] == ["unknown", "unknown"]
        later(asked, states.SAME_KEY_FOR)
        assert send(asked) == "failed"
        assert refund(asked).failure == "lost"
        stripe.faults.clear()
        with db.transaction(db.system("tests")) as current:
            entry = current.scalars(select(LedgerEntry.id)).one()
        assert send(ask(paul, ground, entry, 4520)) == "done"

    @pytest.mark.parametrize("trouble", [Trouble.TOO_MANY])
    def test_when_nothing_was_sent_it_waits(
        self, ground: Ground, stripe: StripeTwin, paul: Actor, trouble: Trouble
    ) -> None:
        asked = cancelled_care(ground, stripe, paul)
        stripe.faults.trouble, stripe.faults.only, stripe.faults.times = trouble, "POST /v1/refunds", 1
        assert send(asked) == "approved"
        assert send(asked) == "done"

    def test_what_stripe_refuses_has_not_left(self, ground: Ground, stripe: StripeTwin, paul: Actor) -> None:
        asked = cancelled_care(ground, stripe, paul)
        with db.transaction(db.system("tests")) as current:
            number = current.scalars(select(LedgerEntry.number)).one()
        stripe.bank.refund(stripe.bank.account(KEY), {"payment_intent": number})  # at Stripe's own site
        assert send(asked) == "failed"
        assert refund(asked).failure == "charge_already_refunded"
        assert kinds(ground) == ["payment"]

    def test_a_refund_that_fails_days_later_gives_the_money_back_to_the_ledger(
        self, ground: Ground, stripe: StripeTwin, paul: Actor
    ) -> None:
        asked = cancelled_care(ground, stripe, paul)
        stripe.faults.refunds_pend = True
        assert send(asked) == "under_way"
        assert ground.standing().state == "closed_elsewhere"
        stripe.bank.end_refund(str(refund(asked).psp_ref), failed=True)
        for _ in range(3):  # news come more than once
            refund_jobs.hear_refund(str(ground.hospital.establishment.id), str(refund(asked).psp_ref))
        assert (state_of(asked), refund(asked).failure) == ("failed", "expired_or_canceled_card")
        assert kinds(ground) == ["payment", "refund", "refund_failed"]
        assert ground.standing().state == "overpaid"
        assert ground.standing().overpaid_cents == 4520

    def test_a_refund_made_at_stripes_own_site_is_written_down(
        self, ground: Ground, stripe: StripeTwin, paul: Actor
    ) -> None:
        entry = paid_at_stripe(ground, stripe)
        with db.transaction(db.system("tests")) as current:
            number = current.get_one(LedgerEntry, entry).number
        made = stripe.bank.refund(stripe.bank.account(KEY), {"payment_intent": number, "amount": "1200"})
        for _ in range(2):
            refund_jobs.hear_refund(str(ground.hospital.establishment.id), made["id"])
        assert kinds(ground) == ["payment", "refund"]
        with db.transaction(db.system("tests")) as current:
            found = current.scalars(select(Refund)).one()
        assert (found.reason, found.asked_by, found.state) == ("at_provider", None, "done")
        assert ground.standing().refunded_cents == 1200

    def test_our_key_on_a_refund_that_is_not_ours_is_not_believed(
        self, ground: Ground, stripe: StripeTwin, paul: Actor
    ) -> None:
        asked = cancelled_care(ground, stripe, paul)
        with db.transaction(db.system("tests")) as current:
            number = current.scalars(select(LedgerEntry.number)).one()
        forged = {"payment_intent": number, "amount": "700", "metadata": {"refund": str(asked)}}
        made = stripe.bank.refund(stripe.bank.account(KEY), forged)
        refund_jobs.hear_refund(str(ground.hospital.establishment.id), made["id"])
        assert (state_of(asked), refund(asked).psp_ref) == ("approved", None)
        assert ground.standing().refunded_cents == 700

    def test_a_refund_of_somebody_elses_payment_changes_nothing(
        self, ground: Ground, stripe: StripeTwin, paul: Actor
    ) -> None:
        with db.transaction(db.system("tests")):
            assert actions.adopt("stripe", "pi_of_another_shop", "re_of_another_shop", 100) is None
        assert kinds(ground) == []

    def test_nothing_is_given_back_of_a_disputed_payment(
        self, ground: Ground, stripe: StripeTwin, paul: Actor, rose: Actor
    ) -> None:
        from services.billing.disputes import jobs as dispute_jobs

        entry = paid_at_stripe(ground, stripe)
        with db.transaction(db.system("tests")) as current:
            number = current.get_one(LedgerEntry, entry).number
        made = stripe.bank.dispute(number)
        dispute_jobs.hear_dispute(str(ground.hospital.establishment.id), made["id"])
        with pytest.raises(NotRefundable, match="disputed"):
            ask(paul, ground, entry, 4520, "cancelled_care")


def cancelled_care(ground: Ground, stripe: StripeTwin, paul: Actor) -> UUID:
    """A paid bill whose care was cancelled: everything is on its way back."""
    return ask(paul, ground, paid_at_stripe(ground, stripe), 4520, "cancelled_care")


class TestCancelledCare:
    def test_the_bill_is_closed_and_nobody_is_asked_to_pay_again(
        self, ground: Ground, stripe: StripeTwin, paul: Actor
    ) -> None:
        asked = cancelled_care(ground, stripe, paul)
        assert ground.standing().state == "overpaid"
        assert send(asked) == "done"
        found = ground.standing()
        assert (found.state, found.left_cents, found.bill.closed_reason) == ("closed_elsewhere", 0, "cancelled")

    def test_it_stays_open_while_the_second_person_has_not_agreed(
        self, ground: Ground, paul: Actor, rose: Actor
    ) -> None:
        with db.transaction(db.system("tests")):
            establishments.change_setting(ground.hospital.establishment.id, refunds.THRESHOLD, "0")
        asked = ask(paul, ground, paid(ground.bill), 4520, "cancelled_care")
        assert ground.standing().state == "paid"
        with db.transaction(rose):
            actions.cancel(here(ground), asked)
        assert ground.standing().state == "paid"

    def test_a_bill_sent_again_lower_gives_back_the_difference(self, ground: Ground, paul: Actor) -> None:
        entry = paid(ground.bill)
        with db.transaction(db.system("tests")) as current:
            current.get_one(Bill, ground.bill.id).due_cents = 4000
        assert ground.standing().state == "overpaid"
        with db.transaction(paul):
            refund_id = actions.ask(here(ground), entry, ground.bill.id, 520, "overpaid").id
        hear_done(refund_id)
        assert (ground.standing().state, ground.standing().overpaid_cents) == ("paid", 0)


def hear_done(refund_id: UUID, told: str = "done") -> None:
    with db.transaction(db.system("tests")):
        actions.begin(refund_id)
    with db.transaction(db.system("tests")):
        actions.hear(refund_id, f"re_{refund_id.hex}", told)


class TestPayfip:
    def test_the_accountants_transfer_is_recorded_with_its_reference(self, ground: Ground, paul: Actor) -> None:
        asked = ask(paul, ground, paid(ground.bill, psp="payfip", cents=5000), 480)
        assert send(asked) == "approved"  # nobody to send it to
        with db.transaction(paul):
            actions.record_transfer(here(ground), asked, "VIR-2026-118", date(2026, 11, 20))
        assert state_of(asked) == "done"
        (entry,) = [each for each in ground.entries() if each.kind == "refund"]
        assert (entry.note, {(line.account, line.debit_cents, line.credit_cents) for line in entry.lines}) == (
            "VIR-2026-118",
            {("overpaid", 480, 0), ("bank", 0, 480)},
        )
        assert ground.standing().state == "paid"
        with db.transaction(paul), pytest.raises(TooLate):
            actions.record_transfer(here(ground), asked, "VIR-2026-118", date(2026, 11, 20))

    def test_a_transfer_that_came_back_is_to_be_given_back_again(self, ground: Ground, paul: Actor) -> None:
        entry = paid(ground.bill, psp="payfip", cents=5000)
        asked = ask(paul, ground, entry, 480)
        with db.transaction(paul):
            actions.record_transfer(here(ground), asked, "VIR-1", date(2026, 11, 20))
        with db.transaction(paul):
            actions.came_back(here(ground), asked, "RJT-9")
        assert (state_of(asked), ground.standing().overpaid_cents) == ("failed", 480)
        ask(paul, ground, entry, 480)

    def test_a_card_that_is_gone_is_replaced_by_a_transfer(self, ground: Ground, paul: Actor) -> None:
        entry = paid(ground.bill, cents=5000)
        with db.transaction(paul):
            asked = actions.ask(here(ground), entry, ground.bill.id, 480, "overpaid", by_transfer=True).id
        assert send(asked) == "approved"  # Stripe is not asked
        with db.transaction(paul):
            actions.record_transfer(here(ground), asked, "VIR-2", date(2026, 11, 20))
        assert (state_of(asked), ground.standing().state, balance("bank")) == ("done", "paid", -480)

    def test_stripes_refunds_are_not_recorded_by_hand(self, ground: Ground, paul: Actor) -> None:
        asked = ask(paul, ground, paid(ground.bill, cents=5000), 480)
        with db.transaction(paul), pytest.raises(TooLate):
            actions.record_transfer(here(ground), asked, "VIR-1", date(2026, 11, 20))


class TestStates:
    def test_each_change_leaves_a_row_that_nobody_changes(self, ground: Ground, paul: Actor, rose: Actor) -> None:
        asked = ask(paul, ground, paid(ground.bill, cents=30_000), 20_000)
        with db.transaction(rose):
            actions.approve(here(ground), asked)
        hear_done(asked, "pending")
        hear_done(asked)
        with db.transaction(db.system("tests")):
            went = [(each.after, each.actor_name) for each in refunds.changes_of(asked)]
        assert went == [("asked", "Paul"), ("approved", "Rose"), ("sending", ""), ("under_way", ""), ("done", "")]
        with pytest.raises(DBAPIError, match="permission denied"), db.transaction(db.system("tests")) as current:
            current.execute(text("delete from refund_change"))

    def test_every_state_is_known_to_the_table_of_transitions(self) -> None:
        assert set(states.TRANSITIONS) == set(states.STATES)
        assert set().union(*states.TRANSITIONS.values()) <= set(states.STATES)
        assert not any(states.allowed(state, "asked") for state in states.STATES)

    def test_two_names_for_one_refund_are_not_believed(self, ground: Ground, paul: Actor) -> None:
        asked = ask(paul, ground, paid(ground.bill, cents=5000), 480)
        hear_done(asked, "pending")
        with db.transaction(db.system("tests")):
            assert actions.hear(asked, "re_of_somebody_else", "done") == "under_way"


class TestThePayer:
    def test_hears_once_without_amount_nor_care(
        self, ground: Ground, paul: Actor, work_jobs: Callable[[], None]
    ) -> None:
        from services.billing.refunds.mails import refund_on_its_way

        asked = ask(paul, ground, paid(ground.bill, cents=5000, email="jeanne@exemple.test"), 480)
        hear_done(asked, "pending")
        hear_done(asked)
        with db.transaction(db.system("tests")) as current:
            told = current.scalar(
                text("select count(*) from procrastinate_jobs where task_name = 'billing.tell_of_refund'")
            )
        assert told == 1
        words = str(refund_on_its_way(None, by_transfer=False))
        assert not any(letter.isdigit() for letter in words.replace(str(ground.bill.id), ""))


TABLES = ("refund", "refund_change")


def test_strangers_see_no_refund(ground: Ground, paul: Actor) -> None:
    ask(paul, ground, paid(ground.bill, cents=5000), 480)
    who = {**strangers(ground), "the patient": people.as_patient(ground.account, ground.patient)}
    for name, actor in who.items():
        with db.transaction(actor) as current:
            for table in (Refund, RefundChange):
                assert current.scalar(select(func.count()).select_from(table)) == 0, name
            assert current.scalars(text("update refund set note = 'seen' returning id")).all() == [], name
    with db.transaction(paul) as current:
        assert current.scalar(select(func.count()).select_from(Refund)) == 1


def test_told_of_means_is_what_we_expect() -> None:
    assert set(Told.__dataclass_fields__) == {"psp_ref", "payment_ref", "amount_cents", "state", "failure"}
