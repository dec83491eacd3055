"""What monitoring reads of payments: how many have no end, and how many need somebody."""

import re
from collections.abc import Callable
from datetime import timedelta

from flask.testing import FlaskClient
from sqlalchemy import update

from auth.models import Account
from portal import db
from portal.db import session
from services.billing.models import PaymentAttempt
from tests.ground import prepared
from tests.services.billing.conftest import Ground, begin

SignIn = Callable[[Account], FlaskClient]


def numbers(client: FlaskClient) -> dict[str, float]:
    text = client.get("/status/metrics").text
    return {name: float(value) for name, value in re.findall(r"^parvis_payments?_(\w+) (\S+)$", text, re.MULTILINE)}


def test_payments_are_counted_by_what_they_wait_for(client: FlaskClient, ground: Ground, sign_in: SignIn) -> None:
    browser = sign_in(ground.account)
    assert set(numbers(client).values()) == {0}
    begin(browser, ground)
    assert numbers(client) == {"in_progress": 1, "unanswered": 0, "to_review": 0, "differences": 0}
    with prepared():
        session.execute(update(PaymentAttempt).values(created_at=db.now() - timedelta(hours=2)))
    assert numbers(client)["unanswered"] == 1
    with prepared():
        session.execute(update(PaymentAttempt).values(state="to_review"))
    assert numbers(client) == {"in_progress": 0, "unanswered": 0, "to_review": 1, "differences": 0}
