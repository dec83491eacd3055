"""What an operator types: balances, reconciliation, import."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from flask.testing import FlaskClient

from portal.config import Settings
from portal.gateways.payments.payfip_twin import RunningTwin
from services import billing as room
from tests.services.billing.conftest import Ground, SignIn, at_the_bank, begin, idop_of, later, pay
from tests.services.billing.test_import import HEADER, line

Run = Callable[..., Result]


@pytest.fixture
def browser(sign_in: SignIn, ground: Ground) -> FlaskClient:
    return sign_in(ground.account)


@pytest.fixture
def run(app: Flask, payment_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run one of the room's commands; the environment of the command line is not the tests' concern."""
    monkeypatch.setattr("portal.config.load", lambda: payment_settings)
    groups = {group.name: group for group in room.for_operators()}

    def typed(group: str, *arguments: str) -> Result:
        return CliRunner().invoke(groups[group], arguments, obj=lambda _settings: app)

    return typed


def rows(result: Result) -> list[dict[str, object]]:
    assert result.exit_code == 0, result.output
    return [json.loads(row) for row in result.output.splitlines()]


def test_balance_tells_one_line_a_bill(run: Run, browser: FlaskClient, ground: Ground) -> None:
    assert rows(run("billing", "balance")) == [
        {"reference": ground.bill.reference, "establishment": "990000017", "due_cents": 4520, "paid_cents": 0,
         "refunded_cents": 0, "state": "open"}
    ]  # fmt: skip
    browser.get(pay(browser, ground))
    assert rows(run("billing", "balance", ground.bill.reference))[0]["state"] == "paid"
    assert rows(run("billing", "balance", "unknown")) == []


def test_reconcile_asks_about_every_open_attempt_whatever_its_schedule(
    run: Run, browser: FlaskClient, ground: Ground, door: RunningTwin
) -> None:
    door.faults.notification_copies = 0
    back = at_the_bank(begin(browser, ground), "A")
    browser.get(back)
    later(ground.bill, timedelta(days=2))
    door.till.decide(idop_of(back), "P")
    assert rows(run("reconcile", "payments")) == [
        {"reference": ground.bill.reference, "amount_cents": 4520, "before": "abandoned", "after": "paid"}
    ]
    assert rows(run("reconcile", "payments")) == []
    assert ground.standing().state == "paid"


def test_import_reports_what_it_did(run: Run, ground: Ground, tmp_path: Path) -> None:
    path = tmp_path / "bills.csv"
    path.write_text(f"{HEADER}\n{line()}\n{line(exer='x')}\n", encoding="utf-8")
    refusal, report = rows(run("import", "bills", str(path)))
    assert (refusal["line"], refusal["reference"]) == (3, "2026-00017")
    assert (report["added"], report["changed"], report["unchanged"], report["refused"]) == (1, 0, 0, 1)
    path.write_text("finess;reference\n", encoding="utf-8")
    assert run("import", "bills", str(path)).exit_code == 1
