"""Questionnaires and their versions, the plans that send them, those sent to somebody, drafts and answers, changes."""

from datetime import date, datetime
from functools import cached_property
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Boolean, CheckConstraint, Date, ForeignKey, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from auth.identity.sealing import SealedText
from auth.models import Patient
from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment, Unit
from services.questionnaires import answers, states
from services.questionnaires.definition import parsing
from services.questionnaires.definition.items import Definition, Value

SERVICE = "questionnaires"
RIGHT = "care"
SCOPE = "medical"
"""The matter of a mandate that reaches answers."""


def _among(column: str, values: tuple[str, ...]) -> str:
    return f"{column} in ({', '.join(repr(value) for value in values)})"


class Questionnaire(Keyed, Base):
    """One version of what a hospital asks. content: FHIR JSON, unchangeable once published (a trigger sees to it).

    code: the same for all versions at one hospital. former_content: of a draft, before its last change. shared: other
    hospitals of the group may copy it.
    """

    __tablename__ = "questionnaire"
    __table_args__ = (
        UniqueConstraint("establishment_id", "code", "version"),
        CheckConstraint(_among("state", states.DEFINITION_STATES), "state"),
        CheckConstraint("version > 0", "version"),
        Index(
            "uq_questionnaire_published",
            "establishment_id",
            "code",
            unique=True,
            postgresql_where=text("state = 'published'"),
        ),
        Index(
            "uq_questionnaire_draft", "establishment_id", "code", unique=True, postgresql_where=text("state = 'draft'")
        ),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    code: Mapped[str]
    version: Mapped[int] = mapped_column(SmallInteger, default=1)
    state: Mapped[str] = mapped_column(default=states.DRAFT)
    title: Mapped[str]
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    former_content: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    shared: Mapped[bool] = mapped_column(default=False)
    changed_at: Mapped[datetime] = mapped_column(default=db.now)
    changed_by_name: Mapped[str] = mapped_column(default="")
    published_at: Mapped[datetime | None]
    retired_at: Mapped[datetime | None]

    establishment: Mapped[Establishment] = relationship()

    @cached_property
    def definition(self) -> Definition:
        return parsing.read(self.content, draft=self.state == states.DRAFT)


class QuestionnairePlan(Keyed, Base):
    """Sends a questionnaire around something that happens on a day (see `occasions`).

    occasion, about: what it is attached to; about: "" for all of the unit's. offset_days: from the day (-2: two days
    before). answer_days: how many days one may answer, the first included. remind_after: days after it was sent.
    """

    __tablename__ = "questionnaire_plan"
    __table_args__ = (
        CheckConstraint("offset_days between -90 and 400", "offset"),
        CheckConstraint("answer_days between 1 and 90", "answer_days"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    code: Mapped[str]
    occasion: Mapped[str]
    unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"))
    about: Mapped[str] = mapped_column(default="", server_default="")
    offset_days: Mapped[int] = mapped_column(SmallInteger)
    answer_days: Mapped[int] = mapped_column(SmallInteger)
    remind_after: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger), default=list, server_default="{}")
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    stopped_at: Mapped[datetime | None]

    establishment: Mapped[Establishment] = relationship()
    unit: Mapped[Unit | None] = relationship()


class SentQuestionnaire(Keyed, Base):
    """A questionnaire that waits for somebody's answers, or has them.

    occasion, object_id, day: what it is about, when a plan sent it. until_at: when one may no longer answer.
    answer_version: how many times it was answered (0: never). alert: see states.ALERTS.
    """

    __tablename__ = "sent_questionnaire"
    __table_args__ = (
        CheckConstraint(_among("state", states.STATES), "state"),
        CheckConstraint(_among("alert", states.ALERTS), "alert"),
        CheckConstraint("(state = 'answered') <= (answer_version > 0)", "answered"),
        # What was withdrawn because its day changed is sent again for the new one.
        Index(
            "uq_sent_questionnaire_plan_id_object_id",
            "plan_id",
            "object_id",
            unique=True,
            postgresql_where=text("state <> 'withdrawn'"),
        ),
        Index("ix_sent_questionnaire_establishment_id_state", "establishment_id", "state", "sent_at"),
        Index(
            "ix_sent_questionnaire_alert", "establishment_id", "answered_at", postgresql_where=text("alert = 'open'")
        ),
        Index("ix_sent_questionnaire_open", "until_at", postgresql_where=text("state in ('waiting', 'begun')")),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), index=True)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    questionnaire_id: Mapped[UUID] = mapped_column(ForeignKey("questionnaire.id"), index=True)
    plan_id: Mapped[UUID | None] = mapped_column(ForeignKey("questionnaire_plan.id"))
    occasion: Mapped[str] = mapped_column(default="", server_default="")
    object_id: Mapped[UUID | None] = mapped_column(index=True)
    day: Mapped[date | None] = mapped_column(Date)
    state: Mapped[str] = mapped_column(default=states.WAITING)
    alert: Mapped[str] = mapped_column(default=states.NO_ALERT, server_default="")
    answer_version: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    sent_at: Mapped[datetime] = mapped_column(default=db.now)
    sent_by_name: Mapped[str] = mapped_column(default="", server_default="")
    until_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    remind_after: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger), default=list, server_default="{}")
    reminders: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    masked: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")

    establishment: Mapped[Establishment] = relationship()
    patient: Mapped[Patient] = relationship()
    unit: Mapped[Unit] = relationship()
    questionnaire: Mapped[Questionnaire] = relationship()

    @property
    def tz(self) -> ZoneInfo:
        return self.establishment.tz

    @property
    def is_open(self) -> bool:
        return self.state in states.OPEN

    @property
    def definition(self) -> Definition:
        return self.questionnaire.definition

    def title(self, locale: str) -> str:
        return self.definition.title.in_(locale)


class QuestionnaireDraft(Base):
    """Answers under way; the hospital sees them once they are sent. version: grows with each page that is saved."""

    __tablename__ = "questionnaire_draft"

    sent_id: Mapped[UUID] = mapped_column(ForeignKey("sent_questionnaire.id"), primary_key=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), index=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    version: Mapped[int] = mapped_column(default=1)
    sealed: Mapped[str] = mapped_column(SealedText("questionnaire_draft.answers"))
    changed_at: Mapped[datetime] = mapped_column(default=db.now)

    @property
    def answers(self) -> dict[str, tuple[Value, ...]]:
        return answers.load(self.sealed)


class QuestionnaireAnswers(Keyed, Base):
    """What was sent, as it was sent: nobody may change it; a correction is another version.

    by_proxy: somebody else answered for the person. alerts: how many answers are alerts.
    """

    __tablename__ = "questionnaire_answers"
    __table_args__ = (UniqueConstraint("sent_id", "version"),)

    sent_id: Mapped[UUID] = mapped_column(ForeignKey("sent_questionnaire.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), index=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    version: Mapped[int] = mapped_column(SmallInteger)
    sealed: Mapped[str] = mapped_column(SealedText("questionnaire_answers.answers"))
    alerts: Mapped[int] = mapped_column(SmallInteger, default=0)
    answered_at: Mapped[datetime] = mapped_column(default=db.now)
    by: Mapped[str]
    by_name: Mapped[str] = mapped_column(default="")
    by_proxy: Mapped[bool] = mapped_column(default=False)

    @property
    def answers(self) -> dict[str, tuple[Value, ...]]:
        return answers.load(self.sealed)


class AlertNote(Keyed, Base):
    """Somebody of the unit has seen the alerts of one version, and what they did; never changed."""

    __tablename__ = "questionnaire_alert_note"

    sent_id: Mapped[UUID] = mapped_column(ForeignKey("sent_questionnaire.id"), index=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    version: Mapped[int] = mapped_column(SmallInteger)
    note: Mapped[str] = mapped_column(SealedText("questionnaire_alert_note.note"), default="")
    by: Mapped[str]
    by_name: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime] = mapped_column(default=db.now)


class SentQuestionnaireChange(Keyed, Base):
    """One thing that happened to one sent: never altered. what: see `actions.traces`; why: a code."""

    __tablename__ = "sent_questionnaire_change"
    __table_args__ = {"comment": "append-only"}

    sent_id: Mapped[UUID] = mapped_column(ForeignKey("sent_questionnaire.id"), index=True)
    establishment_id: Mapped[UUID]
    what: Mapped[str]
    from_state: Mapped[str]
    to_state: Mapped[str]
    by: Mapped[str]
    by_name: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime] = mapped_column(default=db.now)
    why: Mapped[str] = mapped_column(default="")
