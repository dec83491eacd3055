"""What a patient's death leaves open here: their place on the waiting list."""

from collections.abc import Collection, Sequence
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from auth.death import affairs
from auth.death.affairs import Affair, Kind
from portal.db import session
from services.appointments.models import SERVICE
from services.appointments.waiting import states
from services.appointments.waiting.models import WaitingEntry


def declare() -> None:
    affairs.offer(Kind("waiting_list", _l("Places on the waiting list"), SERVICE, "admin_waiting.show", _open))


def _open(patient_id: UUID, establishments: Collection[UUID]) -> Sequence[Affair]:
    rows = session.scalars(
        select(WaitingEntry)
        .where(
            WaitingEntry.patient_id == patient_id,
            WaitingEntry.establishment_id.in_(establishments),
            WaitingEntry.state == states.WAITING,
        )
        .order_by(WaitingEntry.entered_at)
    )
    return [Affair(each.establishment_id, "", each.until_on, {"entry_id": each.id}) for each in rows]
