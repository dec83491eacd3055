"""What of this room waits for agents."""

from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, null, select

from auth.digests.sources import Rows, Waiting, civil_day, offer
from portal.establishments import Establishment
from services.billing.questions.models import BillQuestion
from services.billing.questions.states import OPEN


def declare() -> None:
    offer(Waiting("bill_questions", _l("Questions about bills"), "billing", "admin_bill_questions.tray", _questions))


def _questions(now: datetime) -> Rows:
    """The billing office answers for the whole hospital."""
    row = BillQuestion
    late = func.coalesce(row.due_on < civil_day(now), False)
    return (
        select(row.establishment_id, null(), row.changed_at, late)
        .join(Establishment, Establishment.id == row.establishment_id)
        .where(row.state == OPEN)
    )
