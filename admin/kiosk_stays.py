"""What a terminal tells somebody who arrives and has a stay to prepare: a gesture over two rooms."""

from datetime import date, timedelta
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from portal.db import session
from services.appointments.kiosk import missing
from services.preadmission.models import Preadmission

_UNFINISHED: Final = ("draft", "to_complete")
"""The next gesture is the patient's."""
_AHEAD: Final = timedelta(days=30)


def declare() -> None:
    """Once, when the application is made."""
    words = _l("A file for the hospital is not finished: bring what you have to the desk before you go on.")
    missing.declare("stays", words, is_unfinished)


def is_unfinished(patient_id: UUID, establishment_id: UUID, day: date) -> bool:
    """Whether a stay of the coming weeks, there, waits for the patient; nothing is said of a confidential one."""
    query = select(Preadmission.id).where(
        Preadmission.patient_id == patient_id,
        Preadmission.establishment_id == establishment_id,
        Preadmission.state.in_(_UNFINISHED),
        Preadmission.planned_on.between(day, day + _AHEAD),
        ~Preadmission.confidential,
    )
    return session.scalar(query.limit(1)) is not None
