"""Answers are not kept for ever."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select

from portal.db import session
from services.questionnaires import states
from services.questionnaires.actions import traces
from services.questionnaires.models import AlertNote, QuestionnaireAnswers, QuestionnaireDraft, SentQuestionnaire

_AT_ONCE = 500


def to_forget(before: datetime, establishment_id: UUID | None = None) -> int:
    """How many `forget` would take, in all: the dry run."""
    return (
        session.scalar(select(func.count()).select_from(SentQuestionnaire).where(is_old(before, establishment_id))) or 0
    )


def forget(before: datetime, establishment_id: UUID | None = None, most: int = _AT_ONCE) -> list[UUID]:
    """As the system: delete the answers, drafts and notes of what was closed before that moment; that it was sent, and
    when, is kept without any answer. Returns their ids; fewer than `most`: nothing is left."""
    query = select(SentQuestionnaire).where(is_old(before, establishment_id)).order_by(SentQuestionnaire.closed_at)
    found = session.scalars(query.limit(most).with_for_update(key_share=True, skip_locked=True)).all()
    _empty(found)
    return [each.id for each in found]


def forget_one(sent_id: UUID, before: datetime) -> bool:
    """The same for one, looked at again under its lock; False when it is not due any more."""
    query = select(SentQuestionnaire).where(SentQuestionnaire.id == sent_id, is_old(before))
    found = session.scalars(query.with_for_update(key_share=True)).all()
    _empty(found)
    return bool(found)


def _empty(found: Sequence[SentQuestionnaire]) -> None:
    keys = [each.id for each in found]
    for table in (QuestionnaireDraft, QuestionnaireAnswers, AlertNote):
        session.execute(delete(table).where(table.sent_id.in_(keys)), execution_options={"synchronize_session": False})
    for each in found:
        each.alert = states.NO_ALERT
        traces.go_to(each, states.FORGOTTEN, "forgotten")


def is_old(before: datetime, establishment_id: UUID | None = None) -> ColumnElement[bool]:
    """Closed before that moment, with answers that are still there."""
    closed = SentQuestionnaire.state.in_((states.ANSWERED, states.EXPIRED, states.WITHDRAWN))
    found = closed & (SentQuestionnaire.closed_at < before)
    return found & (SentQuestionnaire.establishment_id == establishment_id) if establishment_id else found
