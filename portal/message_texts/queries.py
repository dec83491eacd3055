"""Texts of hospitals: the one in use, those of a hospital, their history."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on

from portal.db import session
from portal.message_texts.models import MessageText


def in_use(establishment_id: UUID, kind: str, language: str) -> MessageText | None:
    """The hospital's own text; None: it uses the portal's words."""
    query = (
        select(MessageText)
        .where(
            MessageText.establishment_id == establishment_id,
            MessageText.kind == kind,
            MessageText.language == language,
        )
        .order_by(MessageText.version.desc())
        .limit(1)
    )
    found = session.scalar(query)
    return None if found is None or found.is_default else found


def history(establishment_id: UUID, kind: str, language: str) -> Sequence[MessageText]:
    """Every version, the latest first."""
    query = select(MessageText).where(
        MessageText.establishment_id == establishment_id,
        MessageText.kind == kind,
        MessageText.language == language,
    )
    return session.scalars(query.order_by(MessageText.version.desc())).all()


def own(establishment_id: UUID, kinds: Collection[str] = ()) -> Mapping[tuple[str, str], MessageText]:
    """(kind, language) → the text in use, of those that the hospital wrote itself. kinds: all when empty."""
    query = (
        select(MessageText)
        .ext(distinct_on(MessageText.kind, MessageText.language))
        .where(MessageText.establishment_id == establishment_id)
        .order_by(MessageText.kind, MessageText.language, MessageText.version.desc())
    )
    if kinds:
        query = query.where(MessageText.kind.in_(kinds))
    return {(each.kind, each.language): each for each in session.scalars(query) if not each.is_default}
