"""What is sent by itself, around which kind of day."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from portal import audit, db
from portal.db import session
from services.questionnaires.models import QuestionnairePlan


@dataclass(frozen=True)
class Wish:
    """What an agent sets. code: of the questionnaire; unit_id: None for every unit."""

    establishment_id: UUID
    code: str
    occasion: str
    unit_id: UUID | None
    about: str
    offset_days: int
    answer_days: int
    remind_after: tuple[int, ...]


def add(wish: Wish) -> QuestionnairePlan:
    """A new plan: it sends from its next tick on, never for days that have passed for longer than one may answer."""
    made = QuestionnairePlan(
        id=uuid4(),
        establishment_id=wish.establishment_id,
        code=wish.code,
        occasion=wish.occasion,
        unit_id=wish.unit_id,
        about=wish.about,
        offset_days=wish.offset_days,
        answer_days=wish.answer_days,
        remind_after=sorted(set(wish.remind_after)),
        created_at=db.now(),
    )
    session.add(made)
    session.flush()
    _record(made, "added")
    return made


def stop(plan: QuestionnairePlan) -> None:
    """It sends nothing more; what it sent may still be answered."""
    if plan.stopped_at is None:
        plan.stopped_at = db.now()
        session.flush()
        _record(plan, "stopped")


def resume(plan: QuestionnairePlan) -> None:
    if plan.stopped_at is not None:
        plan.stopped_at = None
        session.flush()
        _record(plan, "resumed")


def _record(plan: QuestionnairePlan, what: str) -> None:
    audit.record(
        f"questionnaire_plan.{what}",
        establishment_id=plan.establishment_id,
        object_kind="questionnaire_plan",
        object_id=plan.id,
        code=plan.code,
    )
