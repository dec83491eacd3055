"""The usual delay of a hospital: what patients and agents are told of it."""

from datetime import datetime, timedelta
from math import ceil
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from portal.db import session
from services.preadmission.actions import counting
from services.preadmission.delays.models import PreadmissionDelay
from services.preadmission.models import Preadmission, PreadmissionChange

WINDOW: Final = timedelta(days=30)
FEWEST_CASES: Final = 30
"""Under this number nothing is promised."""


def usual(establishment_id: UUID) -> PreadmissionDelay | None:
    """What the last thirty days say; None when too few files were answered to promise anything."""
    found = session.get(PreadmissionDelay, establishment_id)
    return found if found is not None and found.cases >= FEWEST_CASES else None


def days_of(establishment_id: UUID, now: datetime) -> list[int]:
    """Working days from the sending to the first answer, of each file first answered in the window, sorted.

    As the system.
    """
    first = (
        select(PreadmissionChange.preadmission_id, func.min(PreadmissionChange.at).label("at"))
        .join(Preadmission, Preadmission.id == PreadmissionChange.preadmission_id)
        .where(
            Preadmission.establishment_id == establishment_id,
            PreadmissionChange.to_state.in_(counting.DECISIONS),
            Preadmission.submitted_at > now - 2 * WINDOW,
        )
        .group_by(PreadmissionChange.preadmission_id)
        .having(func.min(PreadmissionChange.at) > now - WINDOW)
        .subquery()
    )
    rows = session.execute(
        select(Preadmission, first.c.at)
        .join(first, first.c.preadmission_id == Preadmission.id)
        .options(joinedload(Preadmission.establishment))
    )
    return sorted(counting.days_to_answer(file, at) for file, at in rows)


def percentile(values: list[int], share: float) -> int:
    """The smallest value that this share of the sorted values does not exceed (nearest rank)."""
    return values[max(ceil(share * len(values)), 1) - 1]
