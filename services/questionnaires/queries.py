"""What the pages read: the person's questionnaires, the tray of a unit, definitions, plans, what a machine asks."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, case, func, or_, select
from sqlalchemy.orm import joinedload

from auth.models import PatientRecord
from portal import db
from portal.db import session
from portal.establishments import Establishment, Unit
from services.questionnaires import states
from services.questionnaires.models import (
    AlertNote,
    Questionnaire,
    QuestionnaireAnswers,
    QuestionnaireDraft,
    QuestionnairePlan,
    SentQuestionnaire,
    SentQuestionnaireChange,
)

PAGE_SIZE = 50
SHOWN_FOR = timedelta(days=400)
"""How long closed ones stay in the person's list."""
TRAYS = ("alerts", "answered", "waiting", "overdue", "closed")


def _sent() -> Select[SentQuestionnaire]:
    return select(SentQuestionnaire).options(
        joinedload(SentQuestionnaire.establishment),
        joinedload(SentQuestionnaire.patient),
        joinedload(SentQuestionnaire.unit),
        joinedload(SentQuestionnaire.questionnaire),
    )


# -- the person's --------------------------------------------------------------------------------------------------


def of_patient(patient_id: UUID) -> Sequence[SentQuestionnaire]:
    """To answer first, the soonest over first; then those closed within a year, the latest first."""
    is_open = SentQuestionnaire.state.in_(states.OPEN) & (SentQuestionnaire.until_at > db.now())
    shown = SentQuestionnaire.state.in_((states.ANSWERED, states.EXPIRED)) & (
        SentQuestionnaire.sent_at > db.now() - SHOWN_FOR
    )
    late = SentQuestionnaire.state.in_(states.OPEN)
    return session.scalars(
        _sent()
        .where(SentQuestionnaire.patient_id == patient_id, or_(is_open, shown, late))
        .order_by(is_open.desc(), case((is_open, SentQuestionnaire.until_at)), SentQuestionnaire.sent_at.desc())
    ).all()


def one_of_patient(patient_id: UUID, sent_id: UUID) -> SentQuestionnaire | None:
    """Unless the hospital took it back, or its answers were forgotten."""
    gone = (states.WITHDRAWN, states.FORGOTTEN)
    return session.scalar(
        _sent().where(
            SentQuestionnaire.id == sent_id,
            SentQuestionnaire.patient_id == patient_id,
            SentQuestionnaire.state.not_in(gone),
        )
    )


def answers_of(sent: SentQuestionnaire) -> Sequence[QuestionnaireAnswers]:
    """Every version that was sent, the latest first."""
    query = select(QuestionnaireAnswers).where(QuestionnaireAnswers.sent_id == sent.id)
    return session.scalars(query.order_by(QuestionnaireAnswers.version.desc())).all()


def drafts_of(patient_id: UUID) -> Mapping[UUID, QuestionnaireDraft]:
    """Sent id → the draft of its answers."""
    rows = session.scalars(select(QuestionnaireDraft).where(QuestionnaireDraft.patient_id == patient_id))
    return {each.sent_id: each for each in rows}


# -- the unit's ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sieve:
    """What the tray shows. tray: one of TRAYS; units: None for all; code: of one questionnaire, "" for all."""

    tray: str = "alerts"
    units: Collection[UUID] | None = None
    code: str = ""


def tray(establishments: Collection[UUID], sieve: Sieve, page: int) -> Sequence[SentQuestionnaire]:
    """A page of it, and one more when there is a next page. Alerts first, the oldest first; else the latest first."""
    order: tuple[ColumnElement[Any], ...] = (SentQuestionnaire.answered_at.asc(),)
    if sieve.tray != "alerts":
        order = (func.coalesce(SentQuestionnaire.answered_at, SentQuestionnaire.sent_at).desc(),)
    query = _sent().where(*_sieved(establishments, sieve), _in_tray(sieve.tray)).order_by(*order, SentQuestionnaire.id)
    return session.scalars(query.limit(PAGE_SIZE + 1).offset((page - 1) * PAGE_SIZE)).all()


def counts(establishments: Collection[UUID], sieve: Sieve) -> Mapping[str, int]:
    """How many are in each tray."""
    kinds = [name for name in TRAYS if name != "closed"]
    columns = [func.count().filter(_in_tray(name)).label(name) for name in kinds]
    query = select(*columns).select_from(SentQuestionnaire).where(*_sieved(establishments, sieve))
    row = session.execute(query).one()
    return {name: int(row._mapping[name]) for name in kinds}


def _in_tray(name: str) -> ColumnElement[bool]:
    table, now = SentQuestionnaire, db.now()
    found: Mapping[str, ColumnElement[bool]] = {
        "alerts": table.alert == states.ALERT_OPEN,
        "answered": (table.state == states.ANSWERED) & (table.answered_at > now - timedelta(days=90)),
        "waiting": table.state.in_(states.OPEN) & (table.until_at > now),
        "overdue": or_(
            table.state.in_(states.OPEN) & (table.until_at <= now),
            (table.state == states.EXPIRED) & (table.until_at > now - timedelta(days=30)),
        ),
        "closed": table.state.in_((states.EXPIRED, states.WITHDRAWN)),
    }
    return found[name]


def _sieved(establishments: Collection[UUID], sieve: Sieve) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [SentQuestionnaire.establishment_id.in_(establishments)]
    if sieve.units is not None:
        found.append(SentQuestionnaire.unit_id.in_(sieve.units))
    if sieve.code:
        asked = select(Questionnaire.id).where(Questionnaire.code == sieve.code)
        found.append(SentQuestionnaire.questionnaire_id.in_(asked))
    return found


def one_at(sent_id: UUID, establishments: Collection[UUID]) -> SentQuestionnaire | None:
    return session.scalar(
        _sent().where(SentQuestionnaire.id == sent_id, SentQuestionnaire.establishment_id.in_(establishments))
    )


def notes_of(sent: SentQuestionnaire) -> Sequence[AlertNote]:
    query = select(AlertNote).where(AlertNote.sent_id == sent.id)
    return session.scalars(query.order_by(AlertNote.at.desc())).all()


def changes(sent: SentQuestionnaire) -> Sequence[SentQuestionnaireChange]:
    """What happened to it, the latest first."""
    query = select(SentQuestionnaireChange).where(SentQuestionnaireChange.sent_id == sent.id)
    return session.scalars(query.order_by(SentQuestionnaireChange.at.desc())).all()


def number_of(sent: SentQuestionnaire) -> str:
    """The patient's number at the hospital (IPP), "" when it has given none."""
    query = select(PatientRecord.ipp).where(
        PatientRecord.patient_id == sent.patient_id, PatientRecord.establishment_id == sent.establishment_id
    )
    return session.scalar(query) or ""


def units_at(establishments: Collection[UUID]) -> Sequence[Unit]:
    """By hospital, then name."""
    return session.scalars(
        select(Unit)
        .options(joinedload(Unit.establishment))
        .join(Establishment, Establishment.id == Unit.establishment_id)
        .where(Unit.establishment_id.in_(establishments))
        .order_by(Establishment.name, Unit.name)
    ).all()


# -- definitions and plans -----------------------------------------------------------------------------------------


def definitions(establishments: Collection[UUID], *, retired: bool = False) -> Sequence[Questionnaire]:
    """Drafts and what is published, or what is retired; by title, the latest version first."""
    wanted = (states.RETIRED,) if retired else (states.DRAFT, states.PUBLISHED)
    return session.scalars(
        select(Questionnaire)
        .options(joinedload(Questionnaire.establishment))
        .where(Questionnaire.establishment_id.in_(establishments), Questionnaire.state.in_(wanted))
        .order_by(Questionnaire.title, Questionnaire.code, Questionnaire.version.desc())
    ).all()


def definition_at(questionnaire_id: UUID, establishments: Collection[UUID]) -> Questionnaire | None:
    return session.scalar(
        select(Questionnaire)
        .options(joinedload(Questionnaire.establishment))
        .where(Questionnaire.id == questionnaire_id, Questionnaire.establishment_id.in_(establishments))
    )


def shared_elsewhere(establishments: Collection[UUID]) -> Sequence[Questionnaire]:
    """What other hospitals of the group let one copy."""
    return session.scalars(
        select(Questionnaire)
        .options(joinedload(Questionnaire.establishment))
        .where(
            Questionnaire.shared,
            Questionnaire.state == states.PUBLISHED,
            Questionnaire.establishment_id.not_in(establishments),
        )
        .order_by(Questionnaire.title)
    ).all()


def shared_one(questionnaire_id: UUID) -> Questionnaire | None:
    return session.scalar(
        select(Questionnaire).where(
            Questionnaire.id == questionnaire_id, Questionnaire.shared, Questionnaire.state == states.PUBLISHED
        )
    )


def versions(questionnaire: Questionnaire) -> Sequence[Questionnaire]:
    """Every version of it, the latest first."""
    return session.scalars(
        select(Questionnaire)
        .where(
            Questionnaire.establishment_id == questionnaire.establishment_id, Questionnaire.code == questionnaire.code
        )
        .order_by(Questionnaire.version.desc())
    ).all()


@dataclass(frozen=True)
class Uses:
    """Who counts on a questionnaire, all versions together. plans: those that send it by themselves; waiting: sent,
    not answered yet; answered: how often it was."""

    plans: Sequence[QuestionnairePlan]
    waiting: int
    answered: int


def uses(questionnaire: Questionnaire) -> Uses:
    """At its hospital."""
    here = QuestionnairePlan.establishment_id == questionnaire.establishment_id
    query = select(QuestionnairePlan).where(here, QuestionnairePlan.code == questionnaire.code)
    active = query.where(QuestionnairePlan.stopped_at.is_(None)).options(joinedload(QuestionnairePlan.unit))
    of_code = Questionnaire.code == questionnaire.code
    counted = (
        select(
            func.count().filter(SentQuestionnaire.state.in_(states.OPEN)),
            func.count().filter(SentQuestionnaire.state == states.ANSWERED),
        )
        .join(Questionnaire, Questionnaire.id == SentQuestionnaire.questionnaire_id)
        .where(SentQuestionnaire.establishment_id == questionnaire.establishment_id, of_code)
    )
    waiting, answered = session.execute(counted).one()
    return Uses(session.scalars(active.order_by(QuestionnairePlan.created_at)).all(), waiting, answered)


def to_send(establishments: Collection[UUID]) -> Sequence[Questionnaire]:
    """What may be sent by hand or by a plan."""
    return [each for each in definitions(establishments) if each.state == states.PUBLISHED]


def plans(establishments: Collection[UUID]) -> Sequence[QuestionnairePlan]:
    """Those that send first, then those that were stopped."""
    return session.scalars(
        select(QuestionnairePlan)
        .options(joinedload(QuestionnairePlan.establishment), joinedload(QuestionnairePlan.unit))
        .where(QuestionnairePlan.establishment_id.in_(establishments))
        .order_by(QuestionnairePlan.stopped_at.is_not(None), QuestionnairePlan.offset_days, QuestionnairePlan.code)
    ).all()


def plan_at(plan_id: UUID, establishments: Collection[UUID]) -> QuestionnairePlan | None:
    return session.scalar(
        select(QuestionnairePlan).where(
            QuestionnairePlan.id == plan_id, QuestionnairePlan.establishment_id.in_(establishments)
        )
    )


# -- for machines --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """What a search wants. None: anything; empty: nothing can match. Moments: [since, until[."""

    ids: Collection[UUID] | None = None
    patients: Sequence[Collection[UUID]] = field(default_factory=tuple)
    questionnaires: Collection[UUID] | None = None
    since: datetime | None = None
    until: datetime | None = None


def responses(establishment_id: UUID, asked: Asked, count: int, offset: int) -> tuple[Sequence[SentQuestionnaire], int]:
    """A page of those that were answered, in order of time, and how many there are."""
    table = SentQuestionnaire
    conditions = [table.establishment_id == establishment_id, table.state == states.ANSWERED]
    conditions += [table.patient_id.in_(group) for group in asked.patients]
    if asked.ids is not None:
        conditions.append(table.id.in_(asked.ids))
    if asked.questionnaires is not None:
        conditions.append(table.questionnaire_id.in_(asked.questionnaires))
    if asked.since:
        conditions.append(table.answered_at >= asked.since)
    if asked.until:
        conditions.append(table.answered_at < asked.until)
    total = session.scalar(select(func.count()).select_from(table).where(*conditions)) or 0
    if not count or offset >= total:
        return [], total
    query = _sent().where(*conditions).order_by(table.answered_at, table.id)
    return session.scalars(query.limit(count).offset(offset)).all(), total


def last_answers(sent: Collection[SentQuestionnaire]) -> Mapping[UUID, QuestionnaireAnswers]:
    """Sent id → its latest version."""
    query = (
        select(QuestionnaireAnswers)
        .where(QuestionnaireAnswers.sent_id.in_([each.id for each in sent]))
        .order_by(QuestionnaireAnswers.version)
    )
    return {each.sent_id: each for each in session.scalars(query)}


def numbers(sent: Collection[SentQuestionnaire], establishment_id: UUID) -> Mapping[UUID, str]:
    """Patient → their number at the hospital."""
    query = select(PatientRecord.patient_id, PatientRecord.ipp).where(
        PatientRecord.establishment_id == establishment_id,
        PatientRecord.patient_id.in_({each.patient_id for each in sent}),
    )
    return {patient_id: ipp for patient_id, ipp in session.execute(query) if ipp}
