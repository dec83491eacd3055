"""What is shown of emergency departments, and what those who run them see."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import contains_eager, joinedload

from portal.db import session
from portal.establishments import Establishment, EstablishmentSetting, Site, Unit
from services.attendance import estimates, states
from services.attendance.estimates import Told
from services.attendance.models import EmergencyDepartment, EmergencyReading
from services.offer import queries as offer
from services.offer.openings import Standing

SETTING = "attendance_life_min"
"""For how many minutes a hospital's figures are shown after they were measured."""
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Shown:
    """A department at a moment. told: what may still be shown of what was said, None when nothing may. last: what was
    said last, however old. standing: by its unit's hours, None when nobody said them. life_min: see SETTING."""

    department: EmergencyDepartment
    told: Told | None
    last: EmergencyReading | None
    standing: Standing | None
    life_min: int

    @property
    def state(self) -> str:
        """One of states.STATES: its hours close it, whatever was said before."""
        if self.standing is not None and not self.standing.is_open:
            return states.CLOSED
        return self.told.state if self.told else states.UNKNOWN

    @property
    def is_known(self) -> bool:
        return self.state != states.UNKNOWN

    @property
    def receives(self) -> bool:
        return self.state in states.RECEIVES

    @property
    def waiting(self) -> int | None:
        """People, when whoever comes is received and they are not few."""
        told = self.told if self.receives else None
        return told.waiting if told and told.waiting is not None and told.waiting >= estimates.FEW else None

    @property
    def are_few(self) -> bool:
        told = self.told if self.receives else None
        return told is not None and told.waiting is not None and told.waiting < estimates.FEW

    @property
    def minutes(self) -> tuple[int, int] | None:
        """The range to show."""
        return estimates.shown_minutes(self.told.minutes) if self.told and self.receives else None

    @property
    def message(self) -> Mapping[str, str]:
        return self.told.message if self.told else {}

    @property
    def valid_until(self) -> datetime | None:
        return estimates.valid_until(self.told.measured_at, self.life_min) if self.told else None


def shown(now: datetime, establishment_id: UUID | None = None) -> list[Shown]:
    """Published departments, by hospital and rank. Six statements."""
    query = _departments().where(EmergencyDepartment.is_published)
    if establishment_id is not None:
        query = query.where(EmergencyDepartment.establishment_id == establishment_id)
    return _shown(session.scalars(query).all(), now)


def at(establishments: Collection[UUID], now: datetime) -> list[Shown]:
    """Every department of these hospitals, published or not."""
    query = _departments().where(EmergencyDepartment.establishment_id.in_(establishments))
    return _shown(session.scalars(query).all(), now)


def is_any_published() -> bool:
    query = select(EmergencyDepartment.id).where(
        EmergencyDepartment.is_published, EmergencyDepartment.removed_at.is_(None)
    )
    return session.scalar(query.limit(1)) is not None


def _departments() -> Select[EmergencyDepartment]:
    return (
        select(EmergencyDepartment)
        .join(EmergencyDepartment.establishment)
        .join(EmergencyDepartment.unit)
        .options(
            contains_eager(EmergencyDepartment.establishment),
            contains_eager(EmergencyDepartment.unit).options(
                joinedload(Unit.establishment), joinedload(Unit.site).joinedload(Site.establishment)
            ),
        )
        .where(EmergencyDepartment.removed_at.is_(None))
        .order_by(Establishment.name, EmergencyDepartment.position, Unit.name, EmergencyDepartment.id)
    )


def _shown(departments: Sequence[EmergencyDepartment], now: datetime) -> list[Shown]:
    if not departments:
        return []
    last, lives = _last(departments, now), _lives({each.establishment_id for each in departments})
    sheets = offer.sheets(list({each.unit_id: each.unit for each in departments}.values()))
    return [
        _one(each, last.get(each.id), sheets[each.unit_id].standing, lives.get(each.establishment_id, ""), now)
        for each in departments
    ]  # fmt: skip


def _one(
    department: EmergencyDepartment, last: EmergencyReading | None, standing: Standing | None, life: str, now: datetime
) -> Shown:
    minutes = estimates.life(life)
    is_fresh = last is not None and estimates.is_fresh(last.measured_at, minutes, now)
    told = last.told if last is not None and is_fresh and last.state != states.UNKNOWN else None
    return Shown(department, told, last, standing, minutes)


def _last(departments: Sequence[EmergencyDepartment], now: datetime) -> dict[UUID, EmergencyReading]:
    """What was said last of each within a day: nothing older could be shown."""
    query = (
        select(EmergencyReading)
        .ext(distinct_on(EmergencyReading.department_id))
        .where(EmergencyReading.department_id.in_([each.id for each in departments]))
        .where(EmergencyReading.measured_at > now - _DAY)
        .order_by(EmergencyReading.department_id, EmergencyReading.measured_at.desc())
    )
    return {each.department_id: each for each in session.scalars(query)}


def _lives(establishments: Collection[UUID]) -> dict[UUID, str]:
    rows = session.execute(
        select(EstablishmentSetting.establishment_id, EstablishmentSetting.value).where(
            EstablishmentSetting.establishment_id.in_(establishments), EstablishmentSetting.key == SETTING
        )
    )
    return dict(rows.all())


# -- one department ----------------------------------------------------------------------------------------------


def department(department_id: UUID, establishments: Collection[UUID]) -> EmergencyDepartment | None:
    """One of these hospitals'."""
    query = _departments().where(EmergencyDepartment.id == department_id)
    return session.scalar(query.where(EmergencyDepartment.establishment_id.in_(establishments)))


def by_code(establishment_id: UUID) -> dict[str, EmergencyDepartment]:
    """The departments of a hospital as its other systems call them."""
    query = _departments().where(EmergencyDepartment.establishment_id == establishment_id)
    return {each.code: each for each in session.scalars(query)}


def last_reading(department: EmergencyDepartment) -> EmergencyReading | None:
    return next(iter(readings(department, 1)), None)


def readings(department: EmergencyDepartment, limit: int = 20) -> Sequence[EmergencyReading]:
    """The newest first."""
    query = select(EmergencyReading).where(EmergencyReading.department_id == department.id)
    return session.scalars(query.order_by(EmergencyReading.measured_at.desc()).limit(limit)).all()


def units(establishments: Collection[UUID]) -> Sequence[Unit]:
    """Where a department may be."""
    query = select(Unit).join(Unit.establishment).options(contains_eager(Unit.establishment))
    query = query.where(Unit.establishment_id.in_(establishments)).order_by(Establishment.name, Unit.name)
    return session.scalars(query).all()
