"""What an agent decides about reminders."""

from typing import Any
from uuid import UUID

from portal import audit, db
from portal.db import session
from services.billing.reminders import queries


def change_setting(establishment_id: UUID, values: dict[str, Any]) -> None:
    """Keep one hospital's rules. values: the columns of `BillReminderSetting`."""
    kept = queries.setting(establishment_id)
    for name, value in values.items():
        setattr(kept, name, value)
    kept.changed_at = db.now()
    session.add(kept)
    session.flush()
    audit.record(
        "bill_reminders.changed",
        establishment_id=establishment_id,
        object_kind="establishment",
        object_id=establishment_id,
        is_on=str(kept.is_on),
    )
