"""A payment as its provider calls it."""

from sqlalchemy import select

from portal.db import session
from services.billing.ledger.models import LedgerEntry


def payment_numbered(psp: str, number: str) -> LedgerEntry | None:
    """The payment that a provider calls so on statements (Stripe's `pi_…`); for a system job."""
    if not number:
        return None
    return session.scalar(
        select(LedgerEntry).where(LedgerEntry.psp == psp, LedgerEntry.number == number, LedgerEntry.kind == "payment")
    )
