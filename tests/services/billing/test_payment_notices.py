"""An agent prints a notice: a new key, shown once, that opens the bill to whoever holds the paper."""

import re
from html import unescape
from urllib.parse import unquote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.test import TestResponse

from portal import db
from services.billing.guests.models import BillOpening
from services.billing.models import Bill
from services.billing.sources.models import BillSource
from tests.factories import billing, hospitals, people
from tests.factories.billing import LETTER_KEY
from tests.ground import audited, prepared, rows
from tests.services.billing.conftest import Ground, SignIn, statements

FORM = "/factures/payer"


@pytest.fixture
def desk(sign_in: SignIn, ground: Ground) -> FlaskClient:
    with prepared():
        account = people.agent(ground.hospital.establishment.id, "billing")
    return sign_in(account)


def print_notice(desk: FlaskClient, bill: Bill) -> TestResponse:
    return desk.post(f"/admin/factures/{bill.id}/avis", headers={"Accept-Language": "en"})


def key_on(page: TestResponse) -> str:
    found = re.search(r"\b[A-Z0-9]{5}-[A-Z0-9]{5}\b", page.text)
    assert found, page.text
    return found[0]


def opens(app: Flask, bill: Bill, key: str) -> bool:
    typed = {"reference": bill.reference, "access_key": key}
    return app.test_client().post(FORM, data=typed).status_code == 303


def close_to_guests(ground: Ground) -> None:
    with prepared():
        db.session.add(
            BillSource(
                establishment_id=ground.hospital.establishment.id, code="regie", kind="regie", name="Régie",
                numcli="090909", saisie="T", means=["payfip"], access="none",
            )
        )  # fmt: skip


def test_the_key_on_the_notice_opens_the_bill_and_the_former_one_no_longer(
    app: Flask, desk: FlaskClient, ground: Ground
) -> None:
    assert opens(app, ground.bill, LETTER_KEY)
    assert print_notice(desk, ground.bill).status_code == 200
    page = print_notice(desk, ground.bill)
    assert opens(app, ground.bill, key_on(page))
    assert not opens(app, ground.bill, LETTER_KEY)


def test_each_notice_makes_the_former_one_worthless(app: Flask, desk: FlaskClient, ground: Ground) -> None:
    first, second = (key_on(print_notice(desk, ground.bill)) for _each in range(2))
    assert first != second
    assert not opens(app, ground.bill, first)
    assert opens(app, ground.bill, second)


def test_what_the_former_key_had_opened_is_closed(app: Flask, desk: FlaskClient, ground: Ground) -> None:
    assert opens(app, ground.bill, LETTER_KEY)
    print_notice(desk, ground.bill)
    assert list(rows(BillOpening)) == []


def test_the_notice_says_what_to_pay_and_names_nobody(desk: FlaskClient, ground: Ground) -> None:
    page = print_notice(desk, ground.bill)
    for shown in (ground.bill.reference, "45.20", ground.hospital.establishment.name, "/factures/payer", "<svg"):
        assert shown in page.text
    for secret in ("MARTIN", "Jeanne", "ardiologie"):
        assert secret not in page.text


def test_the_key_is_in_no_address_and_in_no_table(desk: FlaskClient, ground: Ground) -> None:
    page = print_notice(desk, ground.bill)
    key = key_on(page).replace("-", "")
    assert all(key not in unquote(unescape(address)) for address in re.findall(r'href="([^"]*)"', page.text))
    (bill,) = rows(Bill)
    assert len(bill.access_digest or b"") == 32
    assert key.encode() not in (bill.access_digest or b"")


def test_it_is_written_down(desk: FlaskClient, ground: Ground) -> None:
    print_notice(desk, ground.bill)
    assert "bill.key_drawn" in audited()


def test_the_bills_page_offers_it(desk: FlaskClient, ground: Ground) -> None:
    assert f"/admin/factures/{ground.bill.id}/avis" in desk.get(f"/admin/factures/{ground.bill.id}").text


def test_there_is_none_for_a_source_closed_to_guests(desk: FlaskClient, ground: Ground) -> None:
    close_to_guests(ground)
    assert "/avis" not in desk.get(f"/admin/factures/{ground.bill.id}").text
    answer = print_notice(desk, ground.bill)
    assert answer.status_code == 409
    assert ground.bill.reference in answer.text
    assert "bill.key_drawn" not in audited()


def test_there_is_none_for_a_bill_that_is_paid_or_closed(desk: FlaskClient, ground: Ground) -> None:
    with prepared():
        db.session.execute(update(Bill).values(closed_reason="cancelled", closed_at=db.now()))
    assert "/avis" not in desk.get(f"/admin/factures/{ground.bill.id}").text
    assert print_notice(desk, ground.bill).status_code == 409


def test_agents_of_another_hospital_or_without_the_right_print_none(sign_in: SignIn, ground: Ground) -> None:
    with prepared():
        elsewhere = hospitals.hospital("990000025", "Hôpital d’à côté")
        there = people.agent(elsewhere.establishment.id, "billing")
        here = people.agent(ground.hospital.establishment.id, "appointments")
        before = billing.bill(elsewhere.establishment).access_digest
    assert print_notice(sign_in(there), ground.bill).status_code == 404
    assert print_notice(sign_in(here), ground.bill).status_code == 403
    assert print_notice(sign_in(ground.account), ground.bill).status_code == 403
    assert before
    assert "bill.key_drawn" not in audited()


def test_it_asks_the_database_little(app: Flask, desk: FlaskClient, ground: Ground) -> None:
    print_notice(desk, ground.bill)
    with statements(app) as seen:
        print_notice(desk, ground.bill)
    assert len(seen) <= 12, seen
