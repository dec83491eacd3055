"""The journal of the ledger and its balances: every movement with both sides, difference zero, to the cent."""

import re
from datetime import timedelta
from io import BytesIO
from uuid import uuid4
from zipfile import ZipFile

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal import db
from services.billing.ledger import queries
from services.billing.ledger.actions import Posting, Side, post
from services.billing.ledger.queries import Search
from services.billing.models import Bill
from tests.english import in_english as in_english
from tests.factories import billing, hospitals, people
from tests.factories.ledger import entry
from tests.ground import audited, prepared
from tests.services.billing.conftest import Ground, SignIn
from tests.statements import executed

JOURNAL, BALANCES = "/admin/factures/journal", "/admin/factures/soldes"


@pytest.fixture
def desk(sign_in: SignIn, ground: Ground) -> FlaskClient:
    with prepared():
        agent = people.agent(ground.hospital.establishment.id, "billing")
    return sign_in(agent)


def moved(ground: Ground, cents: int, kind: str = "payment", **facts: object) -> None:
    with prepared():
        entry(ground.bill, cents, kind, **facts)


def amounts(page: str) -> list[str]:
    return re.findall(r"\d[\d\s\u00a0\u202f]*[.,]\d\d", page)


def search(ground: Ground, **facts: object) -> Search:
    now = db.now()
    span = {"since": now - timedelta(days=30), "before": now + timedelta(days=1)}
    return Search(**{"places": frozenset([ground.hospital.establishment.id]), **span, **facts})  # type: ignore[arg-type]  # a test's facts


def test_an_entry_shows_both_its_sides_its_counter_and_its_number(desk: FlaskClient, ground: Ground) -> None:
    moved(ground, 4520, number="123456789012-tip", note="Bordereau 12")
    page = desk.get(JOURNAL).text
    for told in ("clearing:payfip:090909", "receivable", "123456789012-tip", "Bordereau 12", "090909"):
        assert told in page


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("mouvement=payment", True), ("mouvement=refund", False), ("site=payfip", True), ("site=stripe", False),
        ("moyen=card", True), ("moyen=direct_debit", False), ("guichet=090909", True), ("guichet=1", False),
        ("source=regie", True), ("source=titre", False), ("etablissement=990000017", True),
        ("etablissement=nowhere", True), ("mouvement=nonsense", True), ("guichet=%00", True), ("apres=rubbish", True),
        ("apres=2026-01-01_x", True), ("apres=2026-01-01T00:00:00_" + "0" * 32, True),
        ("from=2020-01-01&to=2020-01-31", False),
    ],
)  # fmt: skip
def test_filters(desk: FlaskClient, ground: Ground, query: str, shown: bool) -> None:
    moved(ground, 4520, number="the-number")
    page = desk.get(f"{JOURNAL}?{query}")
    assert page.status_code == 200
    assert ("the-number" in page.text) is shown


@pytest.mark.parametrize("query", ["from=hier", "from=2026-02-30", "to=1900-01-01", "guichet=" + "x" * 101])
def test_days_that_are_none_are_told(desk: FlaskClient, query: str) -> None:
    assert desk.get(f"{JOURNAL}?{query}").status_code == 422


def test_every_entry_is_on_exactly_one_page_whatever_moments_they_share(ground: Ground, app: Flask) -> None:
    for _number in range(queries.PAGE_SIZE * 2 + 3):
        moved(ground, 100)
    seen: list[object] = []
    with prepared():
        here = search(ground)
        while True:
            page = queries.journal(here)
            seen += [each.id for each in page.entries]
            if page.following is None:
                break
            here = search(ground, after=page.following)
    assert len(seen) == len(set(seen)) == queries.PAGE_SIZE * 2 + 3


def test_the_next_page_is_reached_from_the_first_one(desk: FlaskClient, ground: Ground) -> None:
    for number in range(queries.PAGE_SIZE + 1):
        moved(ground, 100, number=f"n-{number}-")
    first = desk.get(JOURNAL).text
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following is not None
    second = desk.get(following[1].replace("&amp;", "&")).text
    assert ("n-0-" in first, "n-0-" in second) == (False, True)


def test_totals_are_those_of_the_whole_filter(ground: Ground, app: Flask) -> None:
    for cents in (100, 250, 4):
        moved(ground, cents)
    moved(ground, 50, "refund")
    with prepared():
        found = {each.kind: (each.number, each.cents) for each in queries.totals(search(ground))}
    assert found == {"payment": (3, 354), "refund": (1, 50)}
    assert all(type(cents) is int for _number, cents in found.values())


# -- balances ----------------------------------------------------------------------------------------------------


def test_debits_equal_credits_and_each_counter_has_its_balance(desk: FlaskClient, ground: Ground) -> None:
    moved(ground, 10_000)
    moved(ground, 2_500, "refund")
    page = desk.get(BALANCES).text
    assert "difference 0" in page
    assert "75.00" in page
    with prepared():
        found = {each.account: each for each in queries.balances([ground.hospital.establishment.id], db.now())}
    assert found["clearing:payfip:090909"].balance_cents == 7_500
    assert found["clearing:payfip:090909"].by_kind == {"payment": 10_000, "refund": -2_500}
    assert sum(each.balance_cents for each in found.values()) == 0


def test_balances_of_a_former_day_know_nothing_of_what_came_after(ground: Ground, app: Flask) -> None:
    moved(ground, 10_000)
    with prepared():
        assert queries.balances([ground.hospital.establishment.id], db.now() - timedelta(days=1)) == []


def test_payments_of_titres_never_count_as_the_hospital_s_cash(desk: FlaskClient, ground: Ground) -> None:
    with prepared():
        memo = [
            Side("memo:clearing:payfip:090909", debit=990),
            Side("memo:receivable", credit=990, bill_id=_titre(ground).id),
        ]
        post(Posting(ground.hospital.establishment.id, "payfip", str(uuid4()), "payment", "090909", memo, is_memo=True))
    page = desk.get(BALANCES).text
    assert "No movement until this day" in page
    assert "never count as the hospital’s cash" in page


def _titre(ground: Ground) -> Bill:
    return billing.bill(ground.hospital.establishment, ground.patient, 990, source="titre")


# -- workbooks ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("page", "what"), [(JOURNAL, "clearing:payfip:090909"), (BALANCES, "receivable")])
def test_a_workbook_holds_the_same_and_its_download_is_written_down(
    desk: FlaskClient, ground: Ground, page: str, what: str
) -> None:
    moved(ground, 4520, note="=1+1")
    answer = desk.get(f"{page}.xlsx")
    assert answer.status_code == 200
    sheet = ZipFile(BytesIO(answer.data)).read("xl/worksheets/sheet1.xml").decode()
    assert what in sheet
    assert re.search("<v>45.20?</v>", sheet)
    assert "<f>" not in sheet
    assert "ledger.downloaded" in audited()


def test_too_much_for_a_workbook_is_told_before_it_is_written(
    desk: FlaskClient, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("admin.routes_bill_journal.MOST_IN_A_WORKBOOK", 1)
    moved(ground, 100)
    moved(ground, 100)
    answer = desk.get(f"{JOURNAL}.xlsx")
    assert answer.status_code == 303
    assert "too much for one workbook" in desk.get(answer.location).text


# -- whose -------------------------------------------------------------------------------------------------------


def test_another_hospital_s_agent_sees_and_downloads_nothing_of_it(sign_in: SignIn, ground: Ground) -> None:
    moved(ground, 4520, number="the-number")
    with prepared():
        elsewhere = hospitals.hospital("990000025", "Hôpital d’à côté")
        neighbour = people.agent(elsewhere.establishment.id, "billing")
        clerk = people.agent(ground.hospital.establishment.id, "preadmission")
    browser = sign_in(neighbour)
    for page in (JOURNAL, f"{JOURNAL}?etablissement=990000017", BALANCES):
        assert "the-number" not in browser.get(page).text
        assert "090909" not in browser.get(page).text
    for file in (f"{JOURNAL}.xlsx", f"{BALANCES}.xlsx"):
        sheet = ZipFile(BytesIO(browser.get(file).data)).read("xl/worksheets/sheet1.xml").decode()
        assert "090909" not in sheet
    assert sign_in(clerk).get(JOURNAL).status_code == 403


def test_pages_keep_to_twelve_statements(app: Flask, desk: FlaskClient, ground: Ground) -> None:
    for _number in range(20):
        moved(ground, 100)
    for path in (JOURNAL, BALANCES):
        with executed(app) as seen:
            assert desk.get(path).status_code == 200
        assert len(seen) <= 12, f"{path}: {len(seen)}"
