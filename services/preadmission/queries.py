"""What the pages of pre-admissions show: always one patient's, or those of an agent's hospitals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Date, cast, func, select
from sqlalchemy.orm import joinedload

from portal.catalog import PublishedService
from portal.db import session
from portal.establishments import Establishment, Site, Unit
from services.preadmission import states
from services.preadmission.models import OPEN_STATES, Preadmission, PreadmissionChange

PAGE_SIZE = 50
_PLACE = (
    joinedload(Preadmission.establishment),
    joinedload(Preadmission.unit).joinedload(Unit.site),
    joinedload(Preadmission.unit).joinedload(Unit.establishment),
)
_TODAY_THERE: Any = (
    select(cast(func.timezone(Establishment.time_zone, func.now()), Date))
    .where(Establishment.id == Preadmission.establishment_id)
    .scalar_subquery()
)
"""Today's date where the hospital is: the group may have one in La Réunion."""


# -- the patient ---------------------------------------------------------------------------------------------------


def of_patient(patient_id: UUID) -> Sequence[Preadmission]:
    """The patient's files, the next stay first, past and closed ones last."""
    files = session.scalars(
        select(Preadmission)
        .options(*_PLACE)
        .where(Preadmission.patient_id == patient_id, Preadmission.state != "cancelled_by_patient")
        .order_by(Preadmission.planned_on)
        .limit(100)
    ).all()
    return sorted(files, key=lambda each: (not each.is_open and each.state != "validated", each.planned_on))


def one_of_patient(patient_id: UUID, preadmission_id: UUID) -> Preadmission | None:
    return session.scalar(
        select(Preadmission)
        .options(*_PLACE, joinedload(Preadmission.patient))
        .where(Preadmission.id == preadmission_id, Preadmission.patient_id == patient_id)
    )


def units_on_offer(establishment_id: UUID | None = None) -> Sequence[Unit]:
    """Units of the hospitals that take pre-admissions online today, by hospital then name."""
    wanted = (
        select(Unit)
        .options(joinedload(Unit.establishment))
        .join(Establishment, Establishment.id == Unit.establishment_id)
        .join(PublishedService, PublishedService.establishment_id == Unit.establishment_id)
        .where(
            PublishedService.code == "preadmission",
            PublishedService.opened_on <= func.current_date(),
            PublishedService.closed_on.is_(None) | (PublishedService.closed_on > func.current_date()),
        )
        .order_by(Establishment.name, Unit.name)
    )
    if establishment_id is not None:
        wanted = wanted.where(Unit.establishment_id == establishment_id)
    return session.scalars(wanted).all()


def history(preadmission_id: UUID) -> Sequence[PreadmissionChange]:
    """Every change of one file, the latest first; the caller has found the file under its own rules."""
    return session.scalars(
        select(PreadmissionChange)
        .where(PreadmissionChange.preadmission_id == preadmission_id)
        .order_by(PreadmissionChange.at.desc(), PreadmissionChange.id)
    ).all()


# -- the agent -----------------------------------------------------------------------------------------------------

GROUPS: Mapping[str, tuple[str, ...]] = {
    "to_process": states.TO_PROCESS,
    "waiting": ("to_complete",),
    "validated": ("validated",),
    "closed": ("refused", "cancelled_by_patient", "lapsed"),
}
"""How the tray is divided: what waits for the hospital, for the patient, for the stay, for nobody."""


@dataclass(frozen=True)
class TrayFilter:
    """group: a key of `GROUPS`. at_risk: only stays three days away or less. page: from 1."""

    group: str = "to_process"
    site_id: UUID | None = None
    at_risk: bool = False
    page: int = 1


@dataclass(frozen=True)
class Tray:
    """One page of files, and how many files each group holds (`at_risk` and `site_id` applied)."""

    files: Sequence[Preadmission]
    counts: Mapping[str, int]


def tray(establishment_ids: frozenset[UUID], wanted: TrayFilter) -> Tray:
    """The files of these hospitals, by day of the stay, then the oldest first."""
    files = session.scalars(
        select(Preadmission)
        .options(*_PLACE, joinedload(Preadmission.patient))
        .where(*_conditions(establishment_ids, wanted), Preadmission.state.in_(GROUPS[wanted.group]))
        .order_by(Preadmission.planned_on, Preadmission.submitted_at, Preadmission.id)
        .limit(PAGE_SIZE)
        .offset((wanted.page - 1) * PAGE_SIZE)
    ).all()
    return Tray(files, _counts(establishment_ids, wanted))


def sites_of(establishment_ids: frozenset[UUID]) -> Sequence[Site]:
    """The places an agent may narrow the tray to."""
    return session.scalars(
        select(Site)
        .options(joinedload(Site.establishment))
        .where(Site.establishment_id.in_(establishment_ids))
        .order_by(Site.name)
    ).all()


def one_at(establishment_ids: frozenset[UUID], preadmission_id: UUID) -> Preadmission | None:
    """A file sent to one of these hospitals."""
    return session.scalar(
        select(Preadmission)
        .options(*_PLACE, joinedload(Preadmission.patient))
        .where(
            Preadmission.id == preadmission_id,
            Preadmission.establishment_id.in_(establishment_ids),
            Preadmission.submitted_at.is_not(None),
        )
    )


def _counts(establishment_ids: frozenset[UUID], wanted: TrayFilter) -> Mapping[str, int]:
    counted = (
        select(Preadmission.state, func.count())
        .where(*_conditions(establishment_ids, wanted))
        .group_by(Preadmission.state)
    )
    by_state: dict[str, int] = dict(session.execute(counted).all())
    return {group: sum(by_state.get(state, 0) for state in members) for group, members in GROUPS.items()}


def _conditions(establishment_ids: frozenset[UUID], wanted: TrayFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        Preadmission.establishment_id.in_(establishment_ids),
        Preadmission.submitted_at.is_not(None),
    ]
    if wanted.site_id is not None:
        conditions.append(Preadmission.unit_id.in_(select(Unit.id).where(Unit.site_id == wanted.site_id)))
    if wanted.at_risk:
        conditions += [Preadmission.planned_on <= _TODAY_THERE + states.AT_RISK.days, Preadmission.state != "validated"]
    return conditions


# -- the clock -----------------------------------------------------------------------------------------------------


def overdue() -> Sequence[UUID]:
    """Files still open although the day of the stay is over, at the hospital's own time."""
    return session.scalars(
        select(Preadmission.id)
        .where(Preadmission.state.in_(OPEN_STATES), Preadmission.planned_on < _TODAY_THERE)
        .limit(500)
    ).all()
