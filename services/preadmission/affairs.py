"""What a patient's death leaves open here: files that somebody still has to answer, stays that are planned."""

from collections.abc import Collection, Sequence
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from auth.death import affairs
from auth.death.affairs import Affair, Kind
from portal.db import session
from services.preadmission.models import OPEN_STATES, Preadmission
from services.preadmission.states import READY

RIGHT = "preadmission"


def declare() -> None:
    affairs.offer(Kind(RIGHT, _l("Pre-admissions under way"), RIGHT, "admin_preadmission.show", _open))


def _open(patient_id: UUID, establishments: Collection[UUID]) -> Sequence[Affair]:
    """Those that were sent; a draft is the patient's alone, and ends with their account."""
    rows = session.scalars(
        select(Preadmission)
        .where(
            Preadmission.patient_id == patient_id,
            Preadmission.establishment_id.in_(establishments),
            Preadmission.submitted_at.is_not(None),
            Preadmission.state.in_((*OPEN_STATES, *READY)),
        )
        .order_by(Preadmission.planned_on)
    )
    return [
        Affair(each.establishment_id, each.reference, each.planned_on, {"preadmission_id": each.id}) for each in rows
    ]
