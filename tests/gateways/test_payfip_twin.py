"""The twin behaves like the real one where the portal could be caught out."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import html5lib
import httpx
import pytest

from portal.gateways import Refused
from portal.gateways.payments import Mode, Payments, connect
from portal.gateways.payments.payfip_twin import Operation, RunningTwin, Till, start_in_thread
from tests.gateways.conftest import Portal

OPENED = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@dataclass
class Clock:
    now: datetime = OPENED

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def twin(clock: Clock) -> Iterator[RunningTwin]:
    with start_in_thread(till=Till(clock=clock)) as twin:
        yield twin


@pytest.fixture
def door(twin: RunningTwin) -> Payments:
    return connect(twin.endpoint_url, payment_url=twin.payment_url)


def create(door: Payments, portal_url: str = "http://127.0.0.1:9", **changed: object) -> str:
    order = {
        "exer": "2026",
        "email": "payeur@example.org",
        "amount_cents": 123456,
        "numcli": "090909",
        "subject": "Facture",
        "refdet": "FAC2026001",
        "mode": Mode.TEST,
        "notify_url": f"{portal_url}/callbacks/payfip?source=regie",
        "return_url": f"{portal_url}/factures/retour",
    }
    return door.create(**{**order, **changed})  # type: ignore[arg-type]  # facts of any field


def pay(door: Payments, idop: str, choice: str = "P") -> httpx.Response:
    page = door.payment_page_url(idop)
    httpx.get(page)
    return httpx.post(page, data={"idop": idop, "choice": choice})


def test_the_page_shows_the_bill_in_good_french_html(door: Payments) -> None:
    page = httpx.get(door.payment_page_url(create(door)))
    html5lib.HTMLParser(strict=True).parse(page.text)
    assert page.text.count("<h1>") == 1
    assert "1\u202f234,56\u00a0€" in page.text
    assert "FAC2026001" in page.text
    assert "payeur@" not in page.text


def test_the_page_opens_once(door: Payments) -> None:
    idop = create(door)
    assert httpx.get(door.payment_page_url(idop)).status_code == 200
    again = httpx.get(door.payment_page_url(idop))
    assert again.status_code == 400
    assert "P3" in again.text
    html5lib.HTMLParser(strict=True).parse(again.text)


def test_the_page_opens_within_15_minutes_and_may_then_stay_open(door: Payments, clock: Clock) -> None:
    late, slow = create(door), create(door)
    assert httpx.get(door.payment_page_url(slow)).status_code == 200
    clock.now += timedelta(minutes=16)
    assert "P4" in httpx.get(door.payment_page_url(late)).text
    assert httpx.post(door.payment_page_url(slow), data={"idop": slow, "choice": "P"}).status_code == 303


def test_one_payer_decides_once(door: Payments) -> None:
    idop = create(door)
    assert pay(door, idop).status_code == 303
    assert httpx.post(door.payment_page_url(idop), data={"idop": idop, "choice": "A"}).status_code == 400
    assert door.result(idop).code == "P"


@pytest.mark.parametrize("choice", ["", "X", "PP"])
def test_a_choice_that_is_not_on_the_page_changes_nothing(twin: RunningTwin, door: Payments, choice: str) -> None:
    idop = create(door)
    httpx.get(door.payment_page_url(idop))
    assert httpx.post(door.payment_page_url(idop), data={"idop": idop, "choice": choice}).status_code == 400
    assert twin.till.operations[idop].code == ""


def test_the_portal_is_told_of_the_operation_and_of_nothing_else(
    twin: RunningTwin, door: Payments, portal: Portal
) -> None:
    idop = create(door, portal.url)
    pay(door, idop)
    twin.notifier.wait()
    assert portal.calls == [("POST", "/callbacks/payfip?source=regie", f"idop={idop}")]


def test_it_may_be_told_never(twin: RunningTwin, door: Payments, portal: Portal) -> None:
    twin.faults.notification_copies = 0
    pay(door, create(door, portal.url))
    twin.notifier.wait()
    assert portal.calls == []


def test_it_may_be_told_twelve_times_at_once(twin: RunningTwin, door: Payments, portal: Portal) -> None:
    twin.faults.notification_copies = 12
    pay(door, create(door, portal.url))
    twin.notifier.wait()
    assert len(portal.calls) == 12


def test_it_may_be_told_late(twin: RunningTwin, door: Payments, portal: Portal) -> None:
    twin.faults.notification_held = True
    pay(door, create(door, portal.url))
    twin.notifier.wait()
    assert portal.calls == []
    twin.notifier.release()
    twin.notifier.wait()
    assert len(portal.calls) == 1


def test_it_may_be_told_after_a_while(twin: RunningTwin, door: Payments, portal: Portal) -> None:
    twin.faults.notification_seconds = 0.05
    pay(door, create(door, portal.url))
    twin.notifier.wait()
    assert len(portal.calls) == 1


def test_it_may_be_told_by_get_and_in_the_other_letter_case(twin: RunningTwin, door: Payments, portal: Portal) -> None:
    twin.faults.notification_method, twin.faults.notification_key = "GET", "idOp"
    idop = create(door, portal.url)
    pay(door, idop)
    twin.notifier.wait()
    assert portal.calls == [("GET", f"/callbacks/payfip?source=regie&idOp={idop}", "")]


@pytest.mark.parametrize(("field", "code"), [("notify_url", "N1"), ("return_url", "D1")])
@pytest.mark.parametrize("url", ["https://example.org/x", "http://127.0.0.1@example.org/x", "http://10.0.0.1/x"])
def test_it_calls_and_sends_browsers_to_nothing_but_the_loopback(
    door: Payments, field: str, code: str, url: str
) -> None:
    with pytest.raises(Refused) as refused:
        create(door, **{field: url})
    assert refused.value.code == code


def test_fields_out_of_the_schemas_order_are_refused_as_the_real_one_does(twin: RunningTwin) -> None:
    body = (
        '<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body>'
        '<p:creerPaiementSecurise xmlns:p="http://securite.service.tpa.cp.finances.gouv.fr/services/mas_securite/'
        'contrat_paiement_securise/PaiementSecuriseService"><arg0><mel>a@b.fr</mel><exer>2026</exer></arg0>'
        "</p:creerPaiementSecurise></S:Body></S:Envelope>"
    )
    answer = httpx.post(twin.endpoint_url, content=body)
    assert answer.status_code == 500
    assert "TechProtocolaireErreur" in answer.text


def test_an_operation_keeps_what_was_asked(twin: RunningTwin, door: Payments) -> None:
    known: Operation = twin.till.operations[create(door)]
    assert known.asked["objet"] == "Facture"
    assert known.created_at == OPENED
