"""PayFiP's notification carries nothing to trust: it can come twelve times, forged, early or never."""

import threading
from collections.abc import Callable

import httpx
import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from portal import db
from portal.gateways.payments.payfip_twin import RunningTwin
from tests.services.billing.conftest import Ground, SignIn, begin, calls_to_payfip, idop_of, pay


@pytest.fixture
def browser(sign_in: SignIn, ground: Ground) -> FlaskClient:
    return sign_in(ground.account)


def notify(portal_url: str, **fields: str) -> int:
    """Call as PayFiP does, or as anybody can; returns the status."""
    return httpx.post(f"{portal_url}/callbacks/payfip", data=fields, trust_env=False, timeout=20.0).status_code


def jobs_waiting() -> int:
    with db.transaction(db.system("tests")) as current:
        return int(current.scalar(text("select count(*) from procrastinate_jobs where status = 'todo'"
                                       " and task_name = 'billing.settle'")) or 0)  # fmt: skip


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("key", ["idop", "idOp", "IDOP"])
def test_the_notification_of_a_payment_brings_the_receipt(
    browser: FlaskClient, ground: Ground, door: RunningTwin, work_jobs: Callable[[], None], method: str, key: str
) -> None:
    door.faults.notification_method, door.faults.notification_key = method, key
    pay(browser, ground)
    door.notifier.wait()
    work_jobs()
    assert ground.standing().state == "paid"
    assert len(ground.receipts()) == 1


def test_the_same_notification_twelve_times_at_once_makes_one_payment(
    browser: FlaskClient, ground: Ground, door: RunningTwin, work_jobs: Callable[[], None]
) -> None:
    door.faults.notification_copies = 12
    pay(browser, ground)
    door.notifier.wait()
    assert jobs_waiting() == 1
    work_jobs()
    assert (len(ground.entries()), len(ground.receipts())) == (1, 1)


def test_a_notification_of_something_settled_asks_nobody(
    browser: FlaskClient, ground: Ground, door: RunningTwin, portal_url: str
) -> None:
    door.faults.notification_copies = 0
    back = pay(browser, ground)
    browser.get(back)
    before = calls_to_payfip()
    assert notify(portal_url, idop=idop_of(back)) == 200
    assert (jobs_waiting(), calls_to_payfip()) == (0, before)


@pytest.mark.parametrize(
    "idop", ["", "x", "00000000-0000-0000-0000-000000000000", "a\x00b", "é" * 30, "1" * 5000, "' or 1=1"]
)
def test_a_forged_notification_is_not_found_and_asks_nobody(
    ground: Ground, portal_url: str, work_jobs: Callable[[], None], idop: str
) -> None:
    before = calls_to_payfip()
    assert notify(portal_url, idop=idop) == 404
    work_jobs()
    assert calls_to_payfip() == before


def test_a_forged_notification_of_a_real_operation_pays_nothing(
    browser: FlaskClient, ground: Ground, portal_url: str, work_jobs: Callable[[], None]
) -> None:
    """It carries the words of a payment; only PayFiP's answer counts."""
    idop = idop_of(begin(browser, ground))
    assert notify(portal_url, idop=idop, resultrans="P", montant="4520") == 200
    work_jobs()
    assert ground.standing().state == "in_progress"
    assert ground.entries() == []


def test_a_notification_that_comes_before_the_result_loses_nothing(
    browser: FlaskClient, ground: Ground, door: RunningTwin, work_jobs: Callable[[], None]
) -> None:
    door.faults.hidden_reads = 1
    back = pay(browser, ground)
    door.notifier.wait()
    work_jobs()
    assert ground.standing().state == "in_progress"
    assert ground.attempts()[0].last_code == "P5"
    browser.get(back)
    assert ground.standing().state == "paid"


def test_notification_return_and_clock_together_make_one_receipt(
    browser: FlaskClient, ground: Ground, door: RunningTwin, portal_url: str, clock_ticks: Callable[[], None]
) -> None:
    door.faults.notification_copies = 3
    back = pay(browser, ground)
    returning = threading.Thread(
        target=httpx.get, args=(f"{portal_url}{back}",), kwargs={"trust_env": False, "timeout": 20.0}
    )
    returning.start()
    clock_ticks()
    returning.join()
    door.notifier.wait()
    assert (len(ground.entries()), len(ground.receipts())) == (1, 1)
