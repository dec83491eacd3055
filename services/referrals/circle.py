"""Requests about a patient, for members of their circle: which unit was asked and where it stands, never the question.

Row-level security opens no request to them: the statement itself asks for their place in the circle.
"""

from collections.abc import Sequence
from typing import Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, or_, select

from portal import db
from portal.db import session
from portal.establishments import Establishment, Unit
from services.circle import sections
from services.circle import states as circle
from services.circle.models import CircleMember
from services.circle.sections import Line, Looking, Section
from services.referrals import wording
from services.referrals.models import ReferralTarget

_SCOPE: Final = "referrals"
_MOST: Final = 100


def declare() -> None:
    title, empty = _l("Requests to hospital units"), _l("No request to a hospital unit.")
    sections.show(Section("referrals", _SCOPE, title, empty, "arrow-right", _lines, opened=False))


def _lines(looking: Looking) -> Sequence[Line]:
    rows = session.execute(
        select(ReferralTarget.received_at, ReferralTarget.state, Unit.name, Establishment.name)
        .join(Unit, Unit.id == ReferralTarget.unit_id)
        .join(Establishment, Establishment.id == ReferralTarget.establishment_id)
        .join(CircleMember, CircleMember.patient_id == ReferralTarget.patient_id)
        .where(
            CircleMember.id == looking.member_id,
            CircleMember.state == circle.ACTIVE,
            CircleMember.closed_by_death.is_(False),
            func.array_position(CircleMember.scopes, _SCOPE).is_not(None),
            or_(CircleMember.until_at.is_(None), CircleMember.until_at > db.now()),
            ReferralTarget.received_at.is_not(None),
        )
        .order_by(ReferralTarget.received_at.desc(), ReferralTarget.id)
        .limit(_MOST)
    ).all()
    return [Line(unit, received_at, f"{place} · {wording.STATES[state]}") for received_at, state, unit, place in rows]
