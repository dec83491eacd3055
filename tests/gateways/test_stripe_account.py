"""What happens to money after it was paid, as Stripe tells it; and the twin's webhooks on their way to us."""

import time
from collections.abc import Iterator
from uuid import uuid4

import pytest
from stripe.params import WebhookEndpointCreateParams

from portal.gateways import Refused, Unavailable
from portal.gateways.payments.means import Counter, Item, Order
from portal.gateways.payments.stripe_account import EVENTS, PAGE, StripeAccount
from portal.gateways.payments.stripe_checkout import StripeMeans
from portal.gateways.payments.stripe_line import StripeLine
from portal.gateways.payments.stripe_signature import NotFromStripe, which_signed
from portal.gateways.payments.stripe_twin import RunningTwin, Trouble, start_in_thread
from portal.gateways.payments.stripe_twin.objects import Object
from tests.gateways.conftest import Portal

KEY = "sk_test_account"
COUNTER = Counter("guichet", "T", KEY)


@pytest.fixture(scope="module")
def running() -> Iterator[RunningTwin]:
    with start_in_thread() as twin:
        yield twin


@pytest.fixture
def twin(running: RunningTwin) -> RunningTwin:
    running.clear()
    running.webhooks.url, running.webhooks.secrets = "", ()
    running.webhooks.answers.clear()
    return running


@pytest.fixture
def line(twin: RunningTwin) -> Iterator[StripeLine]:
    line = StripeLine(twin.base_url)
    yield line
    line.close()


@pytest.fixture
def account(line: StripeLine) -> StripeAccount:
    return StripeAccount(line)


@pytest.fixture
def paid(twin: RunningTwin, line: StripeLine) -> Object:
    return pay(twin, line)


def pay(twin: RunningTwin, line: StripeLine, cents: int = 4520) -> Object:
    order = Order(
        key=str(uuid4()), reference="FAC2026001", exer="2026", items=(Item("FAC2026001", cents),), email="",
        locale="fr", counter=COUNTER, notify_url="", return_url="http://127.0.0.1:9/a", cancel_url="http://127.0.0.1:9/b",
    )  # fmt: skip
    return twin.bank.pay(StripeMeans(line).open(order).psp_ref)


def test_events_are_listed_newest_first_from_a_moment_on(
    twin: RunningTwin, account: StripeAccount, paid: Object
) -> None:
    twin.bank.dispute(paid["payment_intent"])
    found = account.events_since(COUNTER, int(time.time()) - 60)
    assert [event.type for event in found] == [
        "charge.dispute.funds_withdrawn", "charge.dispute.created", "checkout.session.completed",
    ]  # fmt: skip
    assert {event.payment for event in found} == {paid["payment_intent"]}
    assert account.events_since(COUNTER, int(time.time()) + 60) == []


def test_events_go_on_page_after_page(twin: RunningTwin, line: StripeLine, account: StripeAccount) -> None:
    for _ in range(PAGE + 3):
        pay(twin, line)
    first = account.events_since(COUNTER, 0)
    rest = account.events_since(COUNTER, 0, after=first[-1].id)
    assert (len(first), len(rest)) == (PAGE, 3)
    assert len({event.id for event in first + rest}) == PAGE + 3


def test_a_payout_is_made_of_movements_whose_nets_add_up_to_nothing(
    twin: RunningTwin, line: StripeLine, account: StripeAccount
) -> None:
    one, two = pay(twin, line, 4520), pay(twin, line, 10_000)
    StripeMeans(line).refund(two["payment_intent"], 2500, key="refund-1", counter=COUNTER)
    twin.bank.dispute(one["payment_intent"])
    sent = twin.bank.pay_out(KEY)
    payout = account.payout(sent["id"], COUNTER)
    movements = list(account.movements_of(payout.psp_ref, COUNTER))
    assert payout.amount_cents == 4520 - 93 + 10_000 - 175 - 2500 - 4520 - 2000
    assert sum(each.net_cents for each in movements) == 0
    assert [each.kind for each in movements] == ["payout", "dispute", "refund", "charge", "charge"]
    payments = {one["payment_intent"], two["payment_intent"]}
    assert {each.payment_ref for each in movements if each.kind == "charge"} == payments
    assert account.movement(payout.movement, COUNTER).net_cents == -payout.amount_cents


def test_a_payout_that_the_bank_returns_is_failed(twin: RunningTwin, account: StripeAccount, paid: Object) -> None:
    sent = twin.bank.pay_out(KEY)
    twin.bank.return_payout(sent["id"])
    payout = account.payout(sent["id"], COUNTER)
    assert payout.state == "failed"
    assert account.movement(payout.returned_by, COUNTER).net_cents == payout.amount_cents


def test_a_dispute_that_is_won_gives_the_amount_back_and_keeps_the_fee(
    twin: RunningTwin, account: StripeAccount, paid: Object
) -> None:
    made = twin.bank.dispute(paid["payment_intent"])
    twin.bank.end_dispute(made["id"], won=True)
    dispute = account.dispute(made["id"], COUNTER)
    assert dispute.state == "won"
    assert dispute.respond_by is not None
    assert [(one.kind, one.net_cents) for one in dispute.movements] == [
        ("dispute", -6520), ("dispute_reversal", 4520),
    ]  # fmt: skip


def test_the_refunds_of_a_payment_are_told_with_the_money_that_came_back(
    twin: RunningTwin, line: StripeLine, account: StripeAccount, paid: Object
) -> None:
    refund = StripeMeans(line).refund(paid["payment_intent"], 2000, key="refund-1", counter=COUNTER)
    twin.bank.end_refund(refund.psp_ref, failed=True)
    (told,) = account.refunds_of(paid["payment_intent"], COUNTER)
    assert told == account.refund(refund.psp_ref, COUNTER)
    assert (told.state, told.key, told.failure) == ("failed", "refund-1", "expired_or_canceled_card")
    assert account.movement(told.movement, COUNTER).net_cents == -2000
    assert account.movement(told.returned_by, COUNTER).net_cents == 2000


def test_reads_without_an_intelligible_answer_can_be_made_again(twin: RunningTwin, account: StripeAccount) -> None:
    twin.faults.trouble = Trouble.GARBAGE
    with pytest.raises(Unavailable):
        account.events_since(COUNTER, 0)
    twin.faults.clear()
    with pytest.raises(Refused):
        account.payout("po_of_nobody", COUNTER)


def test_every_kind_of_event_that_we_act_upon_is_one_that_the_library_knows() -> None:
    written = str(WebhookEndpointCreateParams.__annotations__["enabled_events"])
    assert [kind for kind in EVENTS if repr(kind) not in written] == []


class TestWebhooks:
    """What the twin sends, as the portal receives it."""

    @pytest.fixture
    def told(self, twin: RunningTwin, portal: Portal) -> Portal:
        twin.webhooks.url, twin.webhooks.secrets = f"{portal.url}/callbacks/stripe", ("whsec_one", "whsec_two")
        return portal

    def test_are_sent_as_often_as_told(self, twin: RunningTwin, line: StripeLine, told: Portal) -> None:
        twin.faults.webhook_copies = 3
        pay(twin, line)
        twin.webhooks.wait()
        assert len(told.calls) == 3
        assert len({body for _method, _path, body in told.calls}) == 1

    def test_may_come_in_the_wrong_order(self, twin: RunningTwin, line: StripeLine, told: Portal) -> None:
        twin.faults.webhook_held = True
        twin.bank.dispute(pay(twin, line)["payment_intent"])
        twin.webhooks.release(backwards=True)
        kinds = [body.rpartition('"type": "')[2].partition('"')[0] for _method, _path, body in told.calls]
        assert kinds[-1] == "checkout.session.completed"

    def test_are_signed_with_each_secret_of_a_rotation(self, twin: RunningTwin, paid: Object, told: Portal) -> None:
        body, header = twin.webhooks.signed({"id": "evt_1"})
        for secret in ("whsec_one", "whsec_two"):
            assert which_signed(body.encode(), header, [secret]) == 0

    @pytest.mark.parametrize(
        "fault", [{"webhook_secret": "whsec_forged"}, {"webhook_age_seconds": 400}, {"webhook_body_changed": True}]
    )
    def test_may_be_forged(self, twin: RunningTwin, told: Portal, fault: dict[str, object]) -> None:
        for name, value in fault.items():
            setattr(twin.faults, name, value)
        body, header = twin.webhooks.signed({"id": "evt_1", "livemode": False})
        with pytest.raises(NotFromStripe):
            which_signed(body.encode(), header, ["whsec_one", "whsec_two"])
