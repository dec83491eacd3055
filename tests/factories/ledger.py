"""Movements of money written in the ledger, without a provider."""

from typing import Any
from uuid import uuid4

from portal import db
from services.billing.ledger.actions import Posting, Side, post
from services.billing.models import Bill


def entry(owed: Bill, cents: int, kind: str = "payment", **facts: Any) -> None:
    """A movement of this bill's money at its counter: a payment, or the other way round."""
    counter, debtor = f"clearing:{facts.get('psp', 'payfip')}:090909", "receivable"
    into, out_of = (counter, debtor) if kind in ("payment", "refund_failed") else (debtor, counter)
    post(
        Posting(
            **{
                "establishment_id": owed.establishment_id, "psp": "payfip", "psp_ref": str(uuid4()), "kind": kind,
                "account": "090909", "means": "card", "bill_source": owed.source, "moved_at": db.now(),
                "sides": [
                    Side(into, debit=cents, bill_id=owed.id if into == debtor else None),
                    Side(out_of, credit=cents, bill_id=owed.id if out_of == debtor else None),
                ],
                **facts,
            }
        )
    )  # fmt: skip
