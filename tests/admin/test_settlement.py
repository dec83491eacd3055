"""The accountant's screens: days, differences, files, batches, debits given back; and nobody else sees them."""

from datetime import timedelta
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from auth.models import Account
from portal import db
from portal.db import ANONYMOUS
from portal.establishments import Establishment
from portal.gateways.payments.means import Ending
from services.billing import queries
from services.billing.ledger.models import LedgerEntry
from services.billing.models import Bill
from services.billing.settlement import jobs
from services.billing.settlement.models import SettlementDay, SettlementDifference, SettlementFile, SettlementLine
from services.billing.treasury import actions as treasury
from services.billing.treasury.layout import sha256
from services.billing.treasury.models import TreasuryBatch
from tests.factories import billing, hospitals, people
from tests.factories.settlement import content, row, row_of
from tests.ground import audited, prepared, rows, today
from tests.services.billing.conftest import SignIn
from tests.statements import executed

BASE = "/admin/factures/rapprochement"
TABLES = (
    "settlement_file",
    "settlement_line",
    "settlement_difference",
    "settlement_difference_change",
    "settlement_day",
    "treasury_batch",
    "treasury_line",
    "treasury_counter",
)


class Books:
    """A hospital whose bill was paid yesterday by a debit order, and who keeps its books."""

    def __init__(self) -> None:
        with prepared():
            self.place: Establishment = hospitals.hospital().establishment
            self.agent: Account = people.agent(self.place.id, "billing", name="Agathe Régisseuse")
            _account, patient = people.patient_with_account()
            self.bill: Bill = billing.bill(self.place, patient)
            billing.attempt(self.bill, Ending.DEBIT_ACCEPTED, days_ago=1)
        (self.entry,) = rows(LedgerEntry)

    def file(self, *lines: str) -> bytes:
        return content(lines or [row_of(self.entry, self.place)])

    def compared(self, *lines: str) -> None:
        report = jobs.read_file(self.file(*lines), "jour.csv", among=None)
        jobs.act_on_lines()
        for first, last in report.days.values():
            jobs.compare(self.place, first, last)


@pytest.fixture
def books(app: Flask) -> Books:
    return Books()


@pytest.fixture
def desk(sign_in: SignIn, books: Books) -> FlaskClient:
    return sign_in(books.agent)


def test_a_file_sent_from_the_screen_is_read_and_told(desk: FlaskClient, books: Books) -> None:
    stranger = row(finess="999999999", psp_ref="x")
    answer = desk.post(
        f"{BASE}/fichiers",
        data={"file": (BytesIO(books.file(row_of(books.entry, books.place), stranger)), "payfip.csv")},
        content_type="multipart/form-data",
        follow_redirects=True,
    )
    assert "payfip.csv" in answer.text
    (found,) = rows(SettlementFile)
    assert (found.added, found.refused, found.actor_name) == (1, 1, "Agathe Régisseuse")
    page = desk.get(f"{BASE}/fichiers/{found.id}").text
    assert "no hospital of yours" in page
    assert found.sha256 in page


@pytest.mark.parametrize("data", [b"", b"finess;kind\n", b"\xff\xfe\x00", b"<PES_Aller/>"])
def test_what_is_no_file_of_payments_is_refused_in_words(desk: FlaskClient, data: bytes) -> None:
    answer = desk.post(f"{BASE}/fichiers", data={"file": (BytesIO(data), "x.csv")}, content_type="multipart/form-data")
    assert answer.status_code == 422
    assert "missing columns" not in answer.text  # the command's words
    assert rows(SettlementLine) == []


def test_a_day_that_agrees_is_closed_with_one_button(desk: FlaskClient, books: Books) -> None:
    books.compared()
    answer = desk.get(BASE)
    assert answer.text.count("45.20") + answer.text.count("45,20") >= 3
    day = f"{BASE}/{books.place.finess}/payfip/090909/{rows(SettlementLine)[0].happened_on}"
    page = desk.get(day)
    assert books.bill.reference in page.text
    desk.post(f"{day}/clore")
    assert [(each.ledger_cents, each.closed_by_name) for each in rows(SettlementDay)] == [(4520, "Agathe Régisseuse")]
    assert "payments.day_closed" in audited()
    answer = desk.post(f"{day}/clore")
    assert answer.status_code == 409
    assert "Agathe Régisseuse" in answer.text
    assert len(rows(SettlementDay)) == 1


def test_a_past_day_without_a_file_says_what_it_waits_for(desk: FlaskClient, books: Books) -> None:
    yesterday = today() - timedelta(days=1)
    page = desk.get(f"{BASE}/{books.place.finess}/payfip/090909/{yesterday}").text
    assert books.bill.reference in page
    assert f"{BASE}/fichiers" in page


def test_a_day_with_payments_keeps_to_twelve_statements(app: Flask, desk: FlaskClient, books: Books) -> None:
    books.compared()
    day = rows(SettlementLine)[0].happened_on
    with executed(app) as seen:
        assert desk.get(f"{BASE}/{books.place.finess}/payfip/090909/{day}").status_code == 200
    assert len([each for each in seen if not each.startswith("select set_config")]) <= 12, "\n".join(seen)


def test_differences_are_decided_one_after_the_other(desk: FlaskClient, books: Books) -> None:
    books.compared(
        row(finess=books.place.finess, psp_ref="nobody-1"), row(finess=books.place.finess, psp_ref="nobody-2")
    )
    listed = desk.get(f"{BASE}/ecarts").text
    first, second = [
        each.id for each in sorted(rows(SettlementDifference), key=lambda each: listed.index(str(each.id)))
    ]
    page = desk.get(f"{BASE}/ecarts/{first}").text
    assert f"{BASE}/ecarts/{second}" in page
    assert desk.post(f"{BASE}/ecarts/{first}", data={"after": "explained", "why": ""}).status_code == 422
    answer = desk.post(f"{BASE}/ecarts/{first}", data={"after": "explained", "why": "Autre portail"})
    assert answer.location.endswith(str(second))
    page = desk.get(f"{BASE}/ecarts/{first}").text
    assert "Autre portail" in page
    assert "Agathe Régisseuse" in page
    late = desk.post(f"{BASE}/ecarts/{first}", data={"after": "explained", "why": "Trop tard"})
    assert late.status_code == 409
    assert "Trop tard" not in late.text
    assert "Autre portail" in desk.get(f"{BASE}/ecarts?etat=explained").text


def test_an_agent_records_a_debit_given_back_from_the_bill(desk: FlaskClient, books: Books) -> None:
    page = desk.get(f"/admin/factures/{books.bill.id}")
    assert f"/admin/factures/{books.bill.id}/rejet" in page.text
    desk.post(f"/admin/factures/{books.bill.id}/rejet", data={"entry": str(books.entry.id), "note": ""})
    assert len(rows(LedgerEntry)) == 1
    given_back = {"entry": str(books.entry.id), "note": "DDFIP-12"}
    assert desk.post(f"/admin/factures/{books.bill.id}/rejet", data=given_back).status_code == 303
    assert desk.post(f"/admin/factures/{books.bill.id}/rejet", data=given_back).status_code == 409
    notes = {each.kind: each.note for each in rows(LedgerEntry)}
    assert notes == {"payment": "", "rejection": "DDFIP-12"}
    with prepared():
        assert queries.standing(books.bill.id).state == "open"
    assert f"/admin/factures/{books.bill.id}/rejet" not in desk.get(f"/admin/factures/{books.bill.id}").text


@pytest.mark.parametrize("entry", ["", "x", "00000000-0000-0000-0000-000000000000"])
def test_a_debit_of_nobody_is_given_back_by_nobody(desk: FlaskClient, books: Books, entry: str) -> None:
    desk.post(f"/admin/factures/{books.bill.id}/rejet", data={"entry": entry, "note": "DDFIP-12"})
    assert len(rows(LedgerEntry)) == 1


def test_a_batch_is_shown_with_its_digest_and_handed_over_as_it_was_sealed(desk: FlaskClient, books: Books) -> None:
    with prepared():
        treasury.seal(books.place, today())
    (batch,) = rows(TreasuryBatch)
    assert f"/admin/factures/tresorerie/{batch.id}" in desk.get("/admin/factures/tresorerie").text
    page = desk.get(f"/admin/factures/tresorerie/{batch.id}").text
    assert batch.sha256 in page
    assert books.bill.reference in page
    answer = desk.post(f"/admin/factures/tresorerie/{batch.id}/fichier")
    assert sha256(answer.data) == batch.sha256
    assert batch.file_name in answer.headers["Content-Disposition"]
    assert audited()[-1] == "treasury.downloaded"


def test_the_button_seals_only_what_is_over(desk: FlaskClient, books: Books) -> None:
    desk.post("/admin/factures/tresorerie/sceller")
    assert rows(TreasuryBatch) == []


@pytest.mark.parametrize("path", [BASE, f"{BASE}/ecarts", f"{BASE}/fichiers", "/admin/factures/tresorerie"])
def test_pages_stay_quick_and_say_so_when_empty(app: Flask, desk: FlaskClient, path: str) -> None:
    with executed(app) as seen:
        assert desk.get(path).status_code == 200
    assert len([each for each in seen if not each.startswith("select set_config")]) <= 12, "\n".join(seen)


@pytest.mark.parametrize("address", ["jusqu_au=x", "jusqu_au=9999-12-31", "jusqu_au=2020-01-01"])
def test_any_address_of_days_is_answered(desk: FlaskClient, address: str) -> None:
    assert desk.get(f"{BASE}?{address}").status_code == 200


def test_an_agent_of_another_hospital_reaches_nothing(sign_in: SignIn, books: Books) -> None:
    books.compared(row(finess=books.place.finess, psp_ref="nobody"))
    with prepared():
        treasury.seal(books.place, today())
        other = hospitals.hospital("990000025", "Hôpital d’à côté").establishment
        stranger = people.agent(other.id, "billing")
        clerk = people.agent(books.place.id, "appointments")
    (difference,), (batch,) = rows(SettlementDifference), rows(TreasuryBatch)
    away = sign_in(stranger)
    for path in (f"{BASE}/ecarts/{difference.id}", f"/admin/factures/tresorerie/{batch.id}",
                 f"{BASE}/{books.place.finess}/payfip/090909/{difference.day}"):  # fmt: skip
        assert away.get(path).status_code == 404
    assert away.post(f"/admin/factures/tresorerie/{batch.id}/fichier").status_code == 404
    assert away.post(f"/admin/factures/{books.bill.id}/rejet", data={"entry": "", "note": ""}).status_code == 404
    assert sign_in(clerk).get(BASE).status_code in (403, 404)


def test_no_stranger_sees_a_row_of_the_books(books: Books) -> None:
    books.compared(row(finess=books.place.finess, psp_ref="nobody"))
    with prepared():
        treasury.seal(books.place, today())
        other = hospitals.hospital("990000025", "Hôpital d’à côté").establishment
        stranger = people.agent(other.id, "billing")
        own, person = people.patient_with_account(birth_name="DURAND")
    mine = people.as_agent(books.agent, books.place.id, "billing")
    assert seen(mine) >= {
        "settlement_line",
        "settlement_file",
        "settlement_difference",
        "treasury_batch",
        "treasury_line",
    }
    for actor in (people.as_agent(stranger, other.id, "billing"), people.as_patient(own, person),
                  people.as_agent(books.agent, books.place.id, "appointments"), ANONYMOUS):  # fmt: skip
        assert seen(actor) == set()


def seen(actor: db.Actor) -> set[str]:
    with db.transaction(actor) as current:
        return {table for table in TABLES if current.scalar(text(f"select exists (select from {table})"))}
