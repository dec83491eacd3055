"""The screens of money that goes back: one gesture for each means, two people above a threshold, nothing twice."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from auth.models import Account, WebSession
from portal import db
from portal.gateways.payments import stripe_account
from portal.gateways.payments.means import Counter
from portal.gateways.payments.stripe_account import Movement
from services.billing.disputes import actions as disputes
from services.billing.disputes.models import Dispute
from services.billing.models import Bill
from services.billing.payouts import actions as payouts
from services.billing.payouts.models import Payout
from services.billing.refunds import actions
from services.billing.refunds.models import Refund
from services.billing.refunds.overpaid_file import safe
from tests.factories import billing, hospitals, people
from tests.factories.hospitals import Hospital
from tests.factories.refunds import payment
from tests.services.billing.conftest import statements

SignIn = Callable[[Account | UUID], FlaskClient]
REFUNDS, OVERPAID = "/admin/factures/remboursements", "/admin/factures/trop-percus"
DISPUTES, PAYOUTS = "/admin/factures/contestations", "/admin/factures/versements"


class Desk:
    """A hospital, two billing agents and their browsers."""

    def __init__(self, sign_in: SignIn) -> None:
        with db.transaction(db.system("tests")):
            self.place: Hospital = hospitals.hospital()
            self.paul = people.agent(self.place.establishment.id, "billing")
            self.rose = people.agent(self.place.establishment.id, "billing")
            self.paul.locale = self.rose.locale = "en"  # the pages in the language of their sources
        self.pauls, self.roses = sign_in(self.paul), sign_in(self.rose)

    @property
    def id(self) -> UUID:
        return self.place.establishment.id

    def bill(self, due_cents: int = 4520, **facts: object) -> Bill:
        with db.transaction(db.system("tests")):
            return billing.bill(self.place.establishment, None, due_cents, **facts)

    def paid(self, bill: Bill, cents: int, psp: str = "stripe", **facts: object) -> UUID:
        with db.transaction(db.system("tests")) as current:
            return payment(current.get_one(Bill, bill.id), psp=psp, cents=cents, **facts).id  # type: ignore[arg-type]  # the factory's own

    def overpaid(self, cents: int = 480, psp: str = "stripe") -> tuple[Bill, UUID]:
        bill = self.bill()
        return bill, self.paid(bill, 4520 + cents, psp)

    def refund(self, bill: Bill) -> Refund:
        with db.transaction(db.system("tests")) as current:
            return current.scalars(select(Refund).where(Refund.bill_id == bill.id)).one()

    def asks(self, browser: FlaskClient, bill: Bill, entry: UUID, amount: str, reason: str = "overpaid") -> UUID:
        answer = browser.post(
            f"/admin/factures/{bill.id}/rembourser",
            data={"payment": str(entry), "amount": amount, "reason": reason, "once": str(uuid4())},
        )
        assert answer.status_code == 303, answer.text
        return UUID(answer.location.rpartition("/")[2])


@pytest.fixture
def desk(app: Flask, sign_in: SignIn) -> Desk:
    return Desk(sign_in)


def test_a_bill_that_received_too_much_is_listed_with_its_one_gesture(desk: Desk) -> None:
    bill, _entry = desk.overpaid()
    page = desk.pauls.get(OVERPAID)
    assert bill.reference in page.text
    assert f"/admin/factures/{bill.id}/rembourser" in page.text


def test_a_bill_that_is_just_paid_is_not_listed(desk: Desk) -> None:
    bill = desk.bill()
    desk.paid(bill, 4520)
    assert bill.reference not in desk.pauls.get(OVERPAID).text


def test_the_form_proposes_what_is_too_much_and_refuses_more(desk: Desk) -> None:
    bill, entry = desk.overpaid()
    page = desk.pauls.get(f"/admin/factures/{bill.id}/rembourser")
    assert 'value="4.80"' in page.text or 'value="4,80"' in page.text
    form = {"payment": str(entry), "amount": "4,81", "reason": "overpaid", "once": str(uuid4())}
    refused = desk.pauls.post(f"/admin/factures/{bill.id}/rembourser", data=form)
    assert refused.status_code == 422
    assert "At most" in refused.text


@pytest.mark.parametrize(
    "lie",
    [{"amount": ""}, {"amount": "-5"}, {"amount": "1e9"}, {"amount": "0"}, {"payment": "nothing"}, {"payment": ""},
     {"reason": "at_provider"}, {"reason": ""}, {"note": "x" * 501}, {"amount": "99999999999999999999"}],
)  # fmt: skip
def test_hostile_input_gives_nothing_back(desk: Desk, lie: dict[str, str]) -> None:
    bill, entry = desk.overpaid()
    form = {"payment": str(entry), "amount": "1", "reason": "overpaid", "once": str(uuid4()), **lie}
    assert desk.pauls.post(f"/admin/factures/{bill.id}/rembourser", data=form).status_code == 422
    with db.transaction(db.system("tests")) as current:
        assert current.scalars(select(Refund)).all() == []


def test_another_payments_number_in_the_form_is_no_payment_of_this_bill(desk: Desk) -> None:
    bill, _entry = desk.overpaid()
    _other, elsewhere = desk.overpaid()
    form = {"payment": str(elsewhere), "amount": "1", "reason": "overpaid", "once": str(uuid4())}
    assert desk.pauls.post(f"/admin/factures/{bill.id}/rembourser", data=form).status_code == 422


def test_a_double_click_asks_once(desk: Desk) -> None:
    bill, entry = desk.overpaid()
    form = {"payment": str(entry), "amount": "1", "reason": "overpaid", "once": str(uuid4())}
    first, second = (desk.pauls.post(f"/admin/factures/{bill.id}/rembourser", data=form) for _ in range(2))
    assert (first.status_code, second.location) == (303, first.location)
    assert desk.refund(bill).amount_cents == 100


class TestApproving:
    def test_a_large_refund_waits_in_the_colleagues_tray(self, desk: Desk) -> None:
        bill, entry = desk.overpaid(20_000)
        refund = desk.asks(desk.pauls, bill, entry, "200")
        assert bill.reference in desk.roses.get(REFUNDS).text
        assert "/approuver" not in desk.pauls.get(f"{REFUNDS}/{refund}").text
        assert "/approuver" in desk.roses.get(f"{REFUNDS}/{refund}").text
        assert desk.pauls.post(f"{REFUNDS}/{refund}/approuver").status_code == 409
        assert desk.refund(bill).state == "asked"
        assert desk.roses.post(f"{REFUNDS}/{refund}/approuver").status_code == 303
        assert desk.refund(bill).state == "approved"
        assert desk.roses.post(f"{REFUNDS}/{refund}/approuver").status_code == 409

    def test_whoever_sees_a_mistake_gives_it_up(self, desk: Desk) -> None:
        bill, entry = desk.overpaid(20_000)
        refund = desk.asks(desk.pauls, bill, entry, "200")
        assert desk.roses.post(f"{REFUNDS}/{refund}/renoncer").status_code == 303
        assert desk.refund(bill).state == "cancelled"

    def test_keys_of_the_page_are_said(self, desk: Desk) -> None:
        bill, entry = desk.overpaid(20_000)
        page = desk.roses.get(f"{REFUNDS}/{desk.asks(desk.pauls, bill, entry, '200')}").text
        assert 'aria-keyshortcuts="a"' in page
        assert 'aria-keyshortcuts="r"' in page


class TestTransfers:
    def test_the_accountants_reference_and_day_are_recorded(self, desk: Desk) -> None:
        bill, entry = desk.overpaid(psp="payfip")
        refund = desk.asks(desk.pauls, bill, entry, "4,80")
        assert bill.reference in desk.pauls.get(f"{REFUNDS}?etat=to_transfer").text
        form = {"reference": "VIR-118", "moved_on-day": "20", "moved_on-month": "11", "moved_on-year": "2025"}
        assert desk.pauls.post(f"{REFUNDS}/{refund}/virement", data=form).status_code == 303
        assert (desk.refund(bill).state, desk.refund(bill).accountant_ref) == ("done", "VIR-118")
        assert "VIR-118" in desk.pauls.get(f"{REFUNDS}/{refund}").text
        assert bill.reference not in desk.pauls.get(OVERPAID).text
        assert desk.pauls.post(f"{REFUNDS}/{refund}/revenu", data={"note": "RJT-1"}).status_code == 303
        assert bill.reference in desk.pauls.get(OVERPAID).text

    @pytest.mark.parametrize(
        "lie", [{"reference": ""}, {"reference": "x" * 61}, {"moved_on-year": "2999"}, {"moved_on-day": "32"}]
    )
    def test_a_slip_that_makes_no_sense_is_refused(self, desk: Desk, lie: dict[str, str]) -> None:
        bill, entry = desk.overpaid(psp="payfip")
        refund = desk.asks(desk.pauls, bill, entry, "4,80")
        form = {"reference": "V1", "moved_on-day": "20", "moved_on-month": "11", "moved_on-year": "2025", **lie}
        assert desk.pauls.post(f"{REFUNDS}/{refund}/virement", data=form).status_code == 422
        assert desk.refund(bill).state == "approved"


def test_a_titre_is_not_given_back_here(desk: Desk) -> None:
    bill = desk.bill(source="titre")
    desk.paid(bill, 5000, "payfip")
    page = desk.pauls.get(f"/admin/factures/{bill.id}/rembourser")
    assert "public accountant’s money" in page.text
    assert "public accountant gives it back" in desk.pauls.get(OVERPAID).text


def test_the_list_is_a_file_that_no_spreadsheet_runs(desk: Desk) -> None:
    bill, _entry = desk.overpaid()
    answer = desk.pauls.get(f"{OVERPAID}.csv")
    assert answer.mimetype == "text/csv"
    header, line = answer.data.decode("utf-8-sig").splitlines()
    assert header.startswith("finess;facture;")
    assert line.split(";")[1:6] == [bill.reference, "2026", "regie", "4,80", "0,00"]
    assert [safe(text) for text in ("=1+1", "+33", "-1", "@x", "plain")] == ["'=1+1", "'+33", "'-1", "'@x", "plain"]


def test_the_page_of_the_bill_leads_to_its_refunds(desk: Desk) -> None:
    bill, entry = desk.overpaid()
    assert "/rembourser" in desk.pauls.get(f"/admin/factures/{bill.id}").text
    refund = desk.asks(desk.pauls, bill, entry, "4,80")
    assert f"{REFUNDS}/{refund}" in desk.pauls.get(f"/admin/factures/{bill.id}").text


# -- disputes and payouts ------------------------------------------------------------------------------------------


def movement(name: str, kind: str, amount: int, fee: int = 0, source: str = "", payment_ref: str = "") -> Movement:
    return Movement(name, kind, amount, fee, amount - fee, "EUR", source, db.now(), payment_ref)


def disputed(desk: Desk, state: str = "needs_response") -> Dispute:
    bill = desk.bill()
    desk.paid(bill, 4520, number="pi_disputed")
    told = stripe_account.Dispute(
        "du_1", "pi_disputed", "ch_1", 4520, "EUR", state, "fraudulent",
        (movement("txn_du", "dispute", -4520, 2000, "du_1"),), db.now() + timedelta(days=2),
    )  # fmt: skip
    with db.transaction(db.system("tests")):
        return disputes.hear(desk.id, desk.place.establishment.finess, told)


def test_a_dispute_is_listed_with_its_deadline_and_what_to_do(desk: Desk) -> None:
    found = disputed(desk)
    page = desk.pauls.get(DISPUTES)
    assert "Urgent" in page.text
    assert "dashboard.stripe.com/test/disputes/du_1" in desk.pauls.get(f"{DISPUTES}/{found.id}").text
    assert "No dispute here" in desk.pauls.get(f"{DISPUTES}?etat=closes").text


def test_a_dispute_of_a_payment_that_we_do_not_know_still_shows(desk: Desk) -> None:
    told = stripe_account.Dispute("du_9", "pi_unknown", "ch_9", 900, "EUR", "lost", "", (), None)
    with db.transaction(db.system("tests")):
        found = disputes.hear(desk.id, desk.place.establishment.finess, told)
    assert "Unknown payment" in desk.pauls.get(f"{DISPUTES}?etat=closes").text
    assert desk.pauls.get(f"{DISPUTES}/{found.id}").status_code == 200


def sent_to_the_bank(desk: Desk, *, lost: bool = False) -> Payout:
    bill = desk.bill()
    if not lost:
        desk.paid(bill, 4520, number="pi_sent")
    told = stripe_account.Payout("po_1", 4427, "EUR", "paid", db.now(), "txn_po", "")
    movements = [
        movement("txn_ch", "charge", 4520, 93, "ch_1", "pi_sent"),
        movement("txn_po", "payout", -4427, 0, "po_1"),
    ]
    with db.transaction(db.system("tests")) as current:
        payouts.hear(desk.id, Counter(desk.place.establishment.finess, "T"), told, movements)
        current.flush()
        return current.scalars(select(Payout)).one()


def test_a_payout_shows_gross_fees_net_and_no_difference(desk: Desk) -> None:
    found = sent_to_the_bank(desk)
    page = desk.pauls.get(PAYOUTS).text
    assert "To look at" not in page
    page = desk.pauls.get(f"{PAYOUTS}/{found.id}").text
    assert "Each movement has its entry" in page


def test_a_payout_with_a_payment_that_we_do_not_know_is_to_look_at(desk: Desk) -> None:
    found = sent_to_the_bank(desk, lost=True)
    assert "To look at" in desk.pauls.get(PAYOUTS).text
    assert "1 movement has no entry" in desk.pauls.get(f"{PAYOUTS}/{found.id}").text


# -- who, and how fast -----------------------------------------------------------------------------------------------


def test_another_hospital_and_another_trade_see_nothing(desk: Desk, sign_in: SignIn) -> None:
    bill, entry = desk.overpaid(20_000)
    refund = desk.asks(desk.pauls, bill, entry, "200")
    dispute, payout = disputed(desk), sent_to_the_bank(desk, lost=True)
    with db.transaction(db.system("tests")):
        elsewhere = hospitals.hospital("990000025", "Hôpital d’à côté")
        neighbour = people.agent(elsewhere.establishment.id, "billing")
        clerk = people.agent(desk.id, "preadmission")
    theirs = sign_in(neighbour)
    for path in (f"{REFUNDS}/{refund}", f"/admin/factures/{bill.id}/rembourser", f"{DISPUTES}/{dispute.id}",
                 f"{PAYOUTS}/{payout.id}"):  # fmt: skip
        assert theirs.get(path).status_code == 404
    for gesture in ("approuver", "renoncer"):
        assert theirs.post(f"{REFUNDS}/{refund}/{gesture}").status_code == 404
    for path in (REFUNDS, OVERPAID, f"{OVERPAID}.csv", DISPUTES, PAYOUTS):
        page = theirs.get(path)
        assert (page.status_code, bill.reference in page.text) == (200, False)
        assert sign_in(clerk).get(path).status_code == 403


def test_pages_ask_the_database_little(app: Flask, desk: Desk) -> None:
    for _number in range(5):
        bill, entry = desk.overpaid(20_000)
        refund = desk.asks(desk.pauls, bill, entry, "200")
    dispute, payout = disputed(desk), sent_to_the_bank(desk, lost=True)
    for path in (REFUNDS, f"{REFUNDS}/{refund}", OVERPAID, f"/admin/factures/{bill.id}/rembourser", DISPUTES,
                 f"{DISPUTES}/{dispute.id}", PAYOUTS, f"{PAYOUTS}/{payout.id}"):  # fmt: skip
        desk.pauls.get(path)
        with statements(app) as seen:
            assert desk.pauls.get(path).status_code == 200
        assert len(seen) <= 12, (path, len(seen))


@pytest.mark.parametrize("query", ["page=-1", "page=99999999999", "etat=%00", "etat=to_pay", "page=abc"])
def test_strange_addresses_are_answered(desk: Desk, query: str) -> None:
    for path in (REFUNDS, OVERPAID, DISPUTES, PAYOUTS):
        assert desk.pauls.get(f"{path}?{query}").status_code == 200


def test_actions_are_those_of_the_room() -> None:
    assert {"ask", "approve", "cancel", "record_transfer", "came_back"} <= set(actions.__all__)


class TestAFreshProof:
    """Money does not leave by a session that somebody left open."""

    def grow_old(self, minutes: int) -> None:
        with db.transaction(db.system("tests")) as current:
            current.execute(update(WebSession).values(created_at=db.now() - timedelta(minutes=minutes)))

    def test_is_asked_for_before_a_refund(self, desk: Desk) -> None:
        bill, entry = desk.overpaid()
        self.grow_old(11)
        page = f"/admin/factures/{bill.id}/rembourser"
        assert desk.pauls.get(page).location.startswith("/mon-compte/")
        self.grow_old(21)
        form = {"payment": str(entry), "amount": "1", "reason": "overpaid", "once": str(uuid4())}
        assert desk.pauls.post(page, data=form).location.startswith("/mon-compte/")
        with db.transaction(db.system("tests")) as current:
            assert current.scalars(select(Refund)).all() == []

    def test_is_asked_for_before_approving_one(self, desk: Desk) -> None:
        bill, entry = desk.overpaid(20_000)
        refund_id = desk.asks(desk.pauls, bill, entry, "200,00")
        self.grow_old(21)
        approved = desk.roses.post(f"/admin/factures/remboursements/{refund_id}/approuver")
        assert approved.location.startswith("/mon-compte/")
        assert desk.refund(bill).state == "asked"

    def test_given_a_while_ago_lets_the_form_that_was_begun_be_sent(self, desk: Desk) -> None:
        bill, entry = desk.overpaid()
        self.grow_old(15)
        assert desk.asks(desk.pauls, bill, entry, "1")
