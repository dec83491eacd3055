"""Raw events are kept 25 months at the most, and go by whole months; what was counted of them stays."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select, text

from portal import db
from portal.db import session
from portal.kpi import keys
from portal.kpi.models import GROUP_ZONE, KpiClosedMonth

KEPT_DAYS: Final = 761
"""Twenty-five months: the oldest event of a month that goes is that old."""


def forgettable(before: datetime, limit: int) -> Sequence[date]:
    """Closed months that had begun at this moment and whose events are still kept, oldest first."""
    query = select(KpiClosedMonth.month).where(
        KpiClosedMonth.forgotten_at.is_(None), KpiClosedMonth.month <= keys.month_of(before)
    )
    return session.scalars(query.order_by(KpiClosedMonth.month).limit(limit)).all()


def forget(month: date, before: datetime) -> bool:
    """Delete the events of a closed month; False when it is not due any more. Its figures stay as they are."""
    closed = session.get(KpiClosedMonth, month, with_for_update={"key_share": True}, populate_existing=True)
    if closed is None or closed.forgotten_at is not None or month > keys.month_of(before):
        return False
    session.execute(text("set local statement_timeout = 0"))
    session.execute(text("select kpi_forget_month(:month, :zone)"), {"month": month, "zone": GROUP_ZONE})
    closed.forgotten_at = db.now()
    session.flush()
    return True


def month_id(month: date) -> UUID:
    """A month among things that are erased, which have an identifier each."""
    return UUID(int=month.year * 100 + month.month)


def month_of_id(identifier: UUID) -> date:
    return date(*divmod(identifier.int, 100), 1)
