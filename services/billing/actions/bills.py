"""Bills themselves, read and withdrawn by the staff."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select

from portal import audit, db
from portal.db import session
from services.billing import queries
from services.billing.actions.facts import NotClosable, UnknownBill
from services.billing.models import Bill
from services.billing.queries import Standing


def open_bill(places: Collection[UUID], bill_id: UUID) -> Standing:
    """Show one bill to a member of staff; the reading is written down. Raises UnknownBill."""
    found = queries.one_at(places, bill_id)
    if found is None:
        raise UnknownBill(bill_id)
    audit.record(
        "bill.opened",
        patient_id=found.bill.patient_id,
        establishment_id=found.bill.establishment_id,
        object_kind="bill",
        object_id=bill_id,
    )
    return found


def close_elsewhere(places: Collection[UUID], bill_id: UUID, reason: str, note: str = "") -> None:
    """Withdraw a bill that was paid at the desk or cancelled (`models.CLOSINGS`).

    note: the reference of whoever says so. Raises UnknownBill, NotClosable.
    """
    # A payment that is being written down at this moment is waited for.
    session.execute(select(Bill.id).where(Bill.id == bill_id).with_for_update(key_share=True))
    found = queries.one_at(places, bill_id)
    if found is None:
        raise UnknownBill(bill_id)
    if found.state != "open":
        raise NotClosable(found.state)
    found.bill.closed_reason, found.bill.closed_at, found.bill.closed_note = reason, db.now(), note
    audit.record(
        "bill.closed",
        patient_id=found.bill.patient_id,
        establishment_id=found.bill.establishment_id,
        object_kind="bill",
        object_id=bill_id,
        reason=reason,
    )
