"""What an agent mends on a bill."""

from collections.abc import Collection
from uuid import UUID

from portal import audit
from portal.db import session
from services.billing.actions import UnknownBill
from services.billing.models import Bill


class NotClosed(Exception):
    """The bill is not closed, or was reopened meanwhile."""


def reopen_bill(places: Collection[UUID], bill_id: UUID) -> None:
    """A bill closed by mistake can be paid again. Raises UnknownBill, NotClosed."""
    bill = session.get(Bill, bill_id, with_for_update={"key_share": True}, populate_existing=True)
    if bill is None or bill.establishment_id not in places:
        raise UnknownBill(bill_id)
    if not bill.closed_reason:
        raise NotClosed(bill_id)
    reason, bill.closed_reason, bill.closed_note, bill.closed_at = bill.closed_reason, "", "", None
    audit.record(
        "bill.reopened",
        patient_id=bill.patient_id,
        establishment_id=bill.establishment_id,
        object_kind="bill",
        object_id=bill_id,
        reason=reason,
    )


def note_download(establishment_ids: Collection[UUID], what: str, first: str, last: str) -> None:
    """Write down that the ledger of these hospitals left the portal. what: journal or balances."""
    for establishment_id in establishment_ids:
        audit.record(
            "ledger.downloaded",
            establishment_id=establishment_id,
            object_kind="establishment",
            object_id=establishment_id,
            what=what,
            first=first,
            last=last,
        )
