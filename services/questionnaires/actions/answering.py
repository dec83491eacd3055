"""The person answers, page by page, on one device or several, and sends; corrects while there is time."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import delete

from auth import acts
from portal import db, kpi
from portal.db import session
from services.questionnaires import answers as rules
from services.questionnaires import calendar, states
from services.questionnaires.actions import traces
from services.questionnaires.actions.facts import ChangedMeanwhile, Incomplete, NotAnAnswer, WindowClosed
from services.questionnaires.definition.items import Value
from services.questionnaires.models import QuestionnaireAnswers, QuestionnaireDraft, SentQuestionnaire


@dataclass(frozen=True)
class Saved:
    """What one page says. version: of the draft that the page showed (0: there was none)."""

    values: Mapping[str, tuple[Value, ...]]
    version: int


def draft_of(sent: SentQuestionnaire) -> QuestionnaireDraft | None:
    return session.get(QuestionnaireDraft, sent.id)


def save(sent: SentQuestionnaire, saved: Saved) -> QuestionnaireDraft:
    """Keep the answers of one page. Raises WindowClosed, ChangedMeanwhile, NotAnAnswer."""
    sent = _open(sent.id)
    for link_id, values in saved.values.items():
        item = sent.definition.item(link_id)
        if item is None or not item.is_question or not rules.is_allowed(item, values):
            raise NotAnAnswer(link_id)
    draft = session.get(QuestionnaireDraft, sent.id, populate_existing=True)
    if (draft.version if draft else 0) != saved.version:
        raise ChangedMeanwhile
    if draft is None:
        draft = _new_draft(sent, {})
    else:
        draft.version, draft.changed_at = draft.version + 1, db.now()
    draft.sealed = rules.dump(rules.merged(draft.answers, saved.values))
    session.flush()
    if sent.state == states.WAITING:
        traces.go_to(sent, states.BEGUN, "begun")
    return draft


def _open(sent_id: UUID) -> SentQuestionnaire:
    """Locked, and still to answer or to correct."""
    sent = traces.lock(sent_id)
    if not may_answer(sent):
        raise WindowClosed
    return sent


def may_answer(sent: SentQuestionnaire) -> bool:
    """To answer, or to correct what was sent."""
    return sent.state in (*states.OPEN, states.ANSWERED) and db.now() < sent.until_at + calendar.GRACE


def _new_draft(sent: SentQuestionnaire, values: Mapping[str, tuple[Value, ...]]) -> QuestionnaireDraft:
    made = QuestionnaireDraft(
        sent_id=sent.id,
        patient_id=sent.patient_id,
        establishment_id=sent.establishment_id,
        version=1,
        sealed=rules.dump(values),
        changed_at=db.now(),
    )
    session.add(made)
    return made


def correct(sent: SentQuestionnaire, former: QuestionnaireAnswers) -> None:
    """Begin again from what was sent; it stays as it is until the correction is sent. Raises WindowClosed."""
    sent = _open(sent.id)
    if sent.state != states.ANSWERED:
        raise WindowClosed
    if session.get(QuestionnaireDraft, sent.id) is None:
        _new_draft(sent, former.answers)
        session.flush()
        traces.record(sent, "corrected")


def give_up_correction(sent: SentQuestionnaire) -> None:
    """Keep what was sent. Raises WindowClosed."""
    sent = _open(sent.id)
    if sent.state != states.ANSWERED:
        raise WindowClosed
    traces.record(sent, "kept")
    session.execute(delete(QuestionnaireDraft).where(QuestionnaireDraft.sent_id == sent.id))
    session.expire_all()


def submit(sent: SentQuestionnaire, version: int) -> QuestionnaireAnswers:
    """Send the answers. version: of the draft that was checked. Raises WindowClosed, ChangedMeanwhile, Incomplete."""
    sent = _open(sent.id)
    draft = session.get(QuestionnaireDraft, sent.id, populate_existing=True)
    if (draft.version if draft else 0) != version:
        raise ChangedMeanwhile
    given = rules.kept(sent.definition, draft.answers if draft else {})
    if missing := rules.missing(sent.definition, given):
        raise Incomplete([each.link_id for each in missing])
    made = _answers(sent, given)
    session.add(made)
    if draft is not None:
        session.delete(draft)
    sent.answer_version, sent.answered_at = made.version, made.answered_at
    if made.alerts:  # a correction takes no alert away that nobody has seen
        sent.alert = states.ALERT_OPEN
    traces.go_to(sent, states.ANSWERED, "answered" if made.version == 1 else "answered_again")
    _count(sent, made)
    return made


def _answers(sent: SentQuestionnaire, given: Mapping[str, tuple[Value, ...]]) -> QuestionnaireAnswers:
    actor = db.current_actor()
    return QuestionnaireAnswers(
        id=uuid4(),
        sent_id=sent.id,
        patient_id=sent.patient_id,
        establishment_id=sent.establishment_id,
        version=sent.answer_version + 1,
        sealed=rules.dump(given),
        alerts=len(rules.alerts(sent.definition, given)),
        answered_at=db.now(),
        by=actor.label,
        by_name=actor.name,
        by_proxy=sent.patient_id in actor.proxied,
    )


def _count(sent: SentQuestionnaire, made: QuestionnaireAnswers) -> None:
    """Figures say how many, never what."""
    if made.version == 1:
        kpi.count("questionnaire_answered", establishment_id=sent.establishment_id)
        acts.count("questionnaires", sent.establishment_id, sent.patient_id)
    if made.alerts:
        kpi.count("questionnaire_alert", establishment_id=sent.establishment_id)
