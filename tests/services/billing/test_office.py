"""The back-office of bills: what waits is counted, any bill is found, what was closed by mistake is opened again."""

import re
from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.gateways.payments.means import Ending
from services.billing.models import Bill
from services.billing.office import queries
from services.billing.office.queries import Place, Search
from tests.factories import billing, hospitals, people
from tests.ground import audited, prepared
from tests.services.billing.conftest import Ground, SignIn, begin, later
from tests.statements import executed

OVERVIEW, LIST = "/admin/factures", "/admin/factures/liste"


@pytest.fixture
def desk(sign_in: SignIn, ground: Ground) -> FlaskClient:
    with prepared():
        agent = people.agent(ground.hospital.establishment.id, "billing")
        agent.locale = "en"  # the pages in the language of their sources
    return sign_in(agent)


def search(ground: Ground, **facts: object) -> Search:
    return Search(places=frozenset([ground.hospital.establishment.id]), **facts)  # type: ignore[arg-type]  # a test's facts


def another(ground: Ground, due_cents: int = 1000, **facts: object) -> Bill:
    with prepared():
        return billing.bill(ground.hospital.establishment, ground.patient, due_cents, **facts)


def waiting(desk: FlaskClient) -> list[int]:
    """The figures of the overview, in their order."""
    return [int(found) for found in re.findall(r'app-stat__value">(\d+)<', desk.get(OVERVIEW).text)]


# -- what waits --------------------------------------------------------------------------------------------------


def test_nothing_waits_on_a_quiet_day(desk: FlaskClient) -> None:
    assert set(waiting(desk)) == {0}
    assert "Nothing waits." in desk.get(OVERVIEW).text


def test_what_waits_is_counted_with_a_way_to_it(desk: FlaskClient, sign_in: SignIn, ground: Ground) -> None:
    with prepared():
        billing.attempt(ground.bill, Ending.PAID, lie_cents=100)
    late = another(ground)
    with prepared():
        billing.attempt(late, None, days_ago=1)
    twice = another(ground)
    with prepared():
        billing.attempt(twice, Ending.PAID)
        billing.attempt(twice, Ending.PAID)
    assert waiting(desk)[:3] == [1, 1, 1]
    assert 'href="/admin/factures/trop-percus"' in desk.get(OVERVIEW).text


def test_today_s_payments_are_told_by_means(desk: FlaskClient, ground: Ground) -> None:
    with prepared():
        billing.attempt(ground.bill, Ending.PAID)
    assert "45.20" in desk.get(OVERVIEW).text


# -- the list ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["overpaid", "paid", "debit_accepted", "in_progress", "open", "closed_elsewhere"])
def test_a_state_is_found_by_its_filter_and_nothing_else_is(ground: Ground, state: str) -> None:
    made = _one_of_each(ground)
    with prepared():
        assert [each.bill.id for each in queries.bills(search(ground, state=state)).found] == [made[state]]


def _one_of_each(ground: Ground) -> dict[str, object]:
    bills = {state: another(ground) for state in ("overpaid", "paid", "debit_accepted", "in_progress")}
    with prepared():
        billing.attempt(bills["overpaid"], Ending.PAID)
        billing.attempt(bills["overpaid"], Ending.PAID)
        billing.attempt(bills["paid"], Ending.PAID)
        billing.attempt(bills["debit_accepted"], Ending.DEBIT_ACCEPTED)
        billing.attempt(bills["in_progress"], None)
    closed = another(ground, closed_reason="cancelled")
    return {"open": ground.bill.id, "closed_elsewhere": closed.id} | {name: each.id for name, each in bills.items()}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("reference=F-1", True), ("reference=f-1", False), ("reference=REFDET1", True), ("reference=800777", True),
        ("source=titre", True), ("source=regie", False), ("montant=12,34", True), ("montant=12,35", False),
        ("echeance=2026-06-02", True), ("echeance=2026-06-01", False), ("etat=open", True), ("etat=paid", False),
        ("source=nonsense", True), ("reference=%27%20or%201=1--", False), ("avant=x&apres=y", True),
    ],
)  # fmt: skip
def test_filters(desk: FlaskClient, ground: Ground, query: str, found: bool) -> None:
    another(ground, 1234, reference="F-1", refdet="REFDET1", ipp="800777", source="titre", due_on=date(2026, 6, 1))
    page = desk.get(f"{LIST}?{query}")
    assert page.status_code == 200
    assert (">F-1<" in page.text) is found


@pytest.mark.parametrize("query", ["montant=abc", "echeance=hier", "reference=" + "x" * 101])
def test_nonsense_is_told(desk: FlaskClient, query: str) -> None:
    assert desk.get(f"{LIST}?{query}").status_code == 422


def test_every_bill_is_on_exactly_one_page_forwards_and_backwards(ground: Ground) -> None:
    with prepared():
        for number in range(queries.PAGE_SIZE * 2 + 4):
            billing.bill(ground.hospital.establishment, issued_on=date(2026, 10, 1) - timedelta(days=number // 40))
    forwards, place = list[object](), None
    with prepared():
        while True:
            page = queries.bills(search(ground, after=place))
            forwards.append([each.bill.id for each in page.found])
            if page.following is None:
                break
            place = page.following
        back = queries.bills(search(ground, until=page.previous))
    assert [len(each) for each in forwards] == [50, 50, 5]  # type: ignore[arg-type]  # lists they are
    assert [each.bill.id for each in back.found] == forwards[1]


def test_a_count_stops_where_nobody_reads_it(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "COUNTED_TO", 2)
    for _number in range(4):
        another(ground)
    with prepared():
        assert queries.count(search(ground))[0] == 3
        assert queries.count(search(ground, amount_cents=4520)) == (1, 4520)


def test_a_place_beyond_the_last_bill_is_an_empty_page(ground: Ground) -> None:
    with prepared():
        assert queries.bills(search(ground, after=Place(date(1900, 1, 1), ground.bill.id))).found == []


# -- one bill ----------------------------------------------------------------------------------------------------


def test_one_screen_tells_everything_about_a_bill(desk: FlaskClient, ground: Ground) -> None:
    with prepared():
        billing.attempt(ground.bill, Ending.PAID)
    page = desk.get(f"{OVERVIEW}/{ground.bill.id}").text
    for told in (ground.patient.full_name, "clearing:payfip:090909", "-000001"):
        assert told in page


def test_the_evidence_of_its_payments_is_one_click_away(desk: FlaskClient, sign_in: SignIn, ground: Ground) -> None:
    begin(sign_in(ground.account), ground)
    page = desk.get(f"{OVERVIEW}/{ground.bill.id}/preuves").text
    assert "creerPaiementSecurise" in page
    assert "idOp" in page


def test_a_bill_closed_by_mistake_is_open_again_and_the_reason_is_kept(desk: FlaskClient, ground: Ground) -> None:
    path = f"{OVERVIEW}/{ground.bill.id}"
    desk.post(f"{path}/clore", data={"reason": "cancelled", "note": "Chèque 123"})
    assert "Chèque 123" in desk.get(path).text
    assert desk.post(f"{path}/rouvrir").status_code == 303
    assert ground.standing().state == "open"
    assert audited().count("bill.reopened") == 1


def test_a_button_that_came_too_late_changes_nothing_and_shows_the_bill_as_it_is(
    desk: FlaskClient, sign_in: SignIn, ground: Ground
) -> None:
    path = f"{OVERVIEW}/{ground.bill.id}"
    refused = desk.post(f"{path}/rouvrir")
    assert refused.status_code == 409
    assert "Something happened meanwhile" in refused.text
    begin(sign_in(ground.account), ground)
    assert desk.post(f"{path}/clore", data={"reason": "cancelled"}).status_code == 409
    assert ground.standing().state == "in_progress"


def test_another_hospital_s_agent_finds_and_reopens_nothing(sign_in: SignIn, ground: Ground) -> None:
    with prepared():
        elsewhere = hospitals.hospital("990000025", "Hôpital d’à côté")
        neighbour = people.agent(elsewhere.establishment.id, "billing")
    browser = sign_in(neighbour)
    assert ground.bill.reference not in browser.get(f"{LIST}?etablissement=990000017").text
    assert browser.get(f"{OVERVIEW}/{ground.bill.id}").status_code == 404
    assert browser.get(f"{OVERVIEW}/{ground.bill.id}/preuves").status_code == 404
    assert browser.post(f"{OVERVIEW}/{ground.bill.id}/rouvrir").status_code == 404


def test_a_search_that_finds_nothing_counts_nothing(desk: FlaskClient) -> None:
    page = desk.get(f"{LIST}?reference=NOBODY")
    assert '<p class="govuk-body" role="status"></p>' in page.text


def test_pages_keep_to_twelve_statements(app: Flask, desk: FlaskClient, sign_in: SignIn, ground: Ground) -> None:
    begin(sign_in(ground.account), ground)
    later(ground.bill, timedelta(minutes=61))
    for _number in range(12):
        another(ground)
    for path in (OVERVIEW, LIST, f"{LIST}?etat=open", f"{OVERVIEW}/{ground.bill.id}"):
        with executed(app) as seen:
            assert desk.get(path).status_code == 200
        assert len(seen) <= 12, f"{path}: {len(seen)}"
