"""What the payer reads: whom to ask, who pays what, what happened, what is left, and how to pay in several times."""

from datetime import timedelta

import pytest
from flask import Flask

from portal import db
from portal.gateways.payments.means import Ending
from services.billing.ledger.actions import Posting, Side, post
from services.billing.models import Bill
from tests.factories import bill_questions, billing
from tests.ground import prepared, today
from tests.services.billing.conftest import Ground, SignIn, statements


def text_of(page: str) -> str:
    """The page's words, its non-breaking spaces made plain."""
    return page.replace("\u00a0", " ").replace("\u202f", " ")


def more_bills(ground: Ground, count: int, **facts: object) -> None:
    with prepared():
        for _each in range(count):
            billing.bill(ground.hospital.establishment, ground.patient, **facts)  # type: ignore[arg-type]  # facts of a bill


def test_the_total_left_to_pay_is_what_is_open(sign_in: SignIn, ground: Ground) -> None:
    more_bills(ground, 1, due_cents=1000)
    more_bills(ground, 1, due_cents=7000, closed_reason="cancelled", closed_at=db.now())
    assert "55,20 €" in text_of(sign_in(ground.account).get("/factures").text)


def test_nothing_left_to_pay_is_said(sign_in: SignIn, ground: Ground) -> None:
    with prepared():
        billing.attempt(db.session.get_one(Bill, ground.bill.id), Ending.PAID)
    page = sign_in(ground.account).get("/factures").text
    assert "app-notice--success" in page


def test_filters_come_when_bills_are_many_and_sift_them(sign_in: SignIn, ground: Ground) -> None:
    browser = sign_in(ground.account)
    assert 'name="annee"' not in browser.get("/factures").text
    more_bills(ground, 9, issued_on=today() - timedelta(days=800), closed_reason="paid_elsewhere", closed_at=db.now())
    assert 'name="annee"' in browser.get("/factures").text
    assert ground.bill.reference in browser.get("/factures?etat=a-payer").text
    assert ground.bill.reference not in browser.get("/factures?etat=reglees").text
    assert ground.bill.reference not in browser.get("/factures?annee=1999").text


@pytest.mark.parametrize(
    "query", ["etat=x", "annee=abc", "annee=99999999999999", "etat=%00", "etablissement='", "etat=a-payer&etat=x"]
)
def test_filters_understand_nonsense(sign_in: SignIn, ground: Ground, query: str) -> None:
    assert sign_in(ground.account).get(f"/factures?{query}").status_code == 200


def test_the_source_says_whom_to_ask_and_when(sign_in: SignIn, ground: Ground) -> None:
    browser = sign_in(ground.account)
    assert "01 99 00 10 00" in browser.get(ground.page).text  # the hospital's, when nobody else is named
    with prepared():
        bill_questions.source(
            ground.hospital.establishment, contact_name="Régie des consultations", contact_phone="01 99 00 12 40",
            contact_hours="du lundi au vendredi, 9 h – 16 h", instalments="En trois fois au guichet.",
            difficulties="Voyez l’assistante sociale.",
        )  # fmt: skip
    page = browser.get(ground.page).text
    for words in ("Régie des consultations", "01 99 00 12 40", "9 h – 16 h", "En trois fois", "assistante sociale"):
        assert words in page
    assert "01 99 00 10 00" not in page


def test_what_the_complementary_insurance_owes_is_told_as_unknown(sign_in: SignIn, ground: Ground) -> None:
    browser = sign_in(ground.account)
    without = browser.get(ground.page).text
    with prepared():
        db.session.get_one(Bill, ground.bill.id).amc_cents = 1860
    with_share = browser.get(ground.page).text
    assert "18,60 €" in text_of(with_share)
    assert "18,60 €" not in text_of(without)


def test_a_titre_says_who_collects_it_and_who_grants_delays(sign_in: SignIn, ground: Ground) -> None:
    with prepared():
        db.session.get_one(Bill, ground.bill.id).source = "titre"
    page = sign_in(ground.account).get(ground.page).text
    assert "motif=instalments" not in page  # the hospital cannot decide: no form that would say otherwise
    assert ground.bill.exer in page


def test_the_story_tells_money_and_tries_the_newest_first(sign_in: SignIn, ground: Ground) -> None:
    with prepared():
        bill = db.session.get_one(Bill, ground.bill.id)
        billing.attempt(bill, Ending.REFUSED, days_ago=3)
        billing.attempt(bill, Ending.DEBIT_ACCEPTED, days_ago=2)
    payment = ground.entries()[0]
    with prepared():
        post(Posting(
            payment.establishment_id, payment.psp, f"{payment.psp_ref}-R", "rejection", payment.account,
            [Side("receivable", debit=4520, bill_id=ground.bill.id),
             Side(f"clearing:payfip:{payment.account}", credit=4520)],
            undoes_id=payment.id, means=payment.means,
        ))  # fmt: skip
    page = sign_in(ground.account).get(ground.page).text
    story = page[page.index("app-timeline") :]
    tones = [part.split('"')[0].split()[0] for part in story.split("app-timeline__item--")[1:]]
    assert tones == ["danger", "success", "danger"]
    assert ground.standing().state == "open"


def test_a_closed_bill_tells_when_and_why(sign_in: SignIn, ground: Ground) -> None:
    with prepared():
        bill = db.session.get_one(Bill, ground.bill.id)
        bill.closed_reason, bill.closed_at = "paid_elsewhere", db.now()
    page = sign_in(ground.account).get(ground.page).text
    assert "app-timeline" in page
    assert f"{ground.page}/payer" not in page


def test_the_list_and_the_bill_cost_few_statements(app: Flask, sign_in: SignIn, ground: Ground) -> None:
    more_bills(ground, 12)
    with prepared():
        billing.attempt(db.session.get_one(Bill, ground.bill.id), Ending.PAID)
    browser = sign_in(ground.account)
    for page in ("/factures", ground.page):
        browser.get(page)
        with statements(app) as sent:
            browser.get(page)
        assert len(sent) <= 12, (page, len(sent), sent)
