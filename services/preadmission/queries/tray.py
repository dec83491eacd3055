"""What agents see: files sent to their hospitals, or begun at their desk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import joinedload

from portal.db import session
from portal.establishments import Site, Unit
from services.preadmission import states
from services.preadmission.models import Preadmission
from services.preadmission.queries.files import PLACE, TODAY_THERE

PAGE_SIZE = 50

GROUPS: Mapping[str, tuple[str, ...]] = {
    "to_process": states.TO_PROCESS,
    "waiting": ("to_complete",),
    "validated": states.READY,
    "closed": ("closed", "refused", "cancelled_by_patient", "cancelled_by_hospital", "lapsed"),
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
        .options(*PLACE, joinedload(Preadmission.patient))
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
        .options(*PLACE, joinedload(Preadmission.patient))
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
        conditions += [
            Preadmission.planned_on <= TODAY_THERE + states.AT_RISK.days,
            Preadmission.state.not_in(states.READY),
        ]
    return conditions
