"""Payments that came in, refunds, disputes and payouts, without a trip to a provider."""

import secrets
from datetime import timedelta
from uuid import uuid4

from portal import db
from portal.db import session
from portal.establishments import Establishment
from portal.gateways.payments.means import Answer, Ending
from services.billing import actions
from services.billing.ledger.models import LedgerEntry
from services.billing.models import AttemptShare, Bill, PaymentAttempt


def payment(
    *owed: Bill, psp: str = "stripe", cents: int | None = None, days_ago: int = 0, number: str = "", email: str = ""
) -> LedgerEntry:
    """Money came in for these bills, as its provider said; cents: for each, its due unless given."""
    at = db.now() - timedelta(days=days_ago, minutes=7)
    amounts = {each.id: cents or each.due_cents for each in owed}
    place = session.get_one(Establishment, owed[0].establishment_id)
    made = PaymentAttempt(
        id=uuid4(), establishment_id=place.id, source=owed[0].source, psp=psp, psp_ref=f"cs_test_{uuid4().hex}",
        return_digest=secrets.token_bytes(32), amount_cents=sum(amounts.values()), refdet=owed[0].refdet,
        exer=owed[0].exer, numcli=place.finess if psp == "stripe" else "090909", mode="T", email=email,
        state="expired", created_at=at, state_at=at,
    )  # fmt: skip
    made.shares.extend(
        AttemptShare(bill_id=each.id, establishment_id=place.id, amount_cents=amounts[each.id], live=False)
        for each in owed
    )
    session.add(made)
    session.flush()
    said = Answer(
        psp_ref=made.psp_ref or "", ending=Ending.PAID, code="paid", amount_cents=made.amount_cents, currency="EUR",
        reference=made.refdet, account=made.numcli, mode="T", number=number or f"pi_{uuid4().hex[:24]}", paid_at=at,
    )  # fmt: skip
    actions.hear(made.id, said, tests_count=True)
    session.flush()
    return session.query(LedgerEntry).filter_by(attempt_id=made.id, kind="payment").one()
