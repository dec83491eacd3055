"""Several bills in one go: one payment, one receipt, each bill credited with its own share."""

import pytest
from flask.testing import FlaskClient

from portal import db, establishments
from portal.gateways.payments.means import Ending
from portal.gateways.payments.payfip_twin import RunningTwin
from services.billing import actions, jobs, queries
from services.billing.actions import NotPayable
from services.billing.ledger.models import LedgerLine
from services.billing.models import AttemptShare, Bill, Receipt
from services.billing.sources.models import BillSource
from tests.factories import billing, people
from tests.ground import prepared, rows
from tests.services.billing.conftest import Ground, SignIn, at_the_bank


@pytest.fixture
def browser(sign_in: SignIn, ground: Ground) -> FlaskClient:
    return sign_in(ground.account)


def agree_to_several(ground: Ground) -> None:
    """The régisseur takes several bills in one PayFiP payment."""
    with prepared():
        db.session.add(
            BillSource(
                establishment_id=ground.hospital.establishment.id, code="regie", kind="regie", name="Régie des soins",
                numcli="090909", saisie="T", means=["payfip"], several=True,
            )
        )  # fmt: skip


@pytest.fixture
def second(ground: Ground) -> Bill:
    with prepared():
        return billing.bill(ground.hospital.establishment, ground.patient, 3000)


def together(*bills: Bill) -> str:
    return "/factures/regler?" + "&".join(f"facture={bill.id}" for bill in bills)


def test_two_bills_are_paid_by_one_payment_with_one_receipt(browser: FlaskClient, ground: Ground, second: Bill) -> None:
    agree_to_several(ground)
    assert "/factures/regler" in browser.get("/factures").text
    page = browser.get(together(ground.bill, second))
    assert "75,20" in page.text
    answer = browser.post(together(ground.bill, second), data={"email": "jeanne@exemple.test"})
    assert answer.status_code == 303
    assert browser.get(at_the_bank(answer.location, "P")).location == "/factures"
    for bill, cents in ((ground.bill, 4520), (second, 3000)):
        with db.transaction(db.system("tests")):
            found = queries.standing(bill.id)
        assert (found.state, found.paid_cents) == ("paid", cents)
    (receipt,) = rows(Receipt)
    text = browser.get(f"/factures/recus/{receipt.id}").text
    assert ground.bill.reference in text
    assert second.reference in text
    assert "75,20" in text


def test_a_provider_is_told_a_reference_that_no_bill_bears(
    browser: FlaskClient, ground: Ground, second: Bill, door: RunningTwin
) -> None:
    agree_to_several(ground)
    browser.post(together(ground.bill, second), data={"email": "jeanne@exemple.test"})
    (operation,) = door.till.operations.values()
    assert operation.asked["refdet"].startswith("PANIER")
    assert (len(operation.asked["refdet"]), operation.asked["montant"]) == (20, "7520")


def test_without_the_regisseurs_word_bills_are_paid_one_by_one(
    browser: FlaskClient, ground: Ground, second: Bill
) -> None:
    assert "/factures/regler" not in browser.get("/factures").text
    assert browser.get(together(ground.bill, second)).location == "/factures"
    assert browser.post(together(ground.bill, second), data={"email": "jeanne@exemple.test"}).location == "/factures"
    assert ground.attempts() == []


def test_bills_of_two_sources_are_not_paid_together(browser: FlaskClient, ground: Ground) -> None:
    agree_to_several(ground)
    with prepared():
        titre = billing.bill(ground.hospital.establishment, ground.patient, 3000, source="titre")
    assert browser.get(together(ground.bill, titre)).location == "/factures"


def test_somebody_elses_bill_in_the_address_is_not_there(browser: FlaskClient, ground: Ground) -> None:
    agree_to_several(ground)
    with prepared():
        theirs = billing.bill(ground.hospital.establishment, people.patient("Durand", "Paul"), 3000)
    assert browser.get(together(ground.bill, theirs)).status_code == 404
    assert browser.post(together(ground.bill, theirs), data={"email": "jeanne@exemple.test"}).status_code == 404


def test_a_bill_whose_payment_is_under_way_holds_the_whole_basket(ground: Ground, second: Bill) -> None:
    agree_to_several(ground)
    with db.transaction(people.as_patient(ground.account, ground.patient)):
        actions.start_payment([queries.standing(ground.bill.id)], "payfip", email="jeanne@exemple.test")
    with db.transaction(people.as_patient(ground.account, ground.patient)):
        both = [queries.standing(second.id), queries.standing(ground.bill.id)]
        with pytest.raises(NotPayable, match="under_way"):
            actions.start_payment(both, "payfip", email="jeanne@exemple.test")
    assert [share.bill_id for share in rows(AttemptShare)] == [ground.bill.id]


# -- what the ledger holds apart ---------------------------------------------------------------------------------


def accounts() -> dict[str, int]:
    """Each account's debits less its credits, in cents."""
    totals: dict[str, int] = {}
    for line in rows(LedgerLine):
        totals[line.account] = totals.get(line.account, 0) + line.debit_cents - line.credit_cents
    return totals


def test_a_titres_payment_is_evidence_and_never_the_hospitals_cash(browser: FlaskClient, ground: Ground) -> None:
    with prepared():
        titre = billing.bill(ground.hospital.establishment, ground.patient, 3000, source="titre")
    page = browser.post(f"/factures/{titre.id}/payer", data={"email": "jeanne@exemple.test"}).location
    browser.get(at_the_bank(page, "P"))
    with db.transaction(db.system("tests")):
        assert queries.standing(titre.id).state == "paid"
    assert accounts() == {"memo:clearing:payfip:090909": 3000, "memo:receivable": -3000}


def test_what_exceeds_the_bill_is_held_apart_until_it_is_given_back(browser: FlaskClient, ground: Ground) -> None:
    first = browser.post(f"{ground.page}/payer", data={"email": "jeanne@exemple.test"}).location
    back = at_the_bank(first, "P")
    with prepared():
        db.session.get_one(Bill, ground.bill.id).due_cents = 4000
    browser.get(back)
    assert accounts() == {"clearing:payfip:090909": 4520, "receivable": -4000, "overpaid": -520}
    assert (ground.standing().state, ground.standing().overpaid_cents) == ("overpaid", 520)


def test_money_that_arrives_for_a_closed_bill_is_all_to_give_back(browser: FlaskClient, ground: Ground) -> None:
    page = browser.post(f"{ground.page}/payer", data={"email": "jeanne@exemple.test"}).location
    back = at_the_bank(page, "P")
    with prepared():
        db.session.get_one(Bill, ground.bill.id).closed_reason = "paid_elsewhere"
    browser.get(back)
    assert accounts() == {"clearing:payfip:090909": 4520, "overpaid": -4520}
    assert (ground.standing().state, ground.standing().left_cents) == ("overpaid", 0)


def test_a_debit_order_is_shown_as_such_and_closes_the_bill(browser: FlaskClient, ground: Ground) -> None:
    page = browser.post(f"{ground.page}/payer", data={"email": "jeanne@exemple.test"}).location
    browser.get(at_the_bank(page, "V"))
    assert (ground.standing().state, ground.standing().paid_cents) == ("debit_accepted", 4520)
    assert f'{ground.page}/payer"' not in browser.get(ground.page).text


def test_no_part_of_a_titre_is_taken_online(browser: FlaskClient, ground: Ground) -> None:
    with prepared():
        titre = billing.bill(ground.hospital.establishment, ground.patient, 3000, source="titre")
        billing.attempt(titre, Ending.PAID)
    with prepared():
        db.session.get_one(Bill, titre.id).due_cents = 9000
    with db.transaction(db.system("tests")):
        assert queries.obstacle(queries.standing(titre.id)) == "not_online"
    page = browser.get(f"/factures/{titre.id}")
    assert f"/factures/{titre.id}/payer" not in page.text


def test_with_two_means_the_page_may_lead_to_both_sites_and_asks_which(browser: FlaskClient, ground: Ground) -> None:
    with prepared():
        establishments.change_setting(ground.hospital.establishment.id, "stripe_enabled", "yes")
        billing.source(ground.hospital.establishment, means=["payfip", "stripe"])
    page = browser.get(f"{ground.page}/payer")
    for psp in ("payfip", "stripe"):
        assert jobs.means(psp).site in page.headers["Content-Security-Policy"]
        assert f'value="{psp}"' in page.text
    assert browser.post(f"{ground.page}/payer", data={"email": "jeanne@exemple.test"}).status_code == 422


def test_whoever_paid_several_bills_is_told_so(browser: FlaskClient, ground: Ground, second: Bill) -> None:
    agree_to_several(ground)
    answer = browser.post(together(ground.bill, second), data={"email": "jeanne@exemple.test"})
    browser.get(at_the_bank(answer.location, "P"))
    assert browser.get("/factures").text.count("app-notice--success") == 2  # it is paid; nothing is left to pay


@pytest.mark.parametrize("cents", [50, 12_000_000])
def test_a_bill_that_no_means_takes_leaves_the_others_together(
    browser: FlaskClient, ground: Ground, second: Bill, cents: int
) -> None:
    agree_to_several(ground)
    with prepared():
        alone = billing.bill(ground.hospital.establishment, ground.patient, cents)
    page = browser.get("/factures").text
    assert f'value="{second.id}"' in page
    assert f'value="{alone.id}"' not in page
    assert browser.get(together(ground.bill, second)).status_code == 200
