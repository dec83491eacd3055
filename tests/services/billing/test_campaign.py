"""Forty payments with everything that goes wrong, and processes killed: the ledger is the truth, to the cent.

The same campaign with two thousand payments is a benchmark (`make bench NAME=billing.campaign`).
"""

from pathlib import Path

import pytest
from flask import Flask

from portal.config import Settings
from tests.campaign import debts
from tests.campaign.campaign import Campaign
from tests.campaign.house import bank, house
from tests.conftest import Database

PAYMENTS = 40


def environment(settings: Settings) -> dict[str, str]:
    """What the processes of the campaign share with this one."""
    return {
        "PORTAL_SECRET_KEY": settings.secret_key.get_secret_value(),
        "PORTAL_FILE_KEYS": settings.file_keys.get_secret_value(),
        "PORTAL_DATABASE_URL": settings.database_url.get_secret_value(),
        "PORTAL_STORAGE_URL": settings.storage_url,
        "PORTAL_ANTIVIRUS_URL": "twin:",
        "PORTAL_LOG_LEVEL": "ERROR",
    }


@pytest.mark.parametrize("seed", [1])
def test_whatever_breaks_the_ledger_is_the_truth(
    app: Flask, settings: Settings, database: Database, tmp_path: Path, seed: int
) -> None:
    bills = debts.owed(PAYMENTS)
    with bank(tmp_path) as payfip, house(tmp_path, environment(settings), payfip, workers=1) as running:
        verdict = Campaign(running, bills, database.superuser_url, seed=seed, kills=2).run()
    assert verdict.apart == []
    assert verdict.difference_cents == 0
    assert verdict.wrong_receipts == 0
    assert verdict.strangers == []
    assert verdict.double_live == 0
    assert verdict.failed_jobs == []
    assert verdict.unbalanced_cents == 0
    assert verdict.rounds <= 2
    assert verdict.paid > PAYMENTS // 2, "too few payments for a verdict"
