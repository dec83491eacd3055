"""How long answers to questionnaires are kept here: the hospital's record has its own copy."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from portal import retention
from portal.db import session
from portal.retention import Due, Rule
from services.questionnaires.actions import forgetting
from services.questionnaires.models import SentQuestionnaire


def declare() -> None:
    retention.offer(
        Rule(
            "questionnaire",
            _l("Answers to questionnaires"),
            _l("Counted from the day they were sent to the hospital, or expired"),
            365, _due, forgetting.forget_one, most=1825,
        )
    )  # fmt: skip


def _due(place: UUID | None, before: datetime, limit: int) -> Sequence[Due]:
    rows = session.execute(
        select(SentQuestionnaire.id, SentQuestionnaire.patient_id, SentQuestionnaire.object_id)
        .where(forgetting.is_old(before, place))
        .order_by(SentQuestionnaire.closed_at)
        .limit(limit)
    )
    return [Due(sent_id, frozenset({patient_id, about or patient_id})) for sent_id, patient_id, about in rows]
