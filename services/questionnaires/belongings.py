"""Questionnaires, drafts and answers follow when two people turn out to be one, and come back."""

from typing import Any
from uuid import UUID

from sqlalchemy import update

from auth.enrolment.belongings import Belongings, Move, Rows, register
from portal.db import session
from services.questionnaires.models import AlertNote, QuestionnaireAnswers, QuestionnaireDraft, SentQuestionnaire

_INSIDE: tuple[Any, ...] = (QuestionnaireDraft, QuestionnaireAnswers, AlertNote)


def adopt(move: Move) -> Rows:
    """What that hospital asked."""
    moved = session.scalars(
        update(SentQuestionnaire)
        .where(
            SentQuestionnaire.establishment_id == move.establishment_id,
            SentQuestionnaire.patient_id == move.from_id,
        )
        .values(patient_id=move.to_id)
        .returning(SentQuestionnaire.id)
    ).all()
    _follow(list(moved), move)
    return {"sent_questionnaire": moved}


def release(move: Move, moved: Rows) -> None:
    sent = list(moved.get("sent_questionnaire", ()))
    session.execute(update(SentQuestionnaire).where(SentQuestionnaire.id.in_(sent)).values(patient_id=move.to_id))
    _follow(sent, move)


def _follow(sent: list[UUID], move: Move) -> None:
    for table in _INSIDE:
        session.execute(
            update(table).where(table.sent_id.in_(sent)).values(patient_id=move.to_id),
            execution_options={"synchronize_session": False},
        )


def declare() -> None:
    """Say what this room holds to whoever links people."""
    register(Belongings("questionnaires", adopt, release))
