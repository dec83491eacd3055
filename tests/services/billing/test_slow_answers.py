"""A payment site that takes its time takes nobody else's: pages are served while payers wait for it."""

import time
from functools import partial
from pathlib import Path
from random import Random

import httpx
from flask import Flask

from portal.config import Settings
from tests.campaign import debts
from tests.campaign.house import bank, house
from tests.campaign.payers import Owed, Payer
from tests.campaign.threads import together
from tests.services.billing.test_campaign import environment

SLOW_S = 7.0
"""Just below the time limit of the door: a page that waited for it would take as long."""
PAYERS = 4


def test_pages_are_served_while_payers_wait_for_the_payment_site(
    app: Flask, settings: Settings, tmp_path: Path
) -> None:
    """One web process, hence two threads: more payers than that wait at the same time."""
    bills = debts.owed(PAYERS)
    with bank(tmp_path) as payfip, house(tmp_path, environment(settings), payfip, webs=1, workers=0) as running:
        (portal,) = running.portals
        payfip.order("faults", slow_seconds=SLOW_S, trouble="slow")

        def leave(owed: Owed) -> float:
            with Payer(owed, [portal], payfip, Random(1), lambda _bill, _minutes: None) as payer:
                return float(bool(payer.leave_once()))

        *left, longest = together([*(partial(leave, owed) for owed in bills), partial(longest_page, portal, SLOW_S)])
    assert longest < 0.75 * SLOW_S, "a page waited for the payment site"
    assert sum(left) >= 1, "nobody waited for the payment site: nothing was measured"


def longest_page(portal: str, lasting: float) -> float:
    """Seconds that the slowest page took, among those asked for one after the other for this long."""
    longest, until = 0.0, time.monotonic() + lasting
    with httpx.Client(trust_env=False, timeout=30) as browser:
        while time.monotonic() < until:
            began = time.monotonic()
            assert browser.get(f"{portal}/mentions-legales").status_code == 200
            longest = max(longest, time.monotonic() - began)
            time.sleep(0.05)
    return longest
