"""The calendar that holds for one stay."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.db import session
from portal.establishments import Establishment, Unit
from services.preadmission.calendars.models import StayCalendarRule
from services.preadmission.deadlines import Deadlines, deadlines, overridden
from services.preadmission.kinds import KINDS, StayCalendar
from services.preadmission.models import Preadmission
from services.preadmission.queries.files import TODAY_THERE
from services.preadmission.states import READY


def calendar_of(establishment_id: UUID, unit_id: UUID, stay_kind: str) -> StayCalendar:
    """The kind's calendar, as this hospital then this unit change it."""
    return _calendar(rules([establishment_id]), establishment_id, unit_id, stay_kind)


def deadlines_of(file: Preadmission) -> Deadlines:
    """The days of one file."""
    return deadlines_at(file.unit, file.stay_kind, file.planned_on)


def deadlines_at(unit: Unit, stay_kind: str, planned_on: date) -> Deadlines:
    """The days of a stay of this kind in this unit."""
    hospital = unit.establishment
    wanted = calendar_of(hospital.id, unit.id, stay_kind)
    return deadlines(wanted, planned_on, hospital.tz, hospital.holiday_rules)


def deadlines_of_all(files: Sequence[Preadmission]) -> Mapping[UUID, Deadlines]:
    """File → its days, in one statement however many there are."""
    known = rules({each.establishment_id for each in files})
    return {
        each.id: deadlines(
            _calendar(known, each.establishment_id, each.unit_id, each.stay_kind),
            each.planned_on,
            each.establishment.tz,
            each.establishment.holiday_rules,
        )
        for each in files
    }


def rules(establishment_ids: Collection[UUID]) -> Mapping[UUID, StayCalendarRule]:
    """Unit, or hospital, → what it changes."""
    found = session.scalars(
        select(StayCalendarRule).where(StayCalendarRule.establishment_id.in_(establishment_ids))
    ).all()
    return {each.unit_id or each.establishment_id: each for each in found}


def units_of(hospital: Establishment) -> Sequence[Unit]:
    """The units of one hospital, by name."""
    return session.scalars(
        select(Unit).options(joinedload(Unit.site)).where(Unit.establishment_id == hospital.id).order_by(Unit.name)
    ).all()


def _calendar(
    known: Mapping[UUID, StayCalendarRule], establishment_id: UUID, unit_id: UUID, stay_kind: str
) -> StayCalendar:
    changes = [known[each].changes for each in (establishment_id, unit_id) if each in known]
    return overridden(KINDS[stay_kind].calendar, *changes)


_HOME_THE_SAME_DAY = ("outpatient", "day_case")
_LONGEST_STAY = 14
"""Days after the arrival: the hospital's system knows better when it says so, and closes the file itself."""


def stays_over(limit: int = 500) -> Sequence[UUID]:
    """Accepted files whose stay is over, at the hospital's own time. As the system."""
    short = Preadmission.stay_kind.in_(_HOME_THE_SAME_DAY) & (Preadmission.planned_on < TODAY_THERE)
    return session.scalars(
        select(Preadmission.id)
        .where(Preadmission.state.in_(READY), short | (Preadmission.planned_on < TODAY_THERE - _LONGEST_STAY))
        .limit(limit)
    ).all()
