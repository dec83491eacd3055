"""A day on which everything breaks between Stripe and us, by a seed: in the evening the ledger tells the truth."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from portal import db
from portal.gateways.door import Door
from portal.gateways.payments.means import family
from portal.gateways.payments.stripe_checkout import StripeMeans
from portal.gateways.payments.stripe_line import StripeLine
from portal.gateways.payments.stripe_twin import RunningTwin as StripeTwin
from portal.gateways.payments.stripe_twin import Trouble
from portal.gateways.payments.stripe_twin.objects import Object
from services.billing import jobs
from services.billing.ledger.models import LedgerEntry
from services.billing.models import Bill, PaymentAttempt, Receipt
from tests.factories import billing
from tests.services.billing.conftest import Ground
from tests.services.billing.test_stripe_events import (
    KEY,
    Work,
    balance,
    browser,
    entries,
    heard,
    running,
    stripe,
    sweep,
)

__all__ = ["browser", "running", "stripe"]

PAYMENTS = 20
MISFORTUNES = [None, None, None, *(trouble for trouble in Trouble if trouble is not Trouble.SLOW)]


@dataclass
class Day:
    """One payer after the other, each with their own bad luck."""

    dice: Random
    browser: FlaskClient
    ground: Ground
    stripe: StripeTwin

    def live(self) -> None:
        for number in range(PAYMENTS):
            self._somebody_pays(number)
        self.stripe.faults.clear()
        self.stripe.faults.webhook_copies = 0

    def _somebody_pays(self, number: int) -> None:
        with db.transaction(db.system("tests")):
            owed = billing.bill(self.ground.hospital.establishment, self.ground.patient, 1000 + 137 * number)
        self._have_bad_luck()
        page = self._reach_the_page(owed)
        if page is None:
            return
        choice = self.dice.choice(["pay", "pay", "pay", "decline", "leave"])
        back = httpx.post(page, data={"choice": choice}, trust_env=False)
        if choice == "pay" and self.dice.random() < 0.5:
            self.browser.get(urlsplit(back.headers["location"]).path)
        if choice == "leave" and self.dice.random() < 0.3:
            self.stripe.bank.expire(page.rpartition("/")[2])

    def _have_bad_luck(self) -> None:
        faults = self.stripe.faults
        faults.clear()
        faults.trouble, faults.times = self.dice.choice(MISFORTUNES), self.dice.choice([1, 2, 5])
        faults.webhook_copies = self.dice.choice([0, 1, 3])
        faults.webhook_held = self.dice.random() < 0.3
        faults.webhook_secret = "whsec_forged" if self.dice.random() < 0.1 else ""

    def _reach_the_page(self, owed: Bill) -> str | None:
        """As often as somebody tries who wants to pay."""
        for _ in range(4):
            answer = self.browser.post(f"/factures/{owed.id}/payer", data={"email": "jeanne@exemple.test"})
            if "/c/pay/" in (answer.location or ""):
                return str(answer.location)
        return None

    def evening(self, work_jobs: Callable[[], None]) -> None:
        """Late webhooks in the wrong order, the sweep, and the clock that asks about every open attempt, twice."""
        self.stripe.webhooks.release(backwards=True)
        self.stripe.webhooks.wait()
        for _ in range(2):
            sweep(self.ground)
            work_jobs()
            for attempt_id in self._open_attempts():
                jobs.settle(attempt_id)

    def _open_attempts(self) -> list[UUID]:
        with db.transaction(db.system("tests")) as current:
            return list(current.scalars(select(PaymentAttempt.id).where(PaymentAttempt.psp_ref.is_not(None))))

    def paid_at_stripe(self) -> dict[str, int]:
        sessions: list[Object] = self.stripe.bank.account(KEY).all("checkout.session")
        return {each["id"]: each["amount_total"] for each in sessions if each["payment_status"] == "paid"}


def patient_doors(stripe: StripeTwin) -> None:
    """Doors that never leave Stripe alone for half a minute: the day lasts seconds."""
    line = StripeLine(stripe.base_url, door_for=lambda name: Door(name, timeout_seconds=8, open_after=10_000))
    jobs._doors.means = family([StripeMeans(line)])


@pytest.mark.parametrize("seed", [6])
def test_a_day_of_misfortunes_ends_with_the_truth(
    browser: FlaskClient, ground: Ground, stripe: StripeTwin, work_jobs: Work, seed: int
) -> None:
    patient_doors(stripe)
    day = Day(Random(seed), browser, ground, stripe)
    day.live()
    day.evening(work_jobs)
    booked = {entry.psp_ref: entry.amount_cents for entry in entries("payment")}
    assert booked == day.paid_at_stripe()
    assert len(booked) > PAYMENTS // 4, "a campaign in which nobody pays proves nothing"
    with db.transaction(db.system("tests")) as current:
        assert current.scalar(select(func.count(Receipt.id))) == len(booked)
        assert current.scalar(select(func.count(LedgerEntry.id)).where(LedgerEntry.is_test.is_(False))) == 0
    stripe.bank.pay_out(KEY)
    day.evening(work_jobs)
    assert balance("clearing:stripe:") == 0
    assert balance("bank") + balance("fees") == sum(booked.values())
    assert {event.state for event in heard()} == {"done"}
