"""Targets: what a hospital aims at, from a day on. Its own word: none is an official number."""

import math
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on

from portal import audit, db
from portal.db import session
from portal.kpi.catalogue import definition
from portal.kpi.models import GROUP_WIDE, KpiTarget

Targets = Mapping[tuple[str, UUID | None], float]


class NotATarget(ValueError):
    """The number cannot be a value of this figure."""


def set_target(code: str, establishment_id: UUID | None, value: float | None, *, from_on: date) -> KpiTarget:
    """Aim at a value from a day on; None withdraws the target. establishment_id: None for the whole group.

    value: as `Figure.value` gives it (a rate between 0 and 1, cents, hours…). The former word stays in the history;
    undoing is setting the former value again. Raises KeyError, NotATarget.
    """
    most = 1.0 if definition(code).unit == "rate" else math.inf
    if value is not None and not (math.isfinite(value) and 0 <= value <= most):
        raise NotATarget(value)
    actor = db.current_actor()
    made = KpiTarget(
        id=uuid4(), code=code, establishment_id=establishment_id or GROUP_WIDE, value=value, from_on=from_on,
        set_by=actor.label, set_by_name=actor.name,
    )  # fmt: skip
    session.add(made)
    session.flush()
    audit.record(
        "figure_target.set",
        establishment_id=establishment_id,
        object_kind="figure_target",
        object_id=made.id,
        code=code,
        value="" if value is None else repr(value),
        from_on=from_on.isoformat(),
    )
    return made


def targets(codes: Collection[str], establishment_ids: Collection[UUID | None], on: date) -> Targets:
    """(Code, establishment or None for the group) → the value aimed at on this day; one statement.

    The latest day that has begun counts and, for one day, the last word.
    """
    places = [place or GROUP_WIDE for place in establishment_ids]
    rows = session.execute(
        select(KpiTarget.code, KpiTarget.establishment_id, KpiTarget.value)
        .ext(distinct_on(KpiTarget.code, KpiTarget.establishment_id))
        .where(KpiTarget.code.in_(codes), KpiTarget.establishment_id.in_(places), KpiTarget.from_on <= on)
        .order_by(
            KpiTarget.code, KpiTarget.establishment_id, KpiTarget.from_on.desc(), KpiTarget.set_at.desc(), KpiTarget.id
        )
    )
    return {(code, None if place == GROUP_WIDE else place): value for code, place, value in rows if value is not None}


def target_history(code: str, establishment_id: UUID | None) -> Sequence[KpiTarget]:
    """Every word about the target of a figure, the last one first."""
    return session.scalars(
        select(KpiTarget)
        .where(KpiTarget.code == code, KpiTarget.establishment_id == (establishment_id or GROUP_WIDE))
        .order_by(KpiTarget.set_at.desc(), KpiTarget.id)
    ).all()
