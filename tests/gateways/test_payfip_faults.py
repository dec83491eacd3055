"""PayFiP on a bad day: refused, not sent, and nobody-knows are never taken for one another."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from portal.gateways import OutcomeUnknown, Refused, Unavailable
from portal.gateways.door import Door
from portal.gateways.payments import Exchange, IdopUnknown, Mode, Outcome, ResultNotKnownYet
from portal.gateways.payments.payfip import PayfipClient
from portal.gateways.payments.payfip_twin import RunningTwin, Till, Trouble, start_in_thread
from tests.gateways.drip import dripping

ORDER = {
    "exer": "2026",
    "email": "payeur@example.org",
    "amount_cents": 4520,
    "numcli": "090909",
    "subject": "Facture FAC2026001",
    "refdet": "FAC2026001",
    "mode": Mode.TEST,
    "notify_url": "http://127.0.0.1:9/callbacks/payfip",
    "return_url": "http://127.0.0.1:9/factures/retour?token=s3cret",
}
EXPECTED = {"refdet": "FAC2026001", "numcli": "090909", "amount_cents": 4520, "mode": Mode.TEST}
UNINTELLIGIBLE = [trouble for trouble in Trouble if trouble is not Trouble.SLOW]


@pytest.fixture(scope="module")
def running() -> Iterator[RunningTwin]:
    with start_in_thread() as twin:
        yield twin


@pytest.fixture
def twin(running: RunningTwin) -> RunningTwin:
    running.faults.clear()
    running.till.operations.clear()
    return running


@pytest.fixture
def client(twin: RunningTwin) -> Iterator[PayfipClient]:
    client = client_of(twin)
    yield client
    client.close()


def client_of(twin: RunningTwin, timeout_seconds: float = 5.0) -> PayfipClient:
    door = Door("payments.test", timeout_seconds=timeout_seconds, open_after=1000)
    return PayfipClient(twin.endpoint_url, twin.payment_url, door=door)


@pytest.mark.parametrize("trouble", UNINTELLIGIBLE)
def test_creating_without_an_intelligible_answer_leaves_the_outcome_unknown(
    twin: RunningTwin, client: PayfipClient, trouble: Trouble
) -> None:
    twin.faults.trouble = trouble
    with pytest.raises(OutcomeUnknown):
        client.create(**ORDER)


@pytest.mark.parametrize("trouble", UNINTELLIGIBLE)
def test_reading_without_an_intelligible_answer_can_be_done_again(
    twin: RunningTwin, client: PayfipClient, trouble: Trouble
) -> None:
    idop = client.create(**ORDER)
    twin.till.decide(idop, "P")
    twin.faults.trouble, twin.faults.times = trouble, 1
    with pytest.raises(Unavailable):
        client.result(idop)
    assert client.result(idop).outcome is Outcome.PAID


def test_a_lost_answer_may_hide_an_operation_that_exists(twin: RunningTwin, client: PayfipClient) -> None:
    twin.faults.trouble = Trouble.CUT_AFTER
    with pytest.raises(OutcomeUnknown):
        client.create(**ORDER)
    assert len(twin.till.operations) == 1
    twin.faults.trouble = Trouble.CUT_BEFORE
    with pytest.raises(OutcomeUnknown):
        client.create(**ORDER)
    assert len(twin.till.operations) == 1


def test_a_slow_answer_is_not_waited_for(twin: RunningTwin) -> None:
    twin.faults.trouble, twin.faults.slow_seconds = Trouble.SLOW, 1.0
    with pytest.raises(OutcomeUnknown):
        client_of(twin, timeout_seconds=0.1).create(**ORDER)
    with pytest.raises(Unavailable):
        client_of(twin, timeout_seconds=0.1).result("11111111-2222-3333-4444-555555555555")


def test_an_answer_that_drips_is_not_waited_for() -> None:
    """One byte now and then keeps a read time-out quiet for ever: the limit is on the whole call."""
    with dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n") as port:
        url = f"http://127.0.0.1:{port}"
        with pytest.raises(OutcomeUnknown):
            PayfipClient(url, url, timeout_seconds=0.2).create(**ORDER)


def test_nobody_listening_means_nothing_was_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    with pytest.raises(Unavailable):
        PayfipClient(f"http://127.0.0.1:{free}", "http://127.0.0.1:9").create(**ORDER)


@pytest.mark.parametrize("code", ["P1", "P3", "P4", "A1", "A2", "R3", "M1", "M3", "M5", "T1", "T2", "T4", "S1", "Z99"])
def test_every_functional_fault_is_a_refusal_with_its_code(twin: RunningTwin, client: PayfipClient, code: str) -> None:
    twin.faults.code = code
    with pytest.raises(Refused) as refused:
        client.create(**ORDER)
    assert refused.value.code == code
    assert twin.till.operations == {}


@pytest.mark.parametrize(
    ("field", "lie", "difference"),
    [
        ("montant", "100", "amount_cents"),
        ("refdet", "FAC9999999", "refdet"),
        ("numcli", "111111", "numcli"),
        ("saisie", "W", "mode"),
        ("idOp", "11111111-2222-3333-4444-555555555555", "idop"),
    ],
)
def test_an_answer_that_lies_is_seen(
    twin: RunningTwin, client: PayfipClient, field: str, lie: str, difference: str
) -> None:
    idop = client.create(**ORDER)
    twin.till.decide(idop, "P")
    twin.faults.tampered = {field: lie}
    assert client.result(idop).differences(idop=idop, **EXPECTED) == (difference,)


@pytest.mark.parametrize("field", ["montant", "refdet", "numcli", "saisie", "idOp", "resultrans"])
def test_an_answer_without_what_we_compare_is_no_answer(twin: RunningTwin, client: PayfipClient, field: str) -> None:
    idop = client.create(**ORDER)
    twin.till.decide(idop, "P")
    twin.faults.dropped = {field}
    with pytest.raises(Unavailable):
        client.result(idop)


@pytest.mark.parametrize("amount", ["45,20", "45.20", "-4520", "45 20", "٤٥٢٠", "9" * 5000])
def test_an_amount_that_is_not_cents_is_no_answer(twin: RunningTwin, client: PayfipClient, amount: str) -> None:
    idop = client.create(**ORDER)
    twin.till.decide(idop, "P")
    twin.faults.tampered = {"montant": amount}
    with pytest.raises(Unavailable):
        client.result(idop)


def test_a_result_of_tomorrow_is_kept_for_a_human(twin: RunningTwin, client: PayfipClient) -> None:
    idop = client.create(**ORDER)
    twin.till.decide(idop, "W")
    result = client.result(idop)
    assert (result.outcome, result.code) == (Outcome.UNKNOWN_VALUE, "W")


@pytest.mark.parametrize("first", ["A", "R", "Z"])
def test_money_may_arrive_after_an_end_that_looked_final(twin: RunningTwin, client: PayfipClient, first: str) -> None:
    idop = client.create(**ORDER)
    twin.till.decide(idop, first)
    assert client.result(idop).outcome is Outcome(first)
    twin.till.decide(idop, "P")
    assert client.result(idop).outcome is Outcome.PAID


def test_a_result_may_come_after_the_payment(twin: RunningTwin, client: PayfipClient) -> None:
    idop = client.create(**ORDER)
    twin.faults.hidden_reads = 2
    twin.till.decide(idop, "P")
    for _ in range(2):
        with pytest.raises(ResultNotKnownYet):
            client.result(idop)
    assert client.result(idop).outcome is Outcome.PAID


def test_an_operation_nobody_opened_is_purged_in_the_night(twin: RunningTwin, client: PayfipClient) -> None:
    idop = client.create(**ORDER)
    twin.till.purge()
    with pytest.raises(IdopUnknown):
        client.result(idop)


@pytest.mark.parametrize(
    ("paid_at", "told"),
    [
        (datetime(2026, 7, 14, 10, 30, 59, tzinfo=UTC), datetime(2026, 7, 14, 10, 30, tzinfo=UTC)),
        (datetime(2026, 12, 31, 23, 30, tzinfo=UTC), datetime(2026, 12, 31, 23, 30, tzinfo=UTC)),
        # 01:15 UTC is the second 02:15 of that night in Paris: PayFiP's format cannot say which of the two.
        (datetime(2026, 10, 25, 1, 15, tzinfo=UTC), datetime(2026, 10, 25, 0, 15, tzinfo=UTC)),
    ],
)
def test_the_hour_of_payment_is_told_in_paris_and_kept_in_utc(paid_at: datetime, told: datetime) -> None:
    with start_in_thread(till=Till(clock=lambda: paid_at)) as twin:
        client = client_of(twin)
        idop = client.create(**ORDER)
        twin.till.decide(idop, "P")
        assert client.result(idop).paid_at == told


@pytest.mark.parametrize("day", ["", "99999999", "2026-11-22", "0000"])
def test_a_payment_is_not_lost_for_want_of_its_hour(twin: RunningTwin, client: PayfipClient, day: str) -> None:
    idop = client.create(**ORDER)
    twin.till.decide(idop, "P")
    twin.faults.tampered = {"dattrans": day}
    result = client.result(idop)
    assert (result.outcome, result.paid_at) == (Outcome.PAID, None)


def test_every_exchange_is_kept_without_what_should_not_be(twin: RunningTwin, client: PayfipClient) -> None:
    kept: list[Exchange] = []
    idop = client.create(**ORDER, exchange=kept.append)
    twin.till.decide(idop, "P")
    client.result(idop, exchange=kept.append)
    twin.faults.trouble = Trouble.BAD_GATEWAY
    with pytest.raises(Unavailable):
        client.result(idop, exchange=kept.append)
    assert [(one.status, one.ending) for one in kept] == [(200, "done"), (200, "done"), (502, "Unavailable")]
    assert "<refdet>FAC2026001</refdet>" in kept[0].request
    assert idop in kept[0].answer
    assert "<montant>4520</montant>" in kept[1].answer
    assert "payeur@" not in str(kept)
    assert "s3cret" not in str(kept)


def test_a_request_never_answered_is_kept_too(twin: RunningTwin, client: PayfipClient) -> None:
    kept: list[Exchange] = []
    twin.faults.trouble = Trouble.CUT_AFTER
    with pytest.raises(OutcomeUnknown):
        client.create(**ORDER, exchange=kept.append)
    assert [(one.status, one.answer, one.ending) for one in kept] == [(None, "", "OutcomeUnknown")]


def test_payfip_down_for_long_is_left_alone(twin: RunningTwin) -> None:
    door = Door("payments.test", open_after=2)
    client = PayfipClient(twin.endpoint_url, twin.payment_url, door=door)
    twin.faults.trouble = Trouble.OUT_OF_SERVICE
    for _ in range(2):
        with pytest.raises(OutcomeUnknown):
            client.create(**ORDER)
    twin.faults.clear()
    with pytest.raises(Unavailable, match="left alone"):
        client.create(**ORDER)
    assert twin.till.operations == {}
