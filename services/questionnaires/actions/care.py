"""The unit: opens answers, sees to alerts. Every opening is written down."""

from uuid import UUID, uuid4

from portal import audit, db, kpi
from portal.db import session
from services.questionnaires import states
from services.questionnaires.actions import traces
from services.questionnaires.actions.facts import ChangedMeanwhile, NothingToSee
from services.questionnaires.models import AlertNote, SentQuestionnaire


def open_answers(sent: SentQuestionnaire, way: str = "opened") -> None:
    """Somebody of the hospital reads what was answered. way: opened, printed (as a PDF), read (by a machine)."""
    traces.look(sent, way)


def open_tray(establishment_id: UUID | None, count: int) -> None:
    """A list with names was shown."""
    audit.record("questionnaire_list.opened", establishment_id=establishment_id, count=count)


def read_list(establishment_id: UUID, count: int) -> None:
    """A machine read a list."""
    audit.record("questionnaire_list.read", establishment_id=establishment_id, count=count)


def see_to_alert(sent: SentQuestionnaire, version: int, note: str) -> None:
    """Say that the alerts of these answers were seen, and what was done. version: the one that was read.

    Raises NothingToSee (a colleague was quicker), ChangedMeanwhile (the person has corrected their answers).
    """
    sent = traces.lock(sent.id)
    if sent.alert != states.ALERT_OPEN:
        raise NothingToSee
    if sent.answer_version != version:
        raise ChangedMeanwhile
    actor = db.current_actor()
    session.add(
        AlertNote(
            id=uuid4(),
            sent_id=sent.id,
            patient_id=sent.patient_id,
            establishment_id=sent.establishment_id,
            version=version,
            note=note,
            by=actor.label,
            by_name=actor.name,
            at=db.now(),
        )
    )
    sent.alert = states.ALERT_SEEN
    session.flush()
    traces.record(sent, "alert_seen")
    kpi.count("questionnaire_alert_seen", establishment_id=sent.establishment_id)
