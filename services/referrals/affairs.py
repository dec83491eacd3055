"""What a patient's death leaves open here: requests that a unit has not ended."""

from collections.abc import Collection, Sequence
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from auth.death import affairs
from auth.death.affairs import Affair, Kind
from portal import calendar
from portal.db import session
from services.referrals import states
from services.referrals.models import RIGHT, ReferralTarget


def declare() -> None:
    affairs.offer(Kind("referrals", _l("Requests of practitioners"), RIGHT, "admin_referrals.show", _open))


def _open(patient_id: UUID, establishments: Collection[UUID]) -> Sequence[Affair]:
    rows = session.scalars(
        select(ReferralTarget)
        .options(joinedload(ReferralTarget.referral), joinedload(ReferralTarget.establishment))
        .where(
            ReferralTarget.patient_id == patient_id,
            ReferralTarget.establishment_id.in_(establishments),
            ReferralTarget.state.in_(states.LIVE),
            ReferralTarget.received_at.is_not(None),
        )
        .order_by(ReferralTarget.received_at, ReferralTarget.id)
    )
    return [_affair(each) for each in rows]


def _affair(each: ReferralTarget) -> Affair:
    on = calendar.civil_day(each.outcome_at, each.establishment.tz) if each.outcome_at else None
    return Affair(each.establishment_id, each.referral.reference, on, {"target_id": each.id})
