"""Stripe's events only make us ask: whatever copies, forgeries or silence come, the ledger tells the truth."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest
import stripe as library
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy import select, text

from portal import db, establishments
from portal.config import Settings
from portal.gateways.payments.stripe_signature import LONGEST_BODY
from portal.gateways.payments.stripe_twin import RunningTwin as StripeTwin
from portal.gateways.payments.stripe_twin import Trouble
from portal.gateways.payments.stripe_twin import start_in_thread as start_stripe
from services.billing import jobs
from services.billing.ledger.models import LedgerEntry, LedgerLine
from services.billing.stripe_events import jobs as events
from services.billing.stripe_events import queries
from services.billing.stripe_events.models import StripeEvent, StripeSweep
from tests.factories import hospitals
from tests.services.billing.conftest import Ground, SignIn, later
from tests.services.billing.test_who_sees import strangers

KEY, SECRET = "sk_test_of_the_hospital", "whsec_of_the_hospital"
OF_ENVIRONMENT = "whsec_of_the_environment"
Work = Callable[[], None]


@pytest.fixture(scope="module")
def running() -> Iterator[StripeTwin]:
    with start_stripe() as twin:
        yield twin


@pytest.fixture
def stripe(
    app: Flask, settings: Settings, payment_settings: Settings, running: StripeTwin, portal_url: str, ground: Ground
) -> Iterator[StripeTwin]:
    """The hospital of the ground takes Stripe alone, and Stripe knows where to call."""
    running.clear()
    running.webhooks.answers.clear()
    running.webhooks.url, running.webhooks.secrets = f"{portal_url}/callbacks/stripe", (SECRET,)
    with_stripe = payment_settings.model_copy(
        update={
            "stripe_api_base": running.base_url,
            "stripe_webhook_secrets": SecretStr(OF_ENVIRONMENT),
        }
    )
    jobs.connect(with_stripe)
    events.configure(with_stripe)
    with db.transaction(db.system("tests")):
        take_stripe(ground.hospital.establishment.id)
    yield running
    jobs.connect(settings)
    events.configure(settings)


def take_stripe(place: UUID) -> None:
    establishments.change_setting(place, "payfip_numcli", "")
    establishments.change_setting(place, "stripe_enabled", "yes")
    establishments.change_setting(place, "stripe_api_key", KEY, secret=True)
    establishments.change_setting(place, "stripe_webhook_secrets", SECRET, secret=True)


@pytest.fixture
def browser(sign_in: SignIn, ground: Ground) -> FlaskClient:
    return sign_in(ground.account)


def leave(browser: FlaskClient, ground: Ground) -> str:
    """Reach Stripe's page; returns its address."""
    answer = browser.post(f"{ground.page}/payer", data={"email": "jeanne@exemple.test"})
    assert answer.status_code == 303
    assert "/c/pay/" in answer.location
    return str(answer.location)


def pay(browser: FlaskClient, ground: Ground) -> str:
    """The whole trip; returns the path of the way back."""
    answer = httpx.post(leave(browser, ground), data={"choice": "pay"}, trust_env=False)
    assert answer.status_code == 303
    return urlsplit(answer.headers["location"]).path


def heard() -> list[StripeEvent]:
    with db.transaction(db.system("tests")) as current:
        return list(current.scalars(select(StripeEvent).order_by(StripeEvent.happened_at, StripeEvent.event_id)))


def entries(kind: str) -> list[LedgerEntry]:
    with db.transaction(db.system("tests")) as current:
        return list(current.scalars(select(LedgerEntry).where(LedgerEntry.kind == kind)))


def enqueued(task: str) -> list[dict[str, Any]]:
    with db.transaction(db.system("tests")) as current:
        found = current.scalars(
            text("select args from procrastinate_jobs where task_name = :task order by id"), {"task": task}
        )
        return list(found)


def the_clock_strikes() -> None:
    with db.transaction(db.system("tests")) as current:
        current.execute(
            text(
                "select procrastinate_defer_jobs_v1(array[row('clock', 'billing.sweep_stripe', 0, null, null,"
                " '{\"timestamp\": 0}'::jsonb, null)::procrastinate_job_to_defer_v1])"
            )
        )


def passages() -> int:
    """How often this process went through Stripe's doors since they were opened."""
    doors = jobs.stripe().account._line._doors.values()  # its doors are nobody's business but a test's
    return sum(door.state().done + door.state().refused + door.state().failed for door in doors)


def balance(account: str) -> int:
    """Debits less credits of the accounts that begin so."""
    with db.transaction(db.system("tests")) as current:
        lines = current.scalars(select(LedgerLine).where(LedgerLine.account.startswith(account))).all()
        return sum(line.debit_cents - line.credit_cents for line in lines)


def sweep(ground: Ground) -> None:
    events.sweep_account(str(ground.hospital.establishment.id))


def session_of(ground: Ground) -> str:
    return str(ground.attempts()[0].psp_ref)


def event_about(object_id: str, kind: str = "checkout.session.completed", **facts: Any) -> bytes:
    about = {"id": object_id, "object": kind.rpartition(".")[0]}
    whole = {"id": f"evt_{object_id}", "object": "event", "type": kind, "created": int(time.time()), "livemode": False,
             "data": {"object": about}, **facts}  # fmt: skip
    return json.dumps(whole).encode()


def call(client: FlaskClient, body: bytes, secret: str = SECRET, *, age: int = 0, header: str | None = None) -> int:
    if header is None:
        moment = int(time.time()) - age
        header = library.WebhookSignature.generate_signature_header(body.decode(), secret, moment)
    return client.post("/callbacks/stripe", data=body, headers={"Stripe-Signature": header}).status_code


class TestAPaymentByStripe:
    def test_is_settled_when_the_payer_comes_back(
        self, browser: FlaskClient, ground: Ground, stripe: StripeTwin
    ) -> None:
        stripe.faults.webhook_copies = 0
        browser.get(pay(browser, ground))
        assert ground.standing().state == "paid"
        (entry,) = ground.entries()
        assert (entry.psp, entry.amount_cents, entry.means) == ("stripe", 4520, "card")
        assert entry.number.startswith("pi_")

    def test_is_settled_by_the_webhook_when_the_payer_never_comes_back(
        self, browser: FlaskClient, ground: Ground, stripe: StripeTwin, work_jobs: Work
    ) -> None:
        pay(browser, ground)
        stripe.webhooks.wait()
        work_jobs()
        assert ground.standing().state == "paid"
        assert len(ground.receipts()) == 1
        assert [(event.state, event.came_by) for event in heard()] == [("done", "webhook")]

    def test_comes_in_whole_and_what_stripe_keeps_is_an_entry_of_its_own(
        self, browser: FlaskClient, ground: Ground, stripe: StripeTwin, work_jobs: Work
    ) -> None:
        pay(browser, ground)
        stripe.webhooks.wait()
        work_jobs()
        (fee,) = entries("fee")
        assert (fee.amount_cents, fee.psp_ref[:4]) == (93, "txn_")
        assert balance("clearing:stripe:") == 4520 - 93
        assert ground.standing().paid_cents == 4520

    def test_is_settled_by_the_sweep_when_nobody_calls(
        self, browser: FlaskClient, ground: Ground, stripe: StripeTwin, work_jobs: Work
    ) -> None:
        stripe.faults.webhook_copies = 0
        pay(browser, ground)
        sweep(ground)
        work_jobs()
        assert ground.standing().state == "paid"
        assert [event.came_by for event in heard()] == ["sweep"]

    def test_is_settled_once_whoever_brings_the_news_and_however_often(
        self, browser: FlaskClient, ground: Ground, stripe: StripeTwin, work_jobs: Work
    ) -> None:
        stripe.faults.webhook_copies = 12
        back = pay(browser, ground)
        threads = [threading.Thread(target=browser.application.test_client().get, args=(back,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        stripe.webhooks.wait()
        sweep(ground)
        work_jobs()
        assert set(stripe.webhooks.answers) == {200}
        assert (len(ground.entries()), len(ground.receipts()), len(heard()), len(entries("fee"))) == (1, 1, 1, 1)

    def test_whose_webhook_came_while_stripe_was_away_is_settled_when_it_is_back(
        self, browser: FlaskClient, ground: Ground, stripe: StripeTwin, work_jobs: Work
    ) -> None:
        back = pay(browser, ground)
        stripe.webhooks.wait()
        stripe.faults.trouble, stripe.faults.only = Trouble.BAD_GATEWAY, "GET /v1/checkout"
        work_jobs()
        assert ground.standing().state == "in_progress"
        stripe.faults.clear()
        browser.get(back)
        assert ground.standing().state == "paid"

    def test_keeps_its_page_open_for_longer_than_payfip_and_the_bill_waits(
        self, browser: FlaskClient, ground: Ground, stripe: StripeTwin
    ) -> None:
        leave(browser, ground)
        later(ground.bill, timedelta(minutes=25))
        jobs.settle(ground.attempts()[0].id)
        assert ground.attempts()[0].state == "awaiting"

    def test_of_a_page_that_closed_leaves_the_bill_open(
        self, browser: FlaskClient, ground: Ground, stripe: StripeTwin, work_jobs: Work
    ) -> None:
        leave(browser, ground)
        stripe.bank.expire(session_of(ground))
        stripe.webhooks.wait()
        work_jobs()
        assert (ground.attempts()[0].state, ground.standing().state) == ("expired", "open")
        pay(browser, ground)
        stripe.webhooks.wait()
        work_jobs()
        assert ground.standing().state == "paid"

    def test_in_two_tabs_is_booked_twice_and_seen(
        self, browser: FlaskClient, ground: Ground, stripe: StripeTwin, work_jobs: Work
    ) -> None:
        leave(browser, ground)
        first = session_of(ground)
        later(ground.bill, timedelta(hours=2))
        leave(browser, ground)
        for session in (first, session_of(ground)):
            stripe.bank.pay(session)
        stripe.webhooks.wait()
        work_jobs()
        assert (ground.standing().state, ground.standing().overpaid_cents) == ("overpaid", 4520)


def test_an_installation_of_one_hospital_takes_key_and_secret_from_the_environment(
    browser: FlaskClient, ground: Ground, stripe: StripeTwin, payment_settings: Settings, work_jobs: Work
) -> None:
    with db.transaction(db.system("tests")):
        for key in ("stripe_api_key", "stripe_webhook_secrets"):
            establishments.change_setting(ground.hospital.establishment.id, key, "", secret=True)
    jobs.connect(
        payment_settings.model_copy(update={"stripe_api_base": stripe.base_url, "stripe_api_key": SecretStr(KEY)})
    )
    stripe.webhooks.secrets = (OF_ENVIRONMENT,)
    pay(browser, ground)
    stripe.webhooks.wait()
    work_jobs()
    assert stripe.webhooks.answers == [200]
    assert ground.standing().state == "paid"


class TestAWebhook:
    def test_that_nobody_of_ours_signed_is_refused(
        self, client: FlaskClient, ground: Ground, stripe: StripeTwin
    ) -> None:
        body = event_about("cs_test_1")
        assert call(client, body, "whsec_of_somebody_else") == 400
        assert call(client, body, age=301) == 400
        assert call(client, body, header="") == 400
        assert call(client, body, header="t=1,v1=" + "a" * 64) == 400
        assert heard() == []

    def test_signed_with_yesterdays_secret_is_heard_until_it_is_taken_away(
        self, client: FlaskClient, ground: Ground, stripe: StripeTwin
    ) -> None:
        place = ground.hospital.establishment.id
        with db.transaction(db.system("tests")):
            establishments.change_setting(place, "stripe_webhook_secrets", f"{SECRET}, whsec_of_tomorrow", secret=True)
        assert call(client, event_about("cs_1")) == call(client, event_about("cs_2"), "whsec_of_tomorrow") == 200
        with db.transaction(db.system("tests")):
            establishments.change_setting(place, "stripe_webhook_secrets", "whsec_of_tomorrow", secret=True)
        assert call(client, event_about("cs_3")) == 400

    def test_signed_with_the_environments_secret_is_the_only_hospitals(
        self, client: FlaskClient, ground: Ground, stripe: StripeTwin
    ) -> None:
        assert call(client, event_about("cs_1"), OF_ENVIRONMENT) == 200
        assert [event.establishment_id for event in heard()] == [ground.hospital.establishment.id]

    def test_that_is_no_event_is_refused_and_one_that_we_do_not_follow_is_thanked_for(
        self, client: FlaskClient, ground: Ground, stripe: StripeTwin
    ) -> None:
        assert call(client, b'{"object": "v2.core.event", "id": "evt_1"}') == 400
        assert call(client, b"[]") == 400
        assert call(client, event_about("cus_1", "customer.created")) == 200
        assert heard() == []

    def test_that_is_far_too_long_is_not_read(self, client: FlaskClient, ground: Ground, stripe: StripeTwin) -> None:
        assert call(client, b"x" * (LONGEST_BODY + 1), header="t=1,v1=a") == 413

    def test_by_get_is_not_one(self, client: FlaskClient) -> None:
        assert client.get("/callbacks/stripe").status_code == 405

    def test_says_nothing_that_is_believed(
        self, client: FlaskClient, browser: FlaskClient, ground: Ground, stripe: StripeTwin, work_jobs: Work
    ) -> None:
        """Signed, it says paid; Stripe, when asked, does not."""
        leave(browser, ground)
        about = {"id": session_of(ground), "object": "checkout.session", "payment_status": "paid", "amount_total": 4520}
        assert call(client, event_about(session_of(ground), data={"object": about})) == 200
        work_jobs()
        assert ground.standing().state == "in_progress"
        assert ground.entries() == []

    def test_about_an_unknown_session_asks_stripe_nothing(
        self, client: FlaskClient, ground: Ground, stripe: StripeTwin
    ) -> None:
        call(client, event_about("cs_test_of_the_museum"))
        events.act(str(heard()[0].id))
        assert [(event.state, event.note) for event in heard()] == [("ignored", "unknown")]
        assert passages() == 0

    def test_of_the_other_kind_test_or_live_is_ignored(
        self, client: FlaskClient, ground: Ground, stripe: StripeTwin, work_jobs: Work
    ) -> None:
        call(client, event_about("cs_1", livemode=True))
        work_jobs()
        assert [(event.state, event.note) for event in heard()] == [("ignored", "mode")]

    def test_of_one_hospital_about_anothers_payment_is_for_a_human(
        self, client: FlaskClient, browser: FlaskClient, ground: Ground, stripe: StripeTwin, work_jobs: Work
    ) -> None:
        with db.transaction(db.system("tests")):
            other = hospitals.hospital("990000025", "Hôpital d’à côté").establishment.id
            establishments.change_setting(other, "stripe_api_key", "sk_test_of_the_other", secret=True)
            establishments.change_setting(other, "stripe_webhook_secrets", "whsec_of_the_other", secret=True)
        leave(browser, ground)
        call(client, event_about(session_of(ground)), "whsec_of_the_other")
        work_jobs()
        assert [(event.state, event.note) for event in heard()] == [("to_review", "establishment")]
        assert ground.standing().state == "in_progress"

    def test_holds_nothing_about_a_person_or_a_card_afterwards(
        self, browser: FlaskClient, ground: Ground, stripe: StripeTwin, work_jobs: Work
    ) -> None:
        pay(browser, ground)
        stripe.webhooks.wait()
        work_jobs()
        with db.transaction(db.system("tests")) as current:
            kept = "".join(
                str(row)
                for table in ("stripe_event", "psp_exchange", "ledger_entry")
                for row in current.execute(text(f"select * from {table}"))
            )
        for word in ("jeanne", "exemple.test", "Camille", "Arceau", "FictiveFingerprint", KEY, "/retour/", "/c/pay/"):
            assert word not in kept


class TestWhatHappensToMoneyAfterwards:
    @pytest.fixture
    def paid(self, browser: FlaskClient, ground: Ground, stripe: StripeTwin, work_jobs: Work) -> Ground:
        pay(browser, ground)
        stripe.webhooks.wait()
        work_jobs()
        return ground

    def test_is_asked_about_by_the_name_of_the_object(self, paid: Ground, stripe: StripeTwin, work_jobs: Work) -> None:
        payment = paid.entries()[0].number
        account = stripe.bank.account(KEY)
        refund = stripe.bank.refund(account, {"payment_intent": payment, "amount": "1000"})
        stripe.webhooks.wait()
        dispute = stripe.bank.dispute(payment)
        payout = stripe.bank.pay_out(KEY)
        stripe.webhooks.wait()
        for event in heard():
            events.act(str(event.id))
        place = str(paid.hospital.establishment.id)
        for task, name in (("refund", refund["id"]), ("dispute", dispute["id"]), ("payout", payout["id"])):
            asked = enqueued(f"billing.hear_{task}")
            assert asked
            assert all(args == {"establishment_id": place, "psp_ref": name} for args in asked)
        assert {event.state for event in heard()} == {"done"}

    @pytest.mark.parametrize("backwards", [False, True])
    def test_ends_with_nothing_owed_once_it_was_paid_out_whatever_the_order(
        self, paid: Ground, stripe: StripeTwin, work_jobs: Work, backwards: bool
    ) -> None:
        payment, account = paid.entries()[0].number, stripe.bank.account(KEY)
        stripe.faults.webhook_held, stripe.faults.webhook_copies = True, 2
        failing = stripe.bank.refund(account, {"payment_intent": payment, "amount": "500"})
        stripe.bank.end_refund(failing["id"], failed=True)
        stripe.bank.refund(account, {"payment_intent": payment, "amount": "1000"})
        stripe.bank.end_dispute(stripe.bank.dispute(payment, 2000)["id"], won=True)
        stripe.bank.pay_out(KEY)
        stripe.webhooks.release(backwards=backwards)
        work_jobs()
        assert {event.state for event in heard()} == {"done"}
        assert balance("clearing:stripe:") == 0
        assert balance("bank") == 4520 - 93 - 1000 - 2000
        assert balance("fees") == 93 + 2000
        assert balance("disputes") == 0
        assert paid.standing().refunded_cents == 1000

    def test_in_the_wrong_order_is_the_same(self, paid: Ground, stripe: StripeTwin) -> None:
        stripe.faults.webhook_held = True
        stripe.bank.dispute(paid.entries()[0].number)
        stripe.webhooks.release(backwards=True)
        assert set(stripe.webhooks.answers) == {200}
        assert len(heard()) == 3


class TestTheSweep:
    def test_reads_on_from_where_it_ended_and_keeps_each_event_once(
        self, browser: FlaskClient, ground: Ground, stripe: StripeTwin, work_jobs: Work
    ) -> None:
        stripe.faults.webhook_copies = 0
        pay(browser, ground)
        for _ in range(3):
            sweep(ground)
        with db.transaction(db.system("tests")) as current:
            mark = current.get_one(StripeSweep, ground.hospital.establishment.id)
        assert len(heard()) == 1
        assert mark.read_until == heard()[0].happened_at
        assert mark.trouble == ""

    def test_that_fails_says_why_and_goes_on_from_the_same_place(
        self, browser: FlaskClient, ground: Ground, stripe: StripeTwin
    ) -> None:
        stripe.faults.webhook_copies = 0
        pay(browser, ground)
        sweep(ground)
        before = self.mark(ground)
        stripe.faults.trouble = Trouble.BAD_GATEWAY
        sweep(ground)
        assert (self.mark(ground).trouble, self.mark(ground).read_until) == ("away", before.read_until)
        stripe.faults.clear()
        sweep(ground)
        assert self.mark(ground).trouble == ""

    def test_of_an_account_whose_key_is_wrong_says_so(self, ground: Ground, stripe: StripeTwin) -> None:
        with db.transaction(db.system("tests")):
            establishments.change_setting(
                ground.hospital.establishment.id, "stripe_api_key", "sk_test_unknown_key", secret=True
            )
        sweep(ground)
        assert self.mark(ground).trouble == "api_key"

    def test_goes_on_after_stripe_was_switched_off(self, ground: Ground, stripe: StripeTwin) -> None:
        """Disputes and payouts come for months."""
        place = ground.hospital.establishment.id
        with db.transaction(db.system("tests")):
            establishments.change_setting(place, "stripe_enabled", "no")
            assert queries.accounts() == [place]

    def test_takes_up_events_that_a_dead_worker_left(
        self, client: FlaskClient, ground: Ground, stripe: StripeTwin, work_jobs: Work
    ) -> None:
        call(client, event_about("cs_1"))
        with db.transaction(db.system("tests")) as current:
            current.execute(text("delete from procrastinate_jobs"))
            for event in current.scalars(select(StripeEvent)):
                event.received_at -= timedelta(hours=1)
        the_clock_strikes()
        work_jobs()
        assert [event.state for event in heard()] == ["ignored"]

    def test_by_the_clock_goes_to_each_account(
        self, browser: FlaskClient, ground: Ground, stripe: StripeTwin, work_jobs: Work
    ) -> None:
        stripe.faults.webhook_copies = 0
        pay(browser, ground)
        the_clock_strikes()
        work_jobs()
        assert ground.standing().state == "paid"

    def mark(self, ground: Ground) -> StripeSweep:
        with db.transaction(db.system("tests")) as current:
            return current.get_one(StripeSweep, ground.hospital.establishment.id)


def test_only_the_hospitals_own_billing_agents_see_its_events(
    client: FlaskClient, ground: Ground, stripe: StripeTwin
) -> None:
    call(client, event_about("cs_1"))
    sweep(ground)
    for name, actor in strangers(ground).items():
        with db.transaction(actor) as current:
            for table in ("stripe_event", "stripe_sweep"):
                assert current.scalar(text(f"select count(*) from {table}")) == 0, (name, table)
