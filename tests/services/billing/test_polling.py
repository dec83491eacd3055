"""Asking again: who failed is left alone without counting it, and an exit code says what was not heard."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from portal import db
from portal.config import Settings
from portal.gateways.payments.payfip_twin import RunningTwin, Trouble
from services import billing as room
from services.billing import jobs
from tests.services.billing.conftest import Ground, SignIn, at_the_bank, begin, calls_to_payfip, later

Run = Callable[[], Result]


@pytest.fixture
def reconcile(app: Flask, payment_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr("portal.config.load", lambda: payment_settings)
    groups = {group.name: group for group in room.for_operators()}
    return lambda: CliRunner().invoke(groups["reconcile"], ["payments"], obj=lambda _settings: app)


@pytest.fixture
def lost(sign_in: SignIn, ground: Ground, door: RunningTwin) -> Ground:
    """Somebody has paid, and no notification came."""
    door.faults.notification_copies = 0
    at_the_bank(begin(sign_in(ground.account), ground), "P")
    return ground


def test_an_open_breaker_costs_no_try_and_asks_soon_again(lost: Ground, door: RunningTwin) -> None:
    door.faults.trouble = Trouble.BAD_GATEWAY
    for _each in range(5):
        jobs.settle(lost.attempts()[0].id)
    before, calls = lost.attempts()[0], calls_to_payfip()
    assert jobs.settle_telling(before.id).silence == "left_alone"
    after = lost.attempts()[0]
    assert (after.polls, calls_to_payfip()) == (before.polls, calls)
    assert after.next_poll_at is not None
    assert after.next_poll_at - db.now() <= timedelta(minutes=1)


def test_the_exit_code_tells_that_a_provider_could_not_be_asked(
    lost: Ground, door: RunningTwin, reconcile: Run
) -> None:
    door.faults.trouble = Trouble.BAD_GATEWAY
    result = reconcile()
    assert result.exit_code == 3
    (row,) = map(json.loads, result.output.splitlines())
    assert (row["before"], row["after"], row["silence"]) == ("awaiting", "awaiting", "trouble")


def test_twice_at_once_books_once(lost: Ground, reconcile: Run, clock_ticks: Callable[[], None]) -> None:
    later(lost.bill, timedelta(hours=1))
    clock_ticks()
    assert reconcile().exit_code == 0
    clock_ticks()
    assert [entry.kind for entry in lost.entries()] == ["payment"]
    assert len(lost.receipts()) == 1
