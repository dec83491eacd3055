"""Every bad day of PayFiP and of the network, one by one: nothing is lost, nothing is booked twice, nobody is misled.

All of them at once, at random, are the campaign's (`test_campaign`); what an answer may look like is the door's
(`tests/gateways/test_payfip_faults`).
"""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text

from portal import db
from portal.audit import AuditEvent
from portal.config import Settings
from portal.gateways.payments.payfip import CREATE, RESULT
from portal.gateways.payments.payfip_codes import MEANINGS
from portal.gateways.payments.payfip_twin import RunningTwin, Trouble
from services.billing import jobs
from services.billing.models import Bill
from tests.campaign.threads import together
from tests.conftest import Database
from tests.english import in_english as in_english
from tests.factories import billing, people
from tests.pages import parsed
from tests.services.billing.conftest import (
    Ground,
    SignIn,
    at_the_bank,
    begin,
    idop_of,
    later,
    leave_to_pay,
    pay,
)
from tests.services.billing.test_notifications import jobs_waiting, notify

Tick = Callable[[], None]


@pytest.fixture
def browser(sign_in: SignIn, ground: Ground) -> FlaskClient:
    return sign_in(ground.account)


def settle(ground: Ground) -> str:
    return jobs.settle(ground.attempts()[0].id)


# -- notifications -----------------------------------------------------------------------------------------------


def test_a_notification_that_comes_hours_late_brings_the_receipt(
    browser: FlaskClient, ground: Ground, door: RunningTwin, work_jobs: Callable[[], None]
) -> None:
    door.faults.notification_held = True
    pay(browser, ground)
    later(ground.bill, timedelta(hours=3))
    door.notifier.release()
    door.notifier.wait()
    work_jobs()
    assert ground.standing().state == "paid"
    assert len(ground.receipts()) == 1


def test_a_storm_of_forged_notifications_asks_nobody_and_leaves_nothing(
    ground: Ground, door: RunningTwin, portal_url: str
) -> None:
    forged = [f"00000000-0000-0000-0000-{number:012d}" for number in range(60)]
    answers = together([partial(notify, portal_url, idop=idop) for idop in forged])
    assert set(answers) == {404}
    assert jobs_waiting() == 0
    assert not door.till.asked_about
    with db.transaction(db.system("tests")) as current:
        assert current.scalars(select(AuditEvent.action).where(AuditEvent.action.like("payment.%"))).all() == []


def test_a_storm_on_one_operation_makes_us_ask_once_in_five_seconds(
    browser: FlaskClient, ground: Ground, door: RunningTwin, portal_url: str, work_jobs: Callable[[], None]
) -> None:
    idop = idop_of(begin(browser, ground))
    began = time.monotonic()
    answers = together([partial(notify, portal_url, idop=idop)] * 60)
    assert set(answers) == {200}
    waiting, slow_machine = jobs_waiting(), int((time.monotonic() - began) // 5)
    assert 1 <= waiting <= 1 + slow_machine, "once in five seconds at most"
    work_jobs()
    assert door.till.asked_about == {idop: waiting}


def test_an_operation_of_another_creditor_is_not_ours_to_ask_about(
    ground: Ground, door: RunningTwin, portal_url: str, work_jobs: Callable[[], None]
) -> None:
    theirs = door.till.create(
        {
            "exer": "2026", "mel": "a@exemple.test", "montant": "4520", "numcli": "111111", "objet": "",
            "refdet": "OTHERS2026", "saisie": "T", "urlnotif": portal_url, "urlredirect": portal_url,
        }
    )  # fmt: skip
    door.till.decide(theirs.idop, "P")
    assert notify(portal_url, idop=theirs.idop) == 404
    work_jobs()
    assert not door.till.asked_about


@contextmanager
def database_down(database: Database, settings: Settings) -> Iterator[None]:
    """Nobody of the portal can connect, and whoever was connected is cut."""
    role = urlsplit(settings.database_url.get_secret_value()).username
    with psycopg.connect(database.superuser_url, autocommit=True) as connection:
        connection.execute(f'alter role "{role}" nologin')
        connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = %s", (role,))
        try:
            yield
        finally:
            connection.execute(f'alter role "{role}" login')


def test_a_notification_while_the_database_is_down_is_a_lost_notification_and_no_more(
    browser: FlaskClient, ground: Ground, door: RunningTwin, database: Database, settings: Settings, portal_url: str,
    clock_ticks: Tick,
) -> None:  # fmt: skip
    door.faults.notification_copies = 0
    idop = idop_of(pay(browser, ground))
    with database_down(database, settings):
        assert notify(portal_url, idop=idop) in (500, 503)
    later(ground.bill, timedelta(minutes=2))
    clock_ticks()
    assert ground.standing().state == "paid"
    assert len(ground.receipts()) == 1


# -- what PayFiP refuses, in the payer's words -------------------------------------------------------------------


@pytest.mark.parametrize("code", sorted(MEANINGS))
def test_every_refusal_is_told_in_words_and_another_try_is_allowed_at_once(
    browser: FlaskClient, ground: Ground, door: RunningTwin, code: str
) -> None:
    door.faults.next_calls = {CREATE: [code]}
    refused = leave_to_pay(browser, ground)
    assert refused.status_code == (422 if code in ("A1", "A2") else 503)
    told = " ".join(_said(refused.text))
    assert not re.search(rf"\b{code}\b", told)
    assert MEANINGS[code] not in told
    assert ("does not accept this email address" in told) == (code in ("A1", "A2"))
    assert ("Nothing was taken" in told) == (code not in ("A1", "A2"))
    assert [(attempt.state, attempt.last_code) for attempt in ground.attempts()] == [("failed", code)]
    browser.get(pay(browser, ground))
    assert ground.standing().state == "paid"


@pytest.mark.parametrize("code", sorted(set(MEANINGS) - {"P1", "P5"}))
def test_a_refusal_to_tell_a_result_is_not_a_result(
    browser: FlaskClient, ground: Ground, door: RunningTwin, code: str
) -> None:
    door.faults.notification_copies = 0
    pay(browser, ground)
    door.faults.next_calls = {RESULT: [code]}
    assert settle(ground) == "awaiting"
    pause = ground.attempts()[0].next_poll_at
    assert pause is not None
    assert timedelta(minutes=29) < pause - db.now() < timedelta(minutes=31)
    assert settle(ground) == "paid"


# -- what the network makes of it --------------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", [trouble for trouble in Trouble if trouble is not Trouble.SLOW])
def test_whatever_happens_to_a_question_the_payment_is_found_by_the_next_one(
    browser: FlaskClient, ground: Ground, door: RunningTwin, trouble: Trouble
) -> None:
    door.faults.notification_copies = 0
    back = pay(browser, ground)
    door.faults.next_calls = {RESULT: [trouble]}
    assert browser.get(back).status_code == 303
    assert (ground.standing().state, ground.entries()) == ("in_progress", [])
    assert browser.get(ground.page).status_code == 200
    assert settle(ground) == "paid"
    assert len(ground.receipts()) == 1


@pytest.mark.parametrize("trouble", [Trouble.HUGE, Trouble.BREAKDOWN, Trouble.PROTOCOL, Trouble.CUT_AFTER])
def test_whatever_happens_when_paying_begins_the_payer_may_begin_again(
    browser: FlaskClient, ground: Ground, door: RunningTwin, trouble: Trouble
) -> None:
    door.faults.next_calls = {CREATE: [trouble]}
    answer = leave_to_pay(browser, ground)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "120")
    browser.get(pay(browser, ground))
    assert ground.standing().state == "paid"
    assert [attempt.state for attempt in ground.attempts()] == ["paid", "failed"]


def test_a_payer_who_opens_the_page_too_late_may_begin_again(
    browser: FlaskClient, ground: Ground, door: RunningTwin
) -> None:
    page = begin(browser, ground)
    door.till.expire(idop_of(page))
    assert "P4" in httpx.get(page, trust_env=False).text
    later(ground.bill, timedelta(minutes=21))
    browser.get(pay(browser, ground))
    assert ground.standing().state == "paid"
    assert len(ground.receipts()) == 1


def test_a_page_purged_in_the_night_may_be_replaced_by_another(
    browser: FlaskClient, ground: Ground, door: RunningTwin
) -> None:
    begin(browser, ground)
    door.till.purge()
    later(ground.bill, timedelta(hours=9))
    browser.get(pay(browser, ground))
    assert ground.standing().state == "paid"
    assert [attempt.last_code for attempt in ground.attempts()] == ["P", "P1"]


# -- answers that lie --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("choice", ["P", "V", "R", "Z", "A"])
@pytest.mark.parametrize("lie", [{"montant": "100"}, {"saisie": "X"}, {"numcli": "111111"}, {"refdet": "OTHERS2026"}])
def test_no_answer_about_something_else_is_acted_upon_whatever_it_tells(
    browser: FlaskClient, ground: Ground, door: RunningTwin, choice: str, lie: dict[str, str]
) -> None:
    door.faults.notification_copies, door.faults.tampered = 0, lie
    browser.get(pay(browser, ground, choice))
    assert (ground.attempts()[0].state, ground.entries(), ground.receipts()) == ("to_review", [], [])


def test_a_code_of_tomorrow_waits_for_a_human_and_a_payment_after_it_is_booked(
    browser: FlaskClient, ground: Ground, door: RunningTwin, clock_ticks: Tick
) -> None:
    back = pay(browser, ground, "A")
    door.till.decide(idop_of(back), "VIR")
    browser.get(back)
    assert ground.attempts()[0].state == "to_review"
    door.till.decide(idop_of(back), "P")
    later(ground.bill, timedelta(minutes=2))
    clock_ticks()
    assert ground.standing().state == "paid"
    assert len(ground.receipts()) == 1


# -- the bill changes while the page is open ---------------------------------------------------------------------


@pytest.mark.parametrize(("due_cents", "state"), [(0, "overpaid"), (2000, "overpaid"), (9000, "partly")])
def test_a_bill_corrected_while_the_payment_page_is_open_gets_the_money_all_the_same(
    browser: FlaskClient, ground: Ground, door: RunningTwin, due_cents: int, state: str
) -> None:
    page = begin(browser, ground)
    with db.transaction(db.system("tests")) as current:
        current.get_one(Bill, ground.bill.id).due_cents = due_cents
    browser.get(at_the_bank(page, "P"))
    standing = ground.standing()
    assert (standing.state, standing.paid_cents) == (state, 4520)
    assert standing.overpaid_cents == max(0, 4520 - due_cents)
    assert len(ground.receipts()) == 1


# -- days, hours and summer time ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 12, 31, 22, 59, tzinfo=UTC),  # 23:59 in Paris, the old year
        datetime(2026, 12, 31, 23, 0, tzinfo=UTC),  # midnight in Paris, the new year
        datetime(2026, 3, 29, 0, 59, tzinfo=UTC),  # 01:59, a minute before the clocks go forward
        datetime(2026, 3, 29, 1, 0, tzinfo=UTC),  # 03:00, a minute later
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),  # the first 02:30 of that night
        datetime(2026, 10, 25, 2, 30, tzinfo=UTC),  # 03:30, after the hour that comes twice
    ],
)
def test_the_moment_of_a_payment_is_kept_to_the_minute_on_any_day(
    browser: FlaskClient, ground: Ground, door: RunningTwin, moment: datetime
) -> None:
    back = pay(browser, ground)
    door.till.operations[idop_of(back)].decided_at = moment
    browser.get(back)
    assert [entry.moved_at for entry in ground.entries()] == [moment]


# -- strangers ---------------------------------------------------------------------------------------------------


def test_a_bill_of_somebody_else_and_one_that_is_not_there_look_the_same(sign_in: SignIn, ground: Ground) -> None:
    with db.transaction(db.system("tests")):
        other, _patient = people.patient_with_account(birth_name="DURAND")
    stranger = sign_in(other)
    for path in ("", "/payer"):
        theirs = stranger.get(f"{ground.page}{path}")
        nobodys = stranger.get(f"/factures/00000000-0000-4000-8000-000000000000{path}")
        assert (theirs.status_code, nobodys.status_code) == (404, 404)
        assert _said(theirs.text) == _said(nobodys.text)


def _said(page: str) -> list[str]:
    """Its words, without the number that each page of an error has of its own."""
    words = [each.strip() for each in parsed(page).xpath("//main//text()") if each.strip()]
    return [each for each in words if not re.fullmatch(r"[0-9a-f]{8}", each)]


@pytest.mark.parametrize("name", ["next", "url", "return_to", "urlredirect", "back"])
@pytest.mark.parametrize("evil", ["https://evil.test/", "//evil.test/", "/\\evil.test"])
def test_the_way_back_leads_to_the_portal_whatever_is_written_behind_it(
    browser: FlaskClient, ground: Ground, name: str, evil: str
) -> None:
    back = pay(browser, ground).partition("?")[0]
    answer = browser.get(back, query_string={name: evil, "idop": evil})
    assert (answer.status_code, answer.location) == (303, ground.page)


def test_payfip_sends_the_browser_to_our_own_address_whatever_the_request_said_it_was(
    browser: FlaskClient, ground: Ground, door: RunningTwin, portal_url: str
) -> None:
    browser.post(
        f"{ground.page}/payer",
        data={"email": "jeanne@exemple.test"},
        headers={"X-Forwarded-Host": "evil.test", "Referer": "https://evil.test/"},
    )
    (operation,) = door.till.operations.values()
    assert operation.asked["urlredirect"].startswith(f"{portal_url}/factures/retour/")
    assert operation.asked["urlnotif"] == f"{portal_url}/callbacks/payfip"


def test_nothing_about_care_or_a_person_leaves_the_house(
    browser: FlaskClient, ground: Ground, door: RunningTwin
) -> None:
    leave_to_pay(browser, ground, "payeur@exemple.test")
    (operation,) = door.till.operations.values()
    told = " ".join(operation.asked.values()).casefold()
    assert ground.bill.refdet.casefold() in told
    person = (ground.patient.birth_name, *ground.patient.first_names, "8000001")
    for word in (*person, ground.bill.label, ground.bill.unit):
        assert word.casefold() not in told


# -- amounts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("cents", "offered"), [(99, False), (100, True), (9_999_999, True), (10_000_000, False)])
def test_a_payment_is_offered_from_one_euro_to_99_999_euros_and_99_cents(
    sign_in: SignIn, ground: Ground, door: RunningTwin, cents: int, offered: bool
) -> None:
    with db.transaction(db.system("tests")):
        made = billing.bill(ground.hospital.establishment, ground.patient, cents)
    answer = sign_in(ground.account).post(f"/factures/{made.id}/payer", data={"email": "jeanne@exemple.test"})
    assert answer.location.startswith(door.payment_url if offered else f"/factures/{made.id}")
    assert [operation.asked["montant"] for operation in door.till.operations.values()] == [str(cents)] * offered


def test_the_ledger_counts_in_whole_cents_where_floats_would_not(sign_in: SignIn, ground: Ground) -> None:
    """0.1 + 0.2: the amounts that a float cannot add."""
    browser, cents = sign_in(ground.account), (110, 220, 3_007, 9_999_999)
    with db.transaction(db.system("tests")):
        made = [billing.bill(ground.hospital.establishment, ground.patient, each) for each in cents]
    for each in made:
        ground.bill = each
        browser.get(pay(browser, ground))
    with db.transaction(db.system("tests")) as current:
        lines = text("select account, sum(debit_cents - credit_cents)::bigint from ledger_line group by account")
        assert {tuple(row) for row in current.execute(lines)} == {
            ("clearing:payfip:090909", sum(cents)),
            ("receivable", -sum(cents)),
        }
