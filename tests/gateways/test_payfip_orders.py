"""The twin obeys a test in another process, meets misfortunes by a seed, and its truth can be read."""

from collections.abc import Iterator

import httpx
import pytest

from portal.gateways import Refused, Unavailable
from portal.gateways.payments import IdopUnknown, Mode, ResultNotKnownYet
from portal.gateways.payments.payfip import CREATE, RESULT, PayfipClient
from portal.gateways.payments.payfip_twin import RunningTwin, start_in_thread
from portal.gateways.payments.payfip_twin.dice import Dice
from portal.gateways.payments.payfip_twin.faults import Faults, Trouble, WrongSetting
from tests.gateways.conftest import Portal
from tests.gateways.test_payfip_faults import ORDER, client_of


@pytest.fixture
def twin() -> Iterator[RunningTwin]:
    with start_in_thread(controlled=True) as twin:
        yield twin


@pytest.fixture
def client(twin: RunningTwin) -> Iterator[PayfipClient]:
    client = client_of(twin)
    yield client
    client.close()


def order(twin: RunningTwin, name: str, **words: object) -> httpx.Response:
    return httpx.post(f"{twin.control_url}/{name}", json=words, trust_env=False)


def truth(twin: RunningTwin) -> dict[str, dict[str, object]]:
    """idop → what the twin knows of it."""
    told = httpx.get(f"{twin.control_url}/truth", trust_env=False).json()
    return {str(one["idop"]): one for one in told["operations"]}


def create(client: PayfipClient, **changed: object) -> str:
    return client.create(**{**ORDER, **changed})  # type: ignore[arg-type]  # ORDER holds several kinds of values


# -- told by another process -------------------------------------------------------------------------------------


def test_a_twin_that_was_not_started_for_it_obeys_nobody() -> None:
    with start_in_thread() as twin:
        assert order(twin, "clear").status_code == 404
        assert httpx.get(f"{twin.control_url}/truth", trust_env=False).status_code == 404


def test_a_form_of_a_page_in_a_browser_orders_nothing(twin: RunningTwin) -> None:
    answer = httpx.post(f"{twin.control_url}/faults", data={"code": "P1"}, trust_env=False)
    assert answer.status_code == 415
    assert twin.faults.code == ""


@pytest.mark.parametrize(
    "wrong",
    [{"codes": "P1"}, {"code": 1}, {"trouble": "rain"}, {"times": "two"}, {"odds": []}, {"slow_seconds": "long"}],
)
def test_an_order_that_means_nothing_is_refused_and_changes_nothing(
    twin: RunningTwin, wrong: dict[str, object]
) -> None:
    assert order(twin, "faults", **{"hidden_reads": 3, **wrong}).status_code == 422
    assert twin.faults == Faults()


@pytest.mark.parametrize(("name", "status"), [("rain", 404), ("decide", 422), ("expire", 422)])
def test_an_unknown_or_unfinished_order_is_refused(twin: RunningTwin, name: str, status: int) -> None:
    assert order(twin, name).status_code == status


def test_every_fault_can_be_ordered_and_taken_back(twin: RunningTwin) -> None:
    ordered: dict[str, object] = {
        "trouble": "html", "code": "R3", "only": RESULT, "times": 2, "next_calls": {CREATE: ["slow"]},
        "slow_seconds": 1, "hidden_reads": 4, "tampered": {"montant": "1"}, "dropped": ["saisie"],
        "notification_copies": 12, "notification_key": "idOp", "notification_method": "GET",
        "notification_seconds": 0.5, "notification_held": True, "odds": {"lost": 0.5}, "seed": 7,
    }  # fmt: skip
    assert order(twin, "faults", **ordered).status_code == 200
    assert twin.faults == Faults(**{**ordered, "trouble": Trouble.HTML, "dropped": {"saisie"}})  # type: ignore[arg-type]  # as above
    assert order(twin, "clear").status_code == 200
    assert twin.faults == Faults()


def test_what_falls_on_each_of_the_next_calls_can_be_told(twin: RunningTwin, client: PayfipClient) -> None:
    order(twin, "faults", next_calls={CREATE: ["", "R3"], RESULT: ["bad_gateway", "P5"]})
    idop = create(client)
    with pytest.raises(Refused) as refused:
        create(client)
    assert refused.value.code == "R3"
    twin.till.decide(idop, "P")
    with pytest.raises(Unavailable):
        client.result(idop)
    with pytest.raises(ResultNotKnownYet):
        client.result(idop)
    assert client.result(idop).code == "P"


def test_a_quarter_of_an_hour_may_pass_for_one_operation(twin: RunningTwin, client: PayfipClient) -> None:
    late, other = create(client), create(client)
    order(twin, "expire", idop=late)
    assert "P4" in httpx.get(client.payment_page_url(late), trust_env=False).text
    assert httpx.get(client.payment_page_url(other), trust_env=False).status_code == 200


def test_the_night_may_fall(twin: RunningTwin, client: PayfipClient) -> None:
    idop = create(client)
    order(twin, "purge")
    with pytest.raises(IdopUnknown):
        client.result(idop)


@pytest.mark.parametrize("first", ["R", "Z", "A"])
def test_money_may_be_ordered_after_a_bad_end(twin: RunningTwin, client: PayfipClient, first: str) -> None:
    idop = create(client)
    order(twin, "decide", idop=idop, code=first)
    assert truth(twin)[idop]["paid_cents"] == 0
    order(twin, "decide", idop=idop, code="P")
    assert client.result(idop).code == "P"
    assert truth(twin)[idop]["paid_cents"] == 4520


# -- what was really paid ----------------------------------------------------------------------------------------


def test_the_truth_does_not_hear_what_the_answers_say(twin: RunningTwin, client: PayfipClient) -> None:
    idop = create(client)
    order(twin, "decide", idop=idop, code="P")
    order(twin, "faults", tampered={"montant": "1", "resultrans": "A"})
    assert client.result(idop).amount_cents == 1
    assert truth(twin)[idop]["paid_cents"] == 4520


def test_an_accepted_debit_may_be_given_back_by_the_bank(twin: RunningTwin, client: PayfipClient) -> None:
    idop = create(client)
    order(twin, "decide", idop=idop, code="V")
    assert truth(twin)[idop]["paid_cents"] == 4520
    order(twin, "bounce", idop=idop)
    assert client.result(idop).code == "V"  # the web service never tells
    assert (truth(twin)[idop]["paid_cents"], truth(twin)[idop]["bounced"]) == (0, True)


@pytest.mark.parametrize("code", ["", "P", "R"])
def test_nothing_but_a_debit_is_given_back(twin: RunningTwin, client: PayfipClient, code: str) -> None:
    idop = create(client)
    twin.till.decide(idop, code)
    assert order(twin, "bounce", idop=idop).status_code == 400
    assert not truth(twin)[idop]["bounced"]


def test_every_question_is_counted_whatever_was_answered(twin: RunningTwin, client: PayfipClient) -> None:
    idop = create(client)
    order(twin, "faults", next_calls={RESULT: ["cut_before"]})
    for _ in range(2):
        with pytest.raises((Unavailable, ResultNotKnownYet)):
            client.result(idop)
    with pytest.raises(IdopUnknown):
        client.result("11111111-2222-3333-4444-555555555555")
    asked = httpx.get(f"{twin.control_url}/truth", trust_env=False).json()["asked_about"]
    assert asked == {idop: 2, "11111111-2222-3333-4444-555555555555": 1}


# -- by a seed ---------------------------------------------------------------------------------------------------


def test_the_same_seed_brings_the_same_misfortunes_in_whatever_order_payments_come() -> None:
    odds = {f"{RESULT}.html": 0.2, f"{RESULT}.slow": 0.2, "lost": 0.3}
    payments = [f"F{number:05d}" for number in range(200)]

    def draws(order: list[str], seed: int) -> dict[str, tuple[str, bool]]:
        dice = Dice(Faults(odds=odds, seed=seed))
        return {whom: (dice.trouble(RESULT, whom), dice.falls("lost", whom)) for whom in order}

    assert draws(payments, 1) == draws(payments[::-1], 1)
    assert draws(payments, 1) != draws(payments, 2)
    fallen = [trouble for trouble, _lost in draws(payments, 1).values()]
    assert 20 < fallen.count("html") < 60
    assert 20 < fallen.count("slow") < 60


def test_without_odds_nothing_falls() -> None:
    dice = Dice(Faults())
    assert not any(dice.falls("lost", "F1") or dice.trouble(CREATE, "F1") for _ in range(100))


def test_a_lie_at_random_is_one_that_a_careful_portal_sees(twin: RunningTwin, client: PayfipClient) -> None:
    idop = create(client)
    twin.till.decide(idop, "P")
    order(twin, "faults", odds={"tampered": 1.0})
    expected = {"refdet": "FAC2026001", "numcli": "090909", "amount_cents": 4520, "mode": Mode.TEST}
    for _ in range(20):
        assert len(client.result(idop).differences(idop=idop, **expected)) == 1  # type: ignore[arg-type]  # several kinds
    order(twin, "clear")
    assert client.result(idop).differences(idop=idop, **expected) == ()  # type: ignore[arg-type]  # several kinds


def test_a_result_hidden_at_random_is_seen_at_the_second_reading(twin: RunningTwin, client: PayfipClient) -> None:
    idop = create(client)
    order(twin, "faults", odds={"hidden": 1.0})
    order(twin, "decide", idop=idop, code="P", told=False)
    with pytest.raises(ResultNotKnownYet):
        client.result(idop)
    assert client.result(idop).code == "P"


@pytest.mark.parametrize(
    ("odds", "calls"),
    [({"lost": 1}, 0), ({"repeated": 1}, 12), ({"late": 1}, 1), ({"lost": 1, "forged": 1}, 1)],
)  # fmt: skip
def test_notifications_are_lost_repeated_late_or_forged(
    twin: RunningTwin, client: PayfipClient, portal: Portal, odds: dict[str, float], calls: int
) -> None:
    idop = create(client, notify_url=f"{portal.url}/callbacks/payfip")
    order(twin, "faults", odds=odds)
    order(twin, "decide", idop=idop, code="P")
    order(twin, "quiet")
    assert len(portal.calls) == calls
    assert all((idop in body) == ("forged" not in odds) for _method, _path, body in portal.calls)


def test_notifications_come_by_get_and_in_the_other_letter_case_at_random(
    twin: RunningTwin, client: PayfipClient, portal: Portal
) -> None:
    idop = create(client, notify_url=f"{portal.url}/callbacks/payfip")
    order(twin, "faults", odds={"by_get": 1.0, "other_case": 1.0})
    order(twin, "decide", idop=idop, code="A")
    order(twin, "quiet")
    assert portal.calls == [("GET", f"/callbacks/payfip?idOp={idop}", "")]


def test_anything_can_be_forged_but_to_the_loopback_only(twin: RunningTwin, portal: Portal) -> None:
    order(twin, "forge", url=f"{portal.url}/callbacks/payfip", idop="somebody-elses")
    order(twin, "forge", url="http://192.0.2.1/callbacks/payfip", idop="somebody-elses")
    order(twin, "quiet")
    assert portal.calls == [("POST", "/callbacks/payfip", "idop=somebody-elses")]


def test_wrong_settings_are_told_by_name() -> None:
    with pytest.raises(WrongSetting, match="rain"):
        Faults().set({"rain": 1})
