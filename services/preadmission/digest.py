"""What of this room waits for agents."""

from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from auth.digests.sources import Rows, Waiting, civil_day, offer
from portal.establishments import Establishment
from services.preadmission.models import Preadmission
from services.preadmission.states import AT_RISK, TO_PROCESS


def declare() -> None:
    offer(
        Waiting("preadmissions", _l("Files of pre-admission"), "preadmission", "admin_preadmission.tray", _to_process)
    )


def _to_process(now: datetime) -> Rows:
    """Late: the stay begins in three days or less."""
    row = Preadmission
    late = row.planned_on <= civil_day(now + AT_RISK)
    return (
        select(row.establishment_id, row.unit_id, row.submitted_at, late)
        .join(Establishment, Establishment.id == row.establishment_id)
        .where(row.state.in_(TO_PROCESS))
    )
