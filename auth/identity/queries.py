"""What the identity unit sees of people who may be one and the same."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from auth.identity.models import PossibleDuplicate
from portal.db import session


def waiting_duplicates(places: Collection[UUID]) -> Sequence[PossibleDuplicate]:
    """Pairs that nobody has decided about, oldest first."""
    return session.scalars(
        _of(places).where(PossibleDuplicate.decided_at.is_(None)).order_by(PossibleDuplicate.found_at).limit(200)
    ).all()


def duplicate(places: Collection[UUID], duplicate_id: UUID) -> PossibleDuplicate | None:
    return session.scalar(_of(places).where(PossibleDuplicate.id == duplicate_id))


def duplicates_of(places: Collection[UUID], patient_id: UUID) -> Sequence[PossibleDuplicate]:
    """Every pair this patient is in, the newest first."""
    pair = (PossibleDuplicate.patient_id == patient_id) | (PossibleDuplicate.older_id == patient_id)
    return session.scalars(_of(places).where(pair).order_by(PossibleDuplicate.found_at.desc())).all()


def _of(places: Collection[UUID]) -> Select[PossibleDuplicate]:
    return (
        select(PossibleDuplicate)
        .options(
            joinedload(PossibleDuplicate.patient),
            joinedload(PossibleDuplicate.older),
            joinedload(PossibleDuplicate.establishment),
        )
        .where(PossibleDuplicate.establishment_id.in_(places))
    )
