"""What every means of payment promises: the same questions asked of PayFiP and of Stripe, each before its twin."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from uuid import uuid4

import httpx
import pytest

from portal.gateways import Refused, Unavailable
from portal.gateways.door import Door
from portal.gateways.payments import Exchange, payfip_twin, stripe_twin
from portal.gateways.payments.means import (
    MOVES_MONEY,
    Answer,
    Counter,
    Dead,
    Ending,
    Impossible,
    Item,
    Means,
    NotYetKnown,
    Order,
    family,
)
from portal.gateways.payments.payfip import PayfipClient
from portal.gateways.payments.payfip_means import PayfipMeans
from portal.gateways.payments.stripe_checkout import StripeMeans
from portal.gateways.payments.stripe_line import StripeLine

KEY = "sk_test_contract"


@dataclass(frozen=True)
class Bench:
    """A means before its twin. press: what the payer does on the page (`pay`, `leave`). gives_back: it refunds."""

    means: Means
    counter: Counter
    press: Callable[[str, str], httpx.Response]
    gives_back: bool
    nobody: str

    def order(self, *, cents: int = 4520, key: str = "") -> Order:
        return Order(
            key=key or str(uuid4()),
            reference="FAC2026001",
            exer="2026",
            items=(Item("FAC2026001", cents),),
            email="payeur@example.org",
            locale="fr",
            counter=self.counter,
            notify_url="http://127.0.0.1:9/callbacks/payfip",
            return_url="http://127.0.0.1:9/factures/retour/s3cret",
            cancel_url="http://127.0.0.1:9/factures/retour/s3cret",
        )


@pytest.fixture(scope="module")
def payfip() -> Iterator[Bench]:
    with payfip_twin.start_in_thread() as twin:

        def client_for(numcli: str) -> PayfipClient:
            return PayfipClient(twin.endpoint_url, twin.payment_url, door=_door(numcli))

        means = PayfipMeans(client_for, lambda idop: f"{twin.payment_url}?idop={idop}")

        def press(page: str, choice: str) -> httpx.Response:
            assert httpx.get(page).status_code == 200
            idop = page.partition("idop=")[2]
            return httpx.post(page, data={"idop": idop, "choice": {"pay": "P", "leave": "A"}[choice]})

        yield Bench(means, Counter("090909", "T"), press, False, "11111111-2222-3333-4444-555555555555")


@pytest.fixture(scope="module")
def stripe() -> Iterator[Bench]:
    with stripe_twin.start_in_thread() as twin:
        line = StripeLine(twin.base_url, door_for=_door)

        def press(page: str, choice: str) -> httpx.Response:
            assert httpx.get(page).status_code == 200
            return httpx.post(page, data={"choice": choice})

        yield Bench(StripeMeans(line), Counter("guichet", "T", KEY), press, True, "cs_test_nobody")
        line.close()


@pytest.fixture(params=["payfip", "stripe"])
def bench(request: pytest.FixtureRequest) -> Bench:
    found: Bench = request.getfixturevalue(request.param)
    return found


def _door(account: str) -> Door:
    return Door(f"payments.{account}", timeout_seconds=5, open_after=1000)


def paid(bench: Bench, order: Order) -> Answer:
    opened = bench.means.open(order)
    assert bench.press(opened.page_url, "pay").status_code == 303
    return bench.means.result(opened.psp_ref, order.counter)


def test_an_order_is_paid_and_the_result_speaks_of_it_alone(bench: Bench) -> None:
    order = bench.order()
    opened = bench.means.open(order)
    back = bench.press(opened.page_url, "pay")
    assert back.headers["Location"].startswith(order.return_url)
    answer = bench.means.result(opened.psp_ref, order.counter)
    assert answer.ending is Ending.PAID
    assert answer.ending in MOVES_MONEY
    assert answer.number
    assert answer.paid_at is not None
    assert answer.paid_at.utcoffset() is not None
    assert answer.differences(
        psp_ref=opened.psp_ref, reference="FAC2026001", amount_cents=4520, currency="EUR", counter=order.counter
    ) == ()  # fmt: skip


def test_an_answer_about_something_else_says_in_what(bench: Bench) -> None:
    answer = paid(bench, bench.order())
    elsewhere = Counter("another", "W", bench.counter.secret)
    assert answer.differences(
        psp_ref=answer.psp_ref, reference="OTHER1", amount_cents=4521, currency="USD", counter=elsewhere
    ) == ("reference", "amount_cents", "currency", "account", "mode")  # fmt: skip


def test_what_nobody_has_paid_is_not_known_yet(bench: Bench) -> None:
    opened = bench.means.open(bench.order())
    with pytest.raises(NotYetKnown):
        bench.means.result(opened.psp_ref, bench.counter)


def test_a_payer_who_leaves_has_paid_nothing(bench: Bench) -> None:
    opened = bench.means.open(bench.order())
    assert bench.press(opened.page_url, "leave").status_code == 303
    try:
        ending = bench.means.result(opened.psp_ref, bench.counter).ending
    except NotYetKnown:
        return
    assert ending is Ending.ABANDONED


def test_an_order_that_nobody_opened_never_has_a_result(bench: Bench) -> None:
    with pytest.raises(Refused):
        bench.means.result(bench.nobody, bench.counter)


def test_the_same_order_sent_again_cannot_be_paid_twice_by_one_page(bench: Bench) -> None:
    order = bench.order()
    first, again = bench.means.open(order), bench.means.open(order)
    bench.press(first.page_url, "pay")
    if first == again:
        assert httpx.get(again.page_url).status_code >= 400
        return
    with pytest.raises(NotYetKnown):  # another page, which nobody is shown
        bench.means.result(again.psp_ref, bench.counter)


def test_the_page_of_an_order_is_told_once_or_follows_from_its_name(bench: Bench) -> None:
    opened = bench.means.open(bench.order())
    assert bench.means.page_url(opened.psp_ref) in ("", opened.page_url)


def test_the_least_and_the_most_are_taken_and_a_cent_beyond_is_refused(bench: Bench) -> None:
    for cents in (bench.means.least_cents, bench.means.most_cents):
        assert paid(bench, bench.order(cents=cents)).amount_cents == cents
    for cents in (bench.means.least_cents - 1, bench.means.most_cents + 1):
        with pytest.raises(Refused):
            bench.means.open(bench.order(cents=cents))


def test_a_wrong_address_is_refused_and_opens_nothing(bench: Bench) -> None:
    with pytest.raises(Refused):
        bench.means.open(replace(bench.order(), email="nobody-at-all"))


def test_closing_never_hurts_and_what_was_paid_stays_paid(bench: Bench) -> None:
    opened = bench.means.open(bench.order())
    bench.means.close(opened.psp_ref, bench.counter)
    bench.means.close(opened.psp_ref, bench.counter)
    with pytest.raises((NotYetKnown, Dead)):
        bench.means.result(opened.psp_ref, bench.counter)
    answer = paid(bench, bench.order())
    with suppress(Refused):  # too late, where the means can say so
        bench.means.close(answer.psp_ref, bench.counter)
    assert bench.means.result(answer.psp_ref, bench.counter).ending is Ending.PAID


def test_money_is_given_back_or_the_means_says_that_it_cannot(bench: Bench) -> None:
    answer = paid(bench, bench.order())
    if not bench.gives_back:
        with pytest.raises(Impossible):
            bench.means.refund(answer.number, 1000, key="r1", counter=bench.counter)
        return
    key = str(uuid4())
    refund = bench.means.refund(answer.number, 1000, key=key, counter=bench.counter)
    assert (refund.state, refund.amount_cents, refund.payment_ref) == ("done", 1000, answer.number)
    assert bench.means.refund(answer.number, 1000, key=key, counter=bench.counter) == refund, "the same key, once"
    with pytest.raises(Refused):
        bench.means.refund(answer.number, 3521, key=str(uuid4()), counter=bench.counter)


def test_an_account_has_a_name(bench: Bench) -> None:
    assert "DEMONSTRATION" in bench.means.name_of(bench.counter).upper().replace("É", "E")


def test_every_exchange_is_kept_and_holds_no_secret(bench: Bench) -> None:
    kept: list[Exchange] = []
    order = bench.order()
    opened = bench.means.open(order, exchange=kept.append)
    bench.press(opened.page_url, "pay")
    bench.means.result(opened.psp_ref, order.counter, exchange=kept.append)
    assert len(kept) == 2
    for exchange in kept:
        assert (exchange.status, exchange.ending) == (200, "done")
        written = exchange.request + exchange.answer
        assert "FAC2026001" in written
        for secret in ("payeur", "example.org", "s3cret", KEY):
            assert secret not in written


def test_a_counterpart_that_is_not_there_was_told_nothing(bench: Bench) -> None:
    nowhere = family(
        [
            PayfipMeans(lambda numcli: PayfipClient("http://127.0.0.1:9/x", "http://127.0.0.1:9/y"), str),
            StripeMeans(StripeLine("http://127.0.0.1:9")),
        ]
    )
    with pytest.raises(Unavailable):
        nowhere[bench.means.psp].open(bench.order())
