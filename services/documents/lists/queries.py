"""Lists of correspondents: always for given hospitals."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from portal.db import session
from services.documents.lists.models import CorrespondentList


def lists_at(establishments: Collection[UUID]) -> Sequence[CorrespondentList]:
    """The lists of these hospitals with their members, by theme and name."""
    return session.scalars(
        select(CorrespondentList)
        .options(joinedload(CorrespondentList.establishment), selectinload(CorrespondentList.members))
        .where(CorrespondentList.establishment_id.in_(establishments), CorrespondentList.removed_at.is_(None))
        .order_by(CorrespondentList.theme, CorrespondentList.name, CorrespondentList.id)
    ).all()


def list_at(establishments: Collection[UUID], list_id: UUID) -> CorrespondentList | None:
    return next((each for each in lists_at(establishments) if each.id == list_id), None)
