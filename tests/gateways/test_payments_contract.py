"""What a payment door promises: asked of the twin in a thread and of the twin as the demonstration starts it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from portal.gateways import Refused, UnsupportedUrl
from portal.gateways.payments import IdopUnknown, Mode, Outcome, Payments, ResultNotKnownYet, connect
from portal.gateways.payments.payfip_twin import start_in_thread

ROOT = Path(__file__).parents[2]
ORDER = {
    "exer": "2026",
    "email": "payeur@example.org",
    "amount_cents": 4520,
    "numcli": "090909",
    "subject": "Facture FAC2026001",
    "refdet": "FAC2026001",
    "mode": Mode.TEST,
    "notify_url": "http://127.0.0.1:9/callbacks/payfip",
    "return_url": "http://127.0.0.1:9/factures/retour?attempt=1",
}


@pytest.fixture(scope="module", params=["thread", "process"])
def door(request: pytest.FixtureRequest) -> Iterator[Payments]:
    if request.param == "thread":
        with start_in_thread() as twin:
            yield connect(twin.endpoint_url, payment_url=twin.payment_url)
        return
    command = [sys.executable, "-m", "portal.gateways.payments.payfip_twin", "--port", "0"]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert process.stdout is not None
    with process:
        base_url = process.stdout.readline().split()[-1]
        yield connect(f"{base_url}/tpa/services/securite", payment_url=f"{base_url}/tpa/paiementws.web")
        process.terminate()
        assert process.wait(5) == 0, "the twin did not end cleanly when asked to"


def pay(door: Payments, idop: str, choice: str) -> httpx.Response:
    """What the payer's browser does."""
    page = door.payment_page_url(idop)
    assert httpx.get(page).status_code == 200
    return httpx.post(page, data={"idop": idop, "choice": choice})


def test_it_answers_to_a_check(door: Payments) -> None:
    door.check()


def test_a_bill_is_paid_and_the_result_says_so(door: Payments) -> None:
    idop = door.create(**ORDER)
    back = pay(door, idop, "P")
    assert back.status_code == 303
    assert back.headers["Location"] == f"http://127.0.0.1:9/factures/retour?attempt=1&idop={idop}"
    result = door.result(idop)
    assert result.outcome is Outcome.PAID
    assert result.differences(idop=idop, refdet="FAC2026001", numcli="090909", amount_cents=4520, mode=Mode.TEST) == ()
    assert result.numauto
    assert result.paid_at is not None


@pytest.mark.parametrize(
    ("choice", "outcome"),
    [("V", Outcome.DEBIT_ACCEPTED), ("R", Outcome.REFUSED), ("Z", Outcome.DEBIT_REFUSED), ("A", Outcome.ABANDONED)],
)
def test_every_choice_of_the_payer_is_told_apart(door: Payments, choice: str, outcome: Outcome) -> None:
    idop = door.create(**ORDER)
    pay(door, idop, choice)
    assert door.result(idop).outcome is outcome


def test_a_result_that_is_not_known_yet_is_not_a_failure(door: Payments) -> None:
    idop = door.create(**ORDER)
    with pytest.raises(ResultNotKnownYet):
        door.result(idop)


def test_an_operation_nobody_created_is_unknown(door: Payments) -> None:
    with pytest.raises(IdopUnknown):
        door.result("11111111-2222-3333-4444-555555555555")


def test_the_same_bill_can_be_asked_twice_and_gets_two_operations(door: Payments) -> None:
    assert door.create(**ORDER) != door.create(**ORDER)


def test_a_client_number_has_a_name(door: Payments) -> None:
    assert door.client("090909") == "CENTRE HOSPITALIER DE DEMONSTRATION / REGIE DES CONSULTATIONS"
    with pytest.raises(Refused) as refused:
        door.client("999999")
    assert refused.value.code == "T2"


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [("amount_cents", 99, "M3"), ("refdet", "FAC1", "R3"), ("email", "", "A1"), ("numcli", "999999", "T2")],
)
def test_a_wrong_field_is_refused_with_its_code(door: Payments, field: str, value: object, code: str) -> None:
    with pytest.raises(Refused) as refused:
        door.create(**{**ORDER, field: value})
    assert refused.value.code == code


def test_only_the_twin_may_be_reached_without_https() -> None:
    with pytest.raises(UnsupportedUrl):
        connect("http://www.payfip.gouv.fr/tpa/services/securite")
    connect("https://www.payfip.gouv.fr/tpa/services/securite")
