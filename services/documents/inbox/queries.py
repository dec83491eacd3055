"""What agents are offered while they answer: always for given hospitals."""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload

from portal.db import session
from portal.establishments import today_at
from services.documents.inbox.models import Absence, ReplyText


def texts_for(establishment_id: UUID, unit_id: UUID | None) -> Sequence[ReplyText]:
    """The texts offered to this unit, by title."""
    return session.scalars(
        select(ReplyText)
        .where(
            ReplyText.establishment_id == establishment_id,
            ReplyText.removed_at.is_(None),
            or_(ReplyText.unit_id.is_(None), ReplyText.unit_id == unit_id),
        )
        .order_by(ReplyText.title, ReplyText.id)
    ).all()


def texts_at(establishments: Collection[UUID]) -> Sequence[ReplyText]:
    """The texts of these hospitals, by title."""
    return session.scalars(
        select(ReplyText)
        .options(joinedload(ReplyText.establishment), joinedload(ReplyText.unit))
        .where(ReplyText.establishment_id.in_(establishments), ReplyText.removed_at.is_(None))
        .order_by(ReplyText.title, ReplyText.id)
    ).all()


def text_at(establishments: Collection[UUID], text_id: UUID) -> ReplyText | None:
    return session.scalar(
        select(ReplyText).where(
            ReplyText.id == text_id,
            ReplyText.establishment_id.in_(establishments),
            ReplyText.removed_at.is_(None),
        )
    )


def deputy(establishment_id: UUID, account_id: UUID, day: date) -> Absence | None:
    """The absence of this agent that day, when they are away."""
    return session.scalars(
        select(Absence)
        .where(
            Absence.establishment_id == establishment_id,
            Absence.account_id == account_id,
            Absence.first_on <= day,
            Absence.last_on >= day,
            Absence.ended_at.is_(None),
        )
        .order_by(Absence.first_on.desc())
        .limit(1)
    ).first()


def absences_at(establishments: Collection[UUID]) -> Sequence[Absence]:
    """Absences of these hospitals that are not over, the nearest first."""
    return session.scalars(
        select(Absence)
        .options(joinedload(Absence.establishment))
        .where(
            Absence.establishment_id.in_(establishments),
            Absence.last_on >= today_at(Absence.establishment_id),
            Absence.ended_at.is_(None),
        )
        .order_by(Absence.first_on, Absence.account_name)
    ).all()


def absence_at(establishments: Collection[UUID], absence_id: UUID) -> Absence | None:
    here = Absence.establishment_id.in_(establishments)
    return session.scalar(select(Absence).where(Absence.id == absence_id, here, Absence.ended_at.is_(None)))
