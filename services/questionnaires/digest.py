"""What of this room waits for agents."""

from datetime import datetime, timedelta
from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from auth.digests.sources import Rows, Waiting, offer
from services.questionnaires.models import RIGHT, SentQuestionnaire
from services.questionnaires.states import ALERT_OPEN

_LATE: Final = timedelta(days=1)


def declare() -> None:
    offer(Waiting("alerts", _l("Answers that raised an alert"), RIGHT, "admin_questionnaires.tray", _alerts))


def _alerts(now: datetime) -> Rows:
    """Late: nobody has looked for a day."""
    row = SentQuestionnaire
    late = row.answered_at < now - _LATE
    return select(row.establishment_id, row.unit_id, row.answered_at, late).where(row.alert == ALERT_OPEN)
