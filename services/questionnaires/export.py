"""What this room holds about a person, for the copy of their data: what was asked, and every version answered."""

from collections.abc import Iterator
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from auth.account import export
from auth.account.export import Entry, Fact, Part
from portal.db import session
from services.questionnaires import queries, wording
from services.questionnaires.models import QuestionnaireAnswers, QuestionnaireDraft, SentQuestionnaire


def declare() -> None:
    export.contribute("questionnaires", part)


def part(patient_id: UUID) -> Part:
    """Every questionnaire, with its answers and those that were not sent yet."""
    rows = session.scalars(
        select(SentQuestionnaire)
        .options(
            joinedload(SentQuestionnaire.establishment),
            joinedload(SentQuestionnaire.unit),
            joinedload(SentQuestionnaire.questionnaire),
        )
        .where(SentQuestionnaire.patient_id == patient_id)
        .order_by(SentQuestionnaire.sent_at)
    ).all()
    drafts = queries.drafts_of(patient_id)
    return Part("questionnaires", _l("Questionnaires"), [_entry(each, drafts.get(each.id)) for each in rows])


def _entry(each: SentQuestionnaire, draft: QuestionnaireDraft | None) -> Entry:
    facts = [
        Fact("hospital", _l("Hospital"), each.establishment.name),
        Fact("unit", _l("Unit"), each.unit.name),
        Fact("sent_at", _l("Sent on"), each.sent_at.astimezone(each.tz)),
        Fact("until_at", _l("To answer until"), each.until_at.astimezone(each.tz)),
        Fact("state", _l("State"), each.state, wording.STATES[each.state][0]),
        *(fact for given in reversed(queries.answers_of(each)) for fact in _answers(each, given)),
    ]
    if draft is not None:
        facts.append(Fact("draft", _l("Not sent yet"), _said(each, draft)))
    return Entry(each.title(wording.locale()), facts)


def _answers(sent: SentQuestionnaire, given: QuestionnaireAnswers) -> Iterator[Fact]:
    number = given.version
    yield Fact(f"answered_at_{number}", _l("Answered on"), given.answered_at.astimezone(sent.tz))
    yield Fact(f"answers_{number}", _l("Answers"), _said(sent, given))


def _said(sent: SentQuestionnaire, given: QuestionnaireAnswers | QuestionnaireDraft) -> list[str]:
    lines = wording.lines(sent.definition, given.answers)
    return [f"{each.question} – {each.answer}" for each in lines if each.answers]
