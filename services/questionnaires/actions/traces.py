"""What every change of a sent questionnaire leaves: one immutable row, one line of audit. Neither says any answer."""

from typing import cast
from uuid import UUID, uuid4

from sqlalchemy import Table, insert, select

from portal import audit, db, jobs
from portal.db import session
from services.questionnaires import states
from services.questionnaires.actions.facts import WindowClosed
from services.questionnaires.models import SentQuestionnaire, SentQuestionnaireChange

KIND = "questionnaire"
"""Of the audit's objects."""
_RECORD = insert(cast(Table, SentQuestionnaireChange.__table__)).inline()


def lock(sent_id: UUID) -> SentQuestionnaire:
    """Hold it still, as it is now. Raises WindowClosed when it is not there for the actor (any more)."""
    query = select(SentQuestionnaire).where(SentQuestionnaire.id == sent_id).with_for_update(key_share=True)
    found = session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise WindowClosed
    return found


def go_to(sent: SentQuestionnaire, state: str, what: str, why: str = "") -> None:
    """Change the state. what: the audit's verb; why: a code. Raises states.NotAllowed."""
    states.check(sent.state, state)
    before, sent.state = sent.state, state
    if state not in states.OPEN:
        sent.closed_at = db.now()
    session.flush()
    record(sent, what, before, why)


def record(sent: SentQuestionnaire, what: str, from_state: str | None = None, why: str = "") -> None:
    """One row of history, one line of audit. from_state: None when the state has not changed."""
    actor = db.current_actor()
    session.execute(
        _RECORD,
        {
            "id": uuid4(),
            "sent_id": sent.id,
            "establishment_id": sent.establishment_id,
            "what": what,
            "from_state": sent.state if from_state is None else from_state,
            "to_state": sent.state,
            "by": actor.label,
            "by_name": actor.name,
            "at": db.now(),
            "why": why,
        },
    )
    look(sent, what)


def look(sent: SentQuestionnaire, what: str) -> None:
    """One line of audit."""
    audit.record(
        f"questionnaire.{what}",
        patient_id=sent.patient_id,
        establishment_id=sent.establishment_id,
        object_kind=KIND,
        object_id=sent.id,
    )


def tell(sent: SentQuestionnaire) -> None:
    """Write to the person, and to whoever acts for them in medical matters, that something waits."""
    jobs.enqueue("questionnaires.tell", sent_id=str(sent.id))
