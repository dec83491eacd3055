"""Coming stays, for members of a patient's circle; and the units that expect a patient, for the patient.

Row-level security opens no pre-admission to members: the statement itself asks for their place in the circle, and
reads the unit and the day alone.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, or_, select
from sqlalchemy.orm import joinedload

from portal import calendar, db
from portal.db import session
from portal.establishments import Establishment, Unit, today_in
from portal.web.ui import long_day
from services.circle import sections, units
from services.circle import states as circle
from services.circle.models import CircleMember
from services.circle.sections import Line, Looking, Section
from services.circle.units import CareUnit
from services.preadmission.models import Preadmission
from services.preadmission.occasions import STANDING

_SCOPE: Final = "appointments"
_MOST: Final = 50


def declare() -> None:
    title, empty = _l("Coming stays"), _l("No coming stay that you may see.")
    sections.show(Section("stays", _SCOPE, title, empty, "hospital", _lines, opened=False))
    units.offer("preadmission", _units)


def _lines(looking: Looking) -> Sequence[Line]:
    """Neither what is kept from those who act for the patient, nor an admission under confidentiality."""
    rows = session.execute(
        select(Preadmission.planned_on, Unit.name, Establishment.name)
        .join(Unit, Unit.id == Preadmission.unit_id)
        .join(Establishment, Establishment.id == Preadmission.establishment_id)
        .join(CircleMember, CircleMember.patient_id == Preadmission.patient_id)
        .where(
            CircleMember.id == looking.member_id,
            CircleMember.state == circle.ACTIVE,
            CircleMember.closed_by_death.is_(False),
            func.array_position(CircleMember.scopes, _SCOPE).is_not(None),
            or_(CircleMember.until_at.is_(None), CircleMember.until_at > db.now()),
            Preadmission.state.in_(STANDING),
            Preadmission.planned_on >= today_in(Establishment.time_zone),
            Preadmission.masked.is_(False),
            Preadmission.confidential.is_(False),
        )
        .order_by(Preadmission.planned_on, Unit.name)
        .limit(_MOST)
    ).all()
    return [Line(unit, None, f"{long_day(day)} · {place}") for day, unit, place in rows]


def _units(patient_id: UUID) -> Sequence[CareUnit]:
    """Units that expect somebody, for those who may know it."""
    found = session.scalars(
        select(Preadmission)
        .options(joinedload(Preadmission.establishment), joinedload(Preadmission.unit))
        .where(Preadmission.patient_id == patient_id, Preadmission.state.in_(STANDING))
        .order_by(Preadmission.planned_on.desc())
        .limit(_MOST)
    )
    return [
        CareUnit(each.unit.name, each.establishment.name, _l("Stay"), each.planned_on, each.unit.phone)
        for each in found
        if each.planned_on >= calendar.civil_day(db.now(), each.establishment.tz)
    ]
