"""What a patient's death leaves open here: bills that are not paid."""

from collections.abc import Collection, Sequence
from uuid import UUID

from flask_babel import lazy_gettext as _l

from auth.death import affairs
from auth.death.affairs import Affair, Kind
from services.billing import queries

RIGHT = "billing"
_OPEN = ("open", "in_progress", "partly")


def declare() -> None:
    affairs.offer(Kind(RIGHT, _l("Bills to pay"), RIGHT, "admin_billing.show", _unpaid))


def _unpaid(patient_id: UUID, establishments: Collection[UUID]) -> Sequence[Affair]:
    return [
        Affair(each.bill.establishment_id, each.bill.reference, each.bill.due_on, {"bill_id": each.bill.id})
        for each in queries.bills_of_patient(patient_id)
        if each.bill.establishment_id in establishments and each.state in _OPEN
    ]
