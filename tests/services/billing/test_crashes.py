"""A process may die or freeze anywhere: what was really paid is found again, once."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from portal import db
from portal.gateways.payments.payfip import CREATE
from portal.gateways.payments.payfip_twin import RunningTwin, Trouble
from portal.notifications import Notification
from services.billing import jobs
from services.billing.models import LIVE
from tests.services.billing.conftest import Ground, SignIn, at_the_bank, begin, idop_of, later, leave_to_pay, pay

Tick = Callable[[], None]


@pytest.fixture
def browser(sign_in: SignIn, ground: Ground) -> FlaskClient:
    return sign_in(ground.account)


class Killed(BaseException):
    """What nobody can catch by mistake."""


@contextmanager
def killed(target: object, moment: str, nth: int) -> Iterator[None]:
    """The process dies at the nth event of this kind from now on; it may not come so far."""
    seen = 0

    def count(*_about: object) -> None:
        nonlocal seen
        seen += 1
        if seen == nth:
            raise Killed

    event.listen(target, moment, count)
    try:
        yield
    except Killed:
        pass
    finally:
        event.remove(target, moment, count)


def killed_at_commit(nth: int) -> AbstractContextManager[None]:
    return killed(Session, "before_commit", nth)


def killed_at_statement(app: Flask, nth: int) -> AbstractContextManager[None]:
    return killed(app.extensions["parvis.engine"], "before_cursor_execute", nth)


def heal(ground: Ground, clock_ticks: Tick) -> None:
    """Minutes pass: two rounds of the poller."""
    for _round in range(2):
        later(ground.bill, timedelta(minutes=31))
        clock_ticks()


def the_truth(ground: Ground, door: RunningTwin) -> None:
    """What the ledger and the receipts must say, whatever happened."""
    paid = sorted(each.paid_cents for each in door.till.operations.values() if each.paid_cents)
    assert sorted(entry.amount_cents for entry in ground.entries()) == paid
    assert len(ground.receipts()) == len(paid)
    assert sum(attempt.state in LIVE for attempt in ground.attempts()) <= 1


@pytest.mark.parametrize("nth", range(1, 7))
def test_killed_at_any_commit_on_the_way_to_the_bank_the_payer_may_begin_again(
    browser: FlaskClient, ground: Ground, door: RunningTwin, clock_ticks: Tick, nth: int
) -> None:
    with killed_at_commit(nth):
        leave_to_pay(browser, ground)
    heal(ground, clock_ticks)
    assert ground.standing().state in ("open", "in_progress")
    browser.get(pay(browser, ground))
    heal(ground, clock_ticks)
    assert ground.standing().state == "paid"
    the_truth(ground, door)


@pytest.mark.parametrize("nth", range(1, 6))
def test_killed_at_any_commit_on_the_way_back_the_payment_is_found(
    browser: FlaskClient, ground: Ground, door: RunningTwin, clock_ticks: Tick, nth: int
) -> None:
    door.faults.notification_copies = 0
    back = pay(browser, ground)
    with killed_at_commit(nth):
        browser.get(back)
    heal(ground, clock_ticks)
    assert ground.standing().state == "paid"
    the_truth(ground, door)


@pytest.mark.parametrize("nth", range(4, 30, 2))
def test_killed_while_money_is_booked_nothing_is_half_written(
    app: Flask, browser: FlaskClient, ground: Ground, door: RunningTwin, nth: int
) -> None:
    """Entry, lines, receipt, audit and message are one: wherever it dies, none of them is there, or all."""
    door.faults.notification_copies = 0
    pay(browser, ground)
    with killed_at_statement(app, nth):
        jobs.settle(ground.attempts()[0].id)
    with db.transaction(db.system("tests")) as current:
        counted = text(
            "select (select count(*) from ledger_entry), (select count(distinct entry_id) from ledger_line),"
            " (select count(*) from receipt), (select count(*) from audit_event where action = 'payment.booked'),"
            " (select count(*) from notification)"
        )
        assert len(set(current.execute(counted).one())) == 1
    jobs.settle(ground.attempts()[0].id)
    the_truth(ground, door)


def test_dead_after_the_ledger_and_before_the_mail_the_mail_is_sent_once(
    browser: FlaskClient, ground: Ground, clock_ticks: Tick, work_jobs: Tick
) -> None:
    back = pay(browser, ground)
    jobs.settle(ground.attempts()[0].id)  # and no more: the process dies here
    clock_ticks()
    work_jobs()
    browser.get(back)
    with db.transaction(db.system("tests")) as current:
        sent = current.scalars(select(Notification.sent_at)).all()
    assert len(sent) == 1
    assert sent[0] is not None


def test_a_process_frozen_before_payfip_answered_sends_nobody_to_a_page_that_nobody_watches(
    app: Flask, browser: FlaskClient, ground: Ground, door: RunningTwin, clock_ticks: Tick
) -> None:
    """It wakes up after the clock has given its attempt up: whatever its payer then pays must be found."""
    door.faults.next_calls, door.faults.slow_seconds = {CREATE: [Trouble.SLOW]}, 1.0
    answers = list[str]()
    leaving = threading.Thread(target=lambda: answers.append(leave_to_pay(browser, ground).location or ""))
    leaving.start()
    while not door.till.operations:
        pass
    later(ground.bill, timedelta(minutes=3))
    clock_ticks()
    leaving.join()
    if answers[0].startswith(door.payment_url):
        at_the_bank(answers[0], "P")
    heal(ground, clock_ticks)
    the_truth(ground, door)


def test_a_payer_whose_portal_died_behind_them_still_finds_the_page_they_were_sent_to(
    browser: FlaskClient, ground: Ground, door: RunningTwin, clock_ticks: Tick
) -> None:
    page = begin(browser, ground)  # this answer never reached them
    assert idop_of(page) in browser.get(ground.page).text
    browser.get(at_the_bank(page, "P"))
    the_truth(ground, door)
