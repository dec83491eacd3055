"""Refunds of what was paid through PayFiP, which gives nothing back: the public accountant transfers, we record."""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from services.billing.refunds.actions.booking import book, book_back
from services.billing.refunds.actions.facts import TooLate
from services.billing.refunds.actions.traces import locked, move, record
from services.billing.refunds.models import Refund


def record_transfer(places: Collection[UUID], refund_id: UUID, reference: str, moved_on: date) -> Refund:
    """The public accountant has made the transfer: their reference and its day. Raises UnknownRefund, TooLate."""
    refund = locked(refund_id, places)
    if not refund.is_by_transfer or refund.state != "approved":
        raise TooLate(refund.state)
    refund.accountant_ref, refund.moved_on = reference, moved_on
    move(refund, "done", reference)
    record("refund.transferred", refund)
    book(refund)
    return refund


def came_back(places: Collection[UUID], refund_id: UUID, note: str) -> Refund:
    """The payer's bank sent the transfer back: the bill holds the money again. Raises UnknownRefund, TooLate."""
    refund = locked(refund_id, places)
    if not refund.is_by_transfer or refund.state != "done":
        raise TooLate(refund.state)
    move(refund, "failed", note)
    book_back(refund, note)
    return refund
