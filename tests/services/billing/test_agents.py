"""The billing agents see their hospital's bills, the ledger behind each, and what needs a human."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from auth.models import Account
from portal import audit, db
from portal.gateways.payments.payfip_twin import RunningTwin
from tests.factories import billing, hospitals, people
from tests.services.billing.conftest import Ground, SignIn, begin, later, pay, statements


@pytest.fixture
def payer(sign_in: SignIn, ground: Ground) -> FlaskClient:
    return sign_in(ground.account)


@pytest.fixture
def agent(ground: Ground) -> Account:
    with db.transaction(db.system("tests")):
        return people.agent(ground.hospital.establishment.id, "billing")


@pytest.fixture
def desk(sign_in: SignIn, agent: Account) -> FlaskClient:
    return sign_in(agent)


def page_of(ground: Ground) -> str:
    return f"/admin/factures/{ground.bill.id}"


def test_the_list_shows_each_bill_with_its_state(desk: FlaskClient, ground: Ground) -> None:
    page = desk.get("/admin/factures/liste")
    assert page.status_code == 200
    assert ground.bill.reference in page.text


@pytest.mark.parametrize(
    ("query", "found"),
    [("etat=open", True), ("etat=paid", False), ("etat=nonsense", True), ("reference=nothing", False),
     ("reference=%00", True), ("apres=2020-01-01_x", True), ("apres=%00", True), ("montant=45,20", True),
     ("montant=45", False),
     ("etablissement=990000017", True)],
)  # fmt: skip
def test_filters(desk: FlaskClient, ground: Ground, query: str, found: bool) -> None:
    page = desk.get(f"/admin/factures/liste?{query}")
    assert page.status_code == 200
    assert (ground.bill.reference in page.text) is found


def test_one_bill_shows_its_ledger_and_the_reading_is_written_down(
    desk: FlaskClient, payer: FlaskClient, ground: Ground
) -> None:  # fmt: skip
    payer.get(pay(payer, ground))
    page = desk.get(page_of(ground))
    assert page.status_code == 200
    assert "clearing:payfip:090909" in page.text
    with db.transaction(db.system("tests")):
        assert "bill.opened" in {event.action for event in audit.of_patient(ground.patient.id)}


def test_an_agent_of_another_hospital_or_another_trade_does_not_come_in(
    sign_in: SignIn, ground: Ground
) -> None:  # fmt: skip
    with db.transaction(db.system("tests")):
        elsewhere = hospitals.hospital("990000025", "Hôpital d’à côté")
        neighbour = people.agent(elsewhere.establishment.id, "billing")
        clerk = people.agent(ground.hospital.establishment.id, "preadmission")
    assert sign_in(neighbour).get(page_of(ground)).status_code == 404
    assert sign_in(neighbour).post(f"{page_of(ground)}/clore", data={"reason": "cancelled"}).status_code == 404
    assert sign_in(clerk).get("/admin/factures/").status_code == 403
    assert ground.standing().state == "open"


def test_a_payment_to_review_is_watched_asked_about_and_released(
    desk: FlaskClient, payer: FlaskClient, ground: Ground, door: RunningTwin
) -> None:  # fmt: skip
    back = pay(payer, ground)
    door.faults.tampered = {"montant": "1"}
    payer.get(back)
    assert ground.bill.reference in desk.get("/admin/factures/a-surveiller").text
    attempt = ground.attempts()[0]
    assert desk.post(f"/admin/factures/tentatives/{attempt.id}/demander").status_code == 303
    assert ground.attempts()[0].state == "to_review"
    assert desk.post(f"/admin/factures/tentatives/{attempt.id}/lever").status_code == 303
    assert ground.standing().state == "open"
    door.faults.clear()
    desk.post(f"/admin/factures/tentatives/{attempt.id}/demander")
    assert ground.standing().state == "paid"
    assert desk.post(f"/admin/factures/tentatives/{attempt.id}/lever").status_code == 409


def test_a_payment_without_an_answer_for_an_hour_is_watched(
    desk: FlaskClient, payer: FlaskClient, ground: Ground
) -> None:  # fmt: skip
    begin(payer, ground)
    assert ground.bill.reference not in desk.get("/admin/factures/a-surveiller").text
    later(ground.bill, timedelta(minutes=61))
    assert ground.bill.reference in desk.get("/admin/factures/a-surveiller").text


def test_a_bill_paid_at_the_desk_is_closed_and_no_longer_payable(
    desk: FlaskClient, payer: FlaskClient, ground: Ground
) -> None:  # fmt: skip
    assert desk.post(f"{page_of(ground)}/clore", data={}).status_code == 422
    assert desk.post(f"{page_of(ground)}/clore", data={"reason": "paid_elsewhere"}).status_code == 303
    assert ground.standing().state == "closed_elsewhere"
    assert payer.get(f"{ground.page}/payer").location == ground.page
    assert payer.get(ground.page).status_code == 200


def test_a_bill_under_payment_cannot_be_closed(desk: FlaskClient, payer: FlaskClient, ground: Ground) -> None:
    begin(payer, ground)
    assert desk.post(f"{page_of(ground)}/clore", data={"reason": "cancelled"}).status_code == 409
    assert ground.standing().state == "in_progress"


def test_staff_pages_keep_to_twelve_statements_and_one_for_what_is_new(
    app: Flask, desk: FlaskClient, payer: FlaskClient, ground: Ground
) -> None:
    payer.get(pay(payer, ground))
    with db.transaction(db.system("tests")):
        billing.source(ground.hospital.establishment)
        for _n in range(12):
            billing.bill(ground.hospital.establishment, ground.patient)
    for path in (
        "/admin/factures/",
        "/admin/factures/liste",
        page_of(ground),
        f"{page_of(ground)}/preuves",
        "/admin/factures/a-surveiller",
    ):
        with statements(app) as seen:
            assert desk.get(path).status_code == 200
        assert len(seen) <= 13, f"{path}: {len(seen)}"
