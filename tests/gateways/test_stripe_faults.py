"""Stripe on a bad day: refused, not sent, and nobody-knows are never taken for one another."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest

from portal.gateways import OutcomeUnknown, Refused, Unavailable, UnsupportedUrl
from portal.gateways.breaker import BreakerState
from portal.gateways.door import Door
from portal.gateways.payments import Exchange
from portal.gateways.payments.means import Counter, Dead, Ending, Item, NotYetKnown, Order
from portal.gateways.payments.stripe_checkout import StripeMeans
from portal.gateways.payments.stripe_line import StripeLine
from portal.gateways.payments.stripe_twin import Bank, RunningTwin, Trouble, start_in_thread
from tests.gateways.drip import dripping

KEY = "sk_test_faults"
COUNTER = Counter("guichet", "T", KEY)
LOST = [trouble for trouble in Trouble if trouble not in (Trouble.SLOW, Trouble.TOO_MANY)]


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> float:
        return (datetime.now(UTC) + self.ahead).timestamp()


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def running(clock: Clock) -> Iterator[RunningTwin]:
    with start_in_thread(bank=Bank(clock)) as twin:
        yield twin


@pytest.fixture
def twin(running: RunningTwin, clock: Clock) -> RunningTwin:
    running.clear()
    clock.ahead = timedelta()
    return running


@pytest.fixture
def means(twin: RunningTwin) -> Iterator[StripeMeans]:
    line = line_to(twin.base_url)
    yield StripeMeans(line)
    line.close()


def line_to(address: str, timeout_seconds: float = 5.0) -> StripeLine:
    return StripeLine(address, door_for=lambda name: Door(name, timeout_seconds=timeout_seconds, open_after=1000))


def order(key: str = "", **facts: object) -> Order:
    plain = Order(
        key=key or str(uuid4()), reference="FAC2026001", exer="2026", items=(Item("FAC2026001", 4520),),
        email="payeur@example.org", locale="fr", counter=COUNTER, notify_url="",
        return_url="http://127.0.0.1:9/factures/retour/s3cret", cancel_url="http://127.0.0.1:9/factures/retour/s3cret",
    )  # fmt: skip
    return replace(plain, **facts)  # type: ignore[arg-type]  # facts of any field


def sessions(twin: RunningTwin) -> int:
    return len(twin.bank.account(KEY).all("checkout.session"))


@pytest.mark.parametrize("trouble", LOST)
def test_opening_without_an_intelligible_answer_leaves_the_outcome_unknown(
    twin: RunningTwin, means: StripeMeans, trouble: Trouble
) -> None:
    twin.faults.trouble = trouble
    with pytest.raises(OutcomeUnknown):
        means.open(order())


@pytest.mark.parametrize("trouble", LOST)
def test_reading_without_an_intelligible_answer_can_be_done_again(
    twin: RunningTwin, means: StripeMeans, trouble: Trouble
) -> None:
    opened = means.open(order())
    twin.bank.pay(opened.psp_ref)
    twin.faults.trouble, twin.faults.times = trouble, 1
    with pytest.raises(Unavailable):
        means.result(opened.psp_ref, COUNTER)
    assert means.result(opened.psp_ref, COUNTER).ending is Ending.PAID


@pytest.mark.parametrize("trouble", [Trouble.CUT_BEFORE, Trouble.CUT_AFTER, Trouble.TRUNCATED, Trouble.EMPTY])
def test_the_same_order_after_a_cut_finds_the_page_that_was_opened_or_opens_the_only_one(
    twin: RunningTwin, means: StripeMeans, trouble: Trouble
) -> None:
    same = order()
    twin.faults.trouble, twin.faults.times = trouble, 1
    with pytest.raises(OutcomeUnknown):
        means.open(same)
    assert means.open(same) == means.open(same)
    assert sessions(twin) == 1


@pytest.mark.parametrize("trouble", [Trouble.ERROR_BEFORE, Trouble.ERROR_AFTER])
def test_a_saved_error_stays_unknown_for_ever_and_another_key_goes_through(
    twin: RunningTwin, means: StripeMeans, trouble: Trouble
) -> None:
    same = order()
    twin.faults.trouble, twin.faults.times = trouble, 1
    for _ in range(3):
        with pytest.raises(OutcomeUnknown):
            means.open(same)
    assert means.open(order()).page_url


def test_a_key_used_for_other_words_hides_a_call_whose_ending_is_unknown(twin: RunningTwin, means: StripeMeans) -> None:
    same = order()
    means.open(same)
    with pytest.raises(OutcomeUnknown):
        means.open(replace(same, items=(Item("FAC2026001", 4521),)))
    assert sessions(twin) == 1


def test_the_same_order_sent_twelve_times_at_once_opens_one_page(twin: RunningTwin, means: StripeMeans) -> None:
    same, names = order(), set[str]()

    def send() -> None:
        try:
            names.add(means.open(same).psp_ref)
        except OutcomeUnknown:
            names.add("under way")

    threads = [threading.Thread(target=send) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sessions(twin) == 1
    assert len(names - {"under way"}) == 1


def test_patience_is_not_a_refusal_and_nothing_was_done(twin: RunningTwin, means: StripeMeans) -> None:
    twin.faults.trouble = Trouble.TOO_MANY
    with pytest.raises(Unavailable):
        means.open(order())
    assert sessions(twin) == 0


def test_a_slow_stripe_is_left_in_time(twin: RunningTwin) -> None:
    hurried = StripeMeans(line_to(twin.base_url, timeout_seconds=0.2))
    twin.faults.trouble, twin.faults.slow_seconds = Trouble.SLOW, 1
    with pytest.raises(OutcomeUnknown):
        hurried.open(order())


def test_one_byte_now_and_then_does_not_hold_a_web_thread() -> None:
    with dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{") as port:
        means = StripeMeans(line_to(f"http://127.0.0.1:{port}", timeout_seconds=0.3))
        before = datetime.now(UTC)
        with pytest.raises(OutcomeUnknown):
            means.open(order())
        assert datetime.now(UTC) - before < timedelta(seconds=3)


def test_an_account_that_fails_is_left_alone_and_the_others_are_not(twin: RunningTwin) -> None:
    line = StripeLine(twin.base_url, door_for=lambda name: Door(name, timeout_seconds=5, open_after=2))
    means = StripeMeans(line)
    twin.faults.trouble, twin.faults.times = Trouble.BAD_GATEWAY, 2
    for _ in range(2):
        with pytest.raises(OutcomeUnknown):
            means.open(order())
    with pytest.raises(Unavailable):
        means.open(order())
    assert line.door("guichet").state().breaker is BreakerState.OPEN
    assert means.open(order(counter=Counter("another", "T", "sk_test_another"))).page_url


def test_a_page_whose_time_is_over_is_dead(twin: RunningTwin, means: StripeMeans, clock: Clock) -> None:
    opened = means.open(order())
    clock.ahead = timedelta(hours=2)
    with pytest.raises(Dead):
        means.result(opened.psp_ref, COUNTER)
    assert httpx.get(f"{twin.base_url}/c/pay/{opened.psp_ref}").status_code == 410


def test_the_page_stays_open_between_half_an_hour_and_an_hour(means: StripeMeans) -> None:
    opened = means.open(order())
    assert opened.expires_at is not None
    assert timedelta(minutes=30) < opened.expires_at - datetime.now(UTC) <= timedelta(minutes=61)


def test_the_page_closes_when_the_order_says(means: StripeMeans) -> None:
    closing = (datetime.now(UTC) + timedelta(minutes=45)).replace(microsecond=0)
    assert means.open(order(closes_at=closing)).expires_at == closing


def test_a_refused_card_leaves_the_page_open(twin: RunningTwin, means: StripeMeans) -> None:
    opened = means.open(order())
    assert httpx.post(opened.page_url, data={"choice": "decline"}).status_code == 402
    with pytest.raises(NotYetKnown):
        means.result(opened.psp_ref, COUNTER)
    assert httpx.post(opened.page_url, data={"choice": "pay"}).status_code == 303
    assert means.result(opened.psp_ref, COUNTER).ending is Ending.PAID


def test_paid_at_the_moment_when_it_is_closed_is_paid(twin: RunningTwin, means: StripeMeans) -> None:
    opened = means.open(order())
    twin.faults.paid_while_closing = True
    with pytest.raises(Refused) as refused:
        means.close(opened.psp_ref, COUNTER)
    assert refused.value.code == "too_late"
    assert means.result(opened.psp_ref, COUNTER).ending is Ending.PAID


def test_money_that_comes_later_is_waited_for_and_money_that_does_not_is_refused(
    twin: RunningTwin, means: StripeMeans
) -> None:
    coming, bouncing = (means.open(order()).psp_ref for _ in range(2))
    for psp_ref in (coming, bouncing):
        twin.bank.pay(psp_ref, delayed=True)
        with pytest.raises(NotYetKnown):
            means.result(psp_ref, COUNTER)
    twin.bank.arrive(coming)
    twin.bank.bounce(bouncing)
    assert means.result(coming, COUNTER).ending is Ending.PAID
    assert means.result(bouncing, COUNTER).ending is Ending.REFUSED


def test_what_stripe_keeps_and_of_the_card_four_digits_is_told(twin: RunningTwin, means: StripeMeans) -> None:
    opened = means.open(order())
    twin.bank.pay(opened.psp_ref)
    answer = means.result(opened.psp_ref, COUNTER)
    assert answer.fee_cents == 93  # 1.5 % of 45.20 and 25 cents
    assert answer.numbers["last4"] == "4242"
    assert set(answer.numbers) == {"payment", "charge", "balance", "brand", "last4"}


@pytest.mark.parametrize(
    ("field", "lie", "difference"),
    [
        ("amount_total", 1, None),  # what was received is asked of the payment itself
        ("currency", "usd", "currency"),
        ("client_reference_id", "OTHER1", "reference"),
        ("livemode", True, "mode"),
        ("metadata", {"account": "another"}, "account"),
        ("id", "cs_test_other", "psp_ref"),
    ],
)
def test_an_answer_that_was_tampered_with_is_told(
    twin: RunningTwin, means: StripeMeans, field: str, lie: object, difference: str | None
) -> None:
    opened = means.open(order())
    twin.bank.pay(opened.psp_ref)
    twin.faults.tampered = {field: lie}
    found = means.result(opened.psp_ref, COUNTER).differences(
        psp_ref=opened.psp_ref, reference="FAC2026001", amount_cents=4520, currency="EUR", counter=COUNTER
    )
    assert found == ((difference,) if difference else ())


@pytest.mark.parametrize(
    "lie", [{"id": None}, {"payment_status": 3}, {"currency": ""}, {"livemode": "no"}, {"payment_status": "paid",
            "payment_intent": {"id": "pi_1", "amount_received": "4520"}}],
)  # fmt: skip
def test_an_answer_that_is_not_as_documented_is_no_answer(
    twin: RunningTwin, means: StripeMeans, lie: dict[str, object]
) -> None:
    opened = means.open(order())
    twin.bank.pay(opened.psp_ref)
    twin.faults.tampered = lie
    with pytest.raises(Unavailable):
        means.result(opened.psp_ref, COUNTER)


def test_a_status_of_tomorrow_is_for_a_human(twin: RunningTwin, means: StripeMeans) -> None:
    opened = means.open(order())
    twin.bank.pay(opened.psp_ref)
    twin.faults.tampered = {"payment_status": "paid_in_shells"}
    assert means.result(opened.psp_ref, COUNTER).ending is Ending.UNHEARD_OF


def test_a_key_that_stripe_does_not_know_is_refused(means: StripeMeans) -> None:
    with pytest.raises(Refused) as refused:
        means.name_of(Counter("guichet", "T", "sk_test_unknown"))
    assert refused.value.code == "api_key"


def test_a_session_of_another_account_is_not_dead_since_it_may_be_paid_there(means: StripeMeans) -> None:
    opened = means.open(order())
    with pytest.raises(Refused) as refused:
        means.result(opened.psp_ref, Counter("another", "T", "sk_test_another"))
    assert refused.value.code == "resource_missing"
    assert not isinstance(refused.value, Dead)


@pytest.mark.parametrize(("mode", "kind"), [("T", "live"), ("W", "test"), ("X", "test")])
def test_a_key_and_a_mode_that_do_not_go_together_open_nothing(
    twin: RunningTwin, means: StripeMeans, mode: str, kind: str
) -> None:
    with pytest.raises(Refused) as refused:
        means.open(order(counter=Counter("guichet", mode, f"rk_{kind}_faults")))
    assert refused.value.code == "mode"


@pytest.mark.parametrize("mode", ["X", "W"])
def test_a_live_payment_is_told_in_the_mode_of_its_source(twin: RunningTwin, means: StripeMeans, mode: str) -> None:
    live = Counter("guichet", mode, "_".join(["rk", "live", "faults"]))
    opened = means.open(order(counter=live))
    twin.bank.pay(opened.psp_ref)
    assert means.result(opened.psp_ref, live).mode == mode


def test_an_account_without_a_key_asks_nothing(means: StripeMeans) -> None:
    with pytest.raises(Refused) as refused:
        means.open(order(counter=Counter("guichet", "T")))
    assert refused.value.code == "no_key"


def test_the_name_of_another_account_than_the_one_agreed_is_refused(twin: RunningTwin, means: StripeMeans) -> None:
    mine = twin.bank.account(KEY).id
    assert mine in means.name_of(Counter(mine, "T", KEY))
    with pytest.raises(Refused) as refused:
        means.name_of(Counter("acct_other", "T", KEY))
    assert refused.value.code == "account"


def test_a_refund_whose_answer_is_lost_is_the_same_refund_when_asked_again(
    twin: RunningTwin, means: StripeMeans
) -> None:
    opened = means.open(order())
    twin.bank.pay(opened.psp_ref)
    payment = means.result(opened.psp_ref, COUNTER).number
    twin.faults.trouble, twin.faults.times, twin.faults.only = Trouble.CUT_AFTER, 1, "POST /v1/refunds"
    with pytest.raises(OutcomeUnknown):
        means.refund(payment, 1000, key="refund-1", counter=COUNTER)
    done = means.refund(payment, 1000, key="refund-1", counter=COUNTER)
    assert done.state == "done"
    assert len(twin.bank.account(KEY).all("refund")) == 1


def test_a_refund_may_fail_days_later(twin: RunningTwin, means: StripeMeans) -> None:
    opened = means.open(order())
    twin.bank.pay(opened.psp_ref)
    payment = means.result(opened.psp_ref, COUNTER).number
    twin.faults.refunds_pend = True
    refund = means.refund(payment, 1000, key="refund-1", counter=COUNTER)
    assert refund.state == "pending"
    twin.bank.end_refund(refund.psp_ref, failed=True)
    later = means.refund_of(refund.psp_ref, COUNTER)
    assert (later.state, later.failure) == ("failed", "expired_or_canceled_card")


def test_the_evidence_of_a_bad_day_is_kept_without_secrets(twin: RunningTwin, means: StripeMeans) -> None:
    kept: list[Exchange] = []
    twin.faults.trouble = Trouble.CUT_AFTER
    with pytest.raises(OutcomeUnknown):
        means.open(order(), exchange=kept.append)
    twin.faults.clear()
    with pytest.raises(Refused):
        means.open(order(email="jeanne.martin@example"), exchange=kept.append)
    with pytest.raises(Refused):
        means.name_of(Counter("guichet", "T", "sk_test_unknown"), exchange=kept.append)
    assert [(one.status, one.ending) for one in kept] == [(None, "OutcomeUnknown"), (400, "Refused"), (401, "Refused")]
    for one in kept:
        for secret in ("sk_test", "jeanne", "payeur", "127.0.0.1", "Camille"):
            assert secret not in one.request + one.answer


def test_nothing_about_care_or_a_person_leaves(twin: RunningTwin, means: StripeMeans) -> None:
    made = means.open(order(items=(Item("FAC2026001", 4520), Item("FAC2026002", 100))))
    session = twin.bank.session(made.psp_ref)
    assert session["amount_total"] == 4620
    assert twin.bank.lines(made.psp_ref) == [("Facture FAC2026001", 4520), ("Facture FAC2026002", 100)]
    assert set(session["metadata"]) == {"order", "reference", "account"}


def test_only_the_twin_may_be_reached_without_https() -> None:
    with pytest.raises(UnsupportedUrl):
        StripeLine("http://api.stripe.com")
    StripeLine("https://api.stripe.com").close()
