"""Sending: by hand, or because a plan says so. Taking back, reminding, closing what nobody answered."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import cast
from uuid import UUID, uuid4

from sqlalchemy import Table, func, select
from sqlalchemy.dialects.postgresql import insert

from auth import records
from portal import calendar as days
from portal import db, kpi
from portal.db import session
from portal.establishments import Unit
from services.questionnaires import calendar, states
from services.questionnaires.actions import traces
from services.questionnaires.actions.facts import AlreadyWaiting, NothingPublished, WindowClosed
from services.questionnaires.models import Questionnaire, QuestionnairePlan, SentQuestionnaire
from services.questionnaires.occasions import Happening


@dataclass(frozen=True)
class Window:
    """How long one may answer, and after how many days to remind."""

    answer_days: int = 7
    remind_after: Sequence[int] = field(default=(2,))


def published(establishment_id: UUID, code: str) -> Questionnaire:
    """The version that is sent. Raises NothingPublished."""
    found = session.scalar(
        select(Questionnaire).where(
            Questionnaire.establishment_id == establishment_id,
            Questionnaire.code == code,
            Questionnaire.state == states.PUBLISHED,
        )
    )
    if found is None:
        raise NothingPublished
    return found


def send(patient_id: UUID, unit: Unit, questionnaire: Questionnaire, window: Window) -> SentQuestionnaire:
    """An agent asks a patient of the hospital. Raises NothingPublished, AlreadyWaiting."""
    if questionnaire.state != states.PUBLISHED or questionnaire.establishment_id != unit.establishment_id:
        raise NothingPublished
    _check_first(patient_id, questionnaire)
    now = db.now()
    tz = unit.establishment.tz
    sent = SentQuestionnaire(
        id=uuid4(),
        establishment_id=unit.establishment_id,
        patient_id=patient_id,
        unit_id=unit.id,
        questionnaire_id=questionnaire.id,
        state=states.WAITING,
        sent_at=now,
        sent_by_name=db.current_actor().name,
        until_at=calendar.until(days.civil_day(now, tz), window.answer_days, tz),
        remind_after=sorted(set(window.remind_after)),
    )
    session.add(sent)
    session.flush()
    _count(sent)
    return sent


def _check_first(patient_id: UUID, questionnaire: Questionnaire) -> None:
    """A second one of the same would only be answered twice."""
    key = f"questionnaire for {patient_id}"
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))  # two agents
    waiting = select(SentQuestionnaire.id).join(SentQuestionnaire.questionnaire).where(
        SentQuestionnaire.patient_id == patient_id,
        SentQuestionnaire.state.in_(states.OPEN),
        Questionnaire.establishment_id == questionnaire.establishment_id,
        Questionnaire.code == questionnaire.code,
    )  # fmt: skip
    if session.scalar(waiting.limit(1)):
        raise AlreadyWaiting


def send_for(plan: QuestionnairePlan, happening: Happening, questionnaire: Questionnaire, now: datetime) -> bool:
    """As the system: what a plan sends for one thing, once only. False: it was sent already."""
    tz = plan.establishment.tz
    sent_on = calendar.send_on(happening.day, plan.offset_days)
    until_at = calendar.until(sent_on, plan.answer_days, tz)
    if until_at <= now:
        return False
    row = {
        "id": uuid4(),
        "establishment_id": plan.establishment_id,
        "patient_id": happening.patient_id,
        "unit_id": happening.unit_id,
        "questionnaire_id": questionnaire.id,
        "plan_id": plan.id,
        "occasion": plan.occasion,
        "object_id": happening.object_id,
        "day": happening.day,
        "state": states.WAITING,
        "sent_at": now,
        "until_at": until_at,
        "remind_after": sorted(set(plan.remind_after)),
        "masked": happening.masked,
    }
    made = session.scalar(
        insert(cast(Table, SentQuestionnaire.__table__))
        .values(row)
        .on_conflict_do_nothing()
        .returning(SentQuestionnaire.__table__.c.id)
    )
    if made is None:
        return False
    _count(session.get_one(SentQuestionnaire, made))
    return True


def _count(sent: SentQuestionnaire) -> None:
    with records.as_system("questionnaires.send"):  # agents open no record
        records.open_record(sent.patient_id, sent.establishment_id)
    sent = session.get_one(SentQuestionnaire, sent.id)
    traces.record(sent, "sent", "")
    kpi.count("questionnaire_sent", establishment_id=sent.establishment_id)
    traces.tell(sent)


def follow(sent: SentQuestionnaire, now_is: Happening | None, plan: QuestionnairePlan, now: datetime) -> None:
    """As the system: what it was sent for was cancelled, moved, or kept from proxies meanwhile. Nothing happens to
    answers that were sent."""
    sent = traces.lock(sent.id)
    if not sent.is_open:
        return
    if now_is is None:
        _withdraw(sent, "cancelled")
        return
    sent.masked = sent.masked or now_is.masked
    if now_is.day != sent.day:
        _move(sent, now_is.day, plan, now)
    session.flush()


def _move(sent: SentQuestionnaire, day: date, plan: QuestionnairePlan, now: datetime) -> None:
    """Answered at the new time: at once when that has come, else it is sent again then."""
    tz = plan.establishment.tz
    sent_on = calendar.send_on(day, plan.offset_days)
    if days.civil_day(now, tz) < sent_on and sent.state == states.WAITING:
        _withdraw(sent, "moved")
        return
    sent.day = day
    sent.until_at = max(sent.until_at, calendar.until(sent_on, plan.answer_days, tz))


def take_back(sent: SentQuestionnaire) -> None:
    """An agent does not need it any more. Raises WindowClosed when it was answered or closed."""
    sent = traces.lock(sent.id)
    if not sent.is_open:
        raise WindowClosed
    _withdraw(sent, "by_hand")


def hand_over(sent: SentQuestionnaire, unit: Unit) -> None:
    """As the system: the unit closes, and another one of its hospital reads the answers, or sees to their alert. Raises
    WindowClosed when neither is expected any more."""
    sent = _lock_expected(sent)
    sent.unit_id, sent.unit = unit.id, unit
    session.flush()
    traces.record(sent, "handed_over")


def give_back(sent: SentQuestionnaire) -> None:
    """As the system: the unit closes and nobody would read the answers: it is no longer asked. Raises WindowClosed when
    it was answered or closed."""
    sent = traces.lock(sent.id)
    if not sent.is_open:
        raise WindowClosed
    _withdraw(sent, "unit_closed")


def _lock_expected(sent: SentQuestionnaire) -> SentQuestionnaire:
    sent = traces.lock(sent.id)
    if not sent.is_open and sent.alert != states.ALERT_OPEN:
        raise WindowClosed
    return sent


def _withdraw(sent: SentQuestionnaire, why: str) -> None:
    traces.go_to(sent, states.WITHDRAWN, "withdrawn", why)


def remind(sent_id: UUID, now: datetime) -> bool:
    """As the system: tell again that something waits; never of what was answered, closed or taken back."""
    sent = traces.lock(sent_id)
    due = calendar.is_time_to_remind(now, sent.tz, sent.sent_at, sent.remind_after, sent.reminders)
    if not sent.is_open or sent.until_at <= now or not due:
        return False
    today = days.civil_day(now, sent.tz)
    sent_on = days.civil_day(sent.sent_at, sent.tz)
    # After a pause of the workers, one message stands for those that were missed.
    sent.reminders = sum(1 for each in sent.remind_after if sent_on + timedelta(days=each) <= today)
    session.flush()
    traces.record(sent, "reminded")
    traces.tell(sent)
    return True


def expire(sent_id: UUID, now: datetime) -> bool:
    """As the system: close what nobody answered in time."""
    sent = traces.lock(sent_id)
    if not sent.is_open or sent.until_at + calendar.GRACE > now:
        return False
    traces.go_to(sent, states.EXPIRED, "expired")
    return True
