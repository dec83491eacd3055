"""What happens by itself: sent when a plan says so, reminded, taken back with what it was about, closed."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from auth.mandates import queries as mandates
from portal import calendar as days
from portal import db, jobs, notifications
from portal.db import session
from services.questionnaires import actions, calendar, mails, occasions, states
from services.questionnaires.actions import NothingPublished, WindowClosed
from services.questionnaires.models import SCOPE, QuestionnairePlan, SentQuestionnaire
from services.questionnaires.occasions import Happening

_AT_ONCE = 500


@jobs.task("questionnaires.tell")
def tell(sent_id: str) -> None:
    """Write that something waits, to whoever may answer it; to nobody once it is answered or closed."""
    with jobs.effect() as current:
        sent = current.get_one(SentQuestionnaire, UUID(sent_id))
        if not sent.is_open or sent.until_at <= db.now():
            return
        for to in mandates.accounts_to_tell(sent.patient_id, SCOPE, masked=sent.masked):
            notifications.tell(
                mails.WAITS,
                recipient=to.email,
                account_id=to.account_id,
                patient_id=sent.patient_id,
                establishment_id=sent.establishment_id,
                locale=to.locale,
            )


@jobs.periodic("7,22,37,52 * * * *", "questionnaires.send_due")
def send_due_now() -> None:
    """Every quarter of an hour; late or repeated, it sends nothing twice."""
    send_due(db.now())


def send_due(now: datetime) -> int:
    """Send what plans want today, at hospitals where it is day. Returns how many were sent."""
    actor = db.system("questionnaires.send_due")
    with db.transaction(actor):
        active = select(QuestionnairePlan.id).where(QuestionnairePlan.stopped_at.is_(None))
        plans = session.scalars(active.order_by(QuestionnairePlan.created_at)).all()
    return sum(_send_plan(actor, plan_id, now) for plan_id in plans)


def _send_plan(actor: db.Actor, plan_id: UUID, now: datetime) -> int:
    with db.transaction(actor):
        plan = _plan(plan_id)
        if plan.stopped_at is not None or not calendar.is_time_to_send(now, plan.establishment.tz):
            return 0
        due = _due(plan, now)
    done = 0
    for happening in due:
        with db.transaction(actor):
            again = _plan(plan_id)
            try:
                asked = actions.published(again.establishment_id, again.code)
            except NothingPublished:
                return done
            done += actions.send_for(again, happening, asked, now)
    return done


def _plan(plan_id: UUID) -> QuestionnairePlan:
    query = select(QuestionnairePlan).options(joinedload(QuestionnairePlan.establishment))
    return session.scalars(query.where(QuestionnairePlan.id == plan_id)).one()


def _due(plan: QuestionnairePlan, now: datetime) -> Sequence[Happening]:
    """What the plan is for today and has not been sent for."""
    occasion = occasions.of(plan.occasion)
    if occasion is None:
        return []
    today = days.civil_day(now, plan.establishment.tz)
    first, last = calendar.days_to_look_at(today, plan.offset_days, plan.answer_days)
    found = [each for each in occasion.on(plan.establishment_id, first, last) if _is_for(plan, each)]
    sent = select(SentQuestionnaire.object_id).where(
        SentQuestionnaire.plan_id == plan.id,
        SentQuestionnaire.object_id.in_([each.object_id for each in found]),
        SentQuestionnaire.state != states.WITHDRAWN,
    )
    already = set(session.scalars(sent)) | _taken_back(plan, found)
    return [each for each in found if each.object_id not in already][:_AT_ONCE]


def _taken_back(plan: QuestionnairePlan, found: Sequence[Happening]) -> set[UUID | None]:
    """What an agent took back for that same day is not sent again; what was moved is."""
    days_of = {each.object_id: each.day for each in found}
    query = select(SentQuestionnaire.object_id, SentQuestionnaire.day).where(
        SentQuestionnaire.plan_id == plan.id,
        SentQuestionnaire.object_id.in_(list(days_of)),
        SentQuestionnaire.state == states.WITHDRAWN,
    )
    return {object_id for object_id, day in session.execute(query) if object_id and days_of[object_id] == day}


def _is_for(plan: QuestionnairePlan, happening: Happening) -> bool:
    return plan.unit_id in (None, happening.unit_id) and plan.about in ("", happening.about)


@jobs.periodic("2,12,32,47 * * * *", "questionnaires.follow")
def follow_now() -> None:
    """Take back what was sent for something that was cancelled; follow what was moved."""
    follow(db.now())


def follow(now: datetime) -> None:
    actor = db.system("questionnaires.follow")
    for code in [each.code for each in occasions.every()]:
        with db.transaction(actor):
            changed = _changed(code)
        for sent_id, happening in changed:
            with db.transaction(actor) as current:
                sent = current.get_one(SentQuestionnaire, sent_id)
                assert sent.plan_id is not None, "only plans are for an occasion"
                actions.follow(sent, happening, _plan(sent.plan_id), now)


def _changed(code: str) -> list[tuple[UUID, Happening | None]]:
    """What waits for answers and is not any more for what it was sent for."""
    occasion = occasions.of(code)
    rows = session.scalars(
        select(SentQuestionnaire).where(
            SentQuestionnaire.occasion == code,
            SentQuestionnaire.state.in_(states.OPEN),
            SentQuestionnaire.object_id.is_not(None),
        )
    ).all()
    if occasion is None or not rows:
        return []
    standing = occasion.standing({each.object_id for each in rows if each.object_id})
    found = [(each, standing.get(each.object_id) if each.object_id else None) for each in rows]
    return [
        (each.id, now_is)
        for each, now_is in found
        if now_is is None or now_is.day != each.day or (now_is.masked and not each.masked)
    ]


@jobs.periodic("19,49 * * * *", "questionnaires.remind")
def remind_now() -> None:
    remind(db.now())


def remind(now: datetime) -> int:
    """Tell again whoever has not answered, on the days their hospital chose. Returns how many."""
    waiting = select(SentQuestionnaire.id).where(
        SentQuestionnaire.state.in_(states.OPEN),
        SentQuestionnaire.until_at > now,
        SentQuestionnaire.reminders < func.cardinality(SentQuestionnaire.remind_after),
    )
    return _each("questionnaires.remind", waiting, lambda sent_id: actions.remind(sent_id, now))


@jobs.periodic("4,34 * * * *", "questionnaires.expire")
def expire_now() -> None:
    expire(db.now())


def expire(now: datetime) -> int:
    """Close what nobody answered in time. Returns how many."""
    over = select(SentQuestionnaire.id).where(
        SentQuestionnaire.state.in_(states.OPEN), SentQuestionnaire.until_at <= now - calendar.GRACE
    )
    return _each("questionnaires.expire", over.limit(_AT_ONCE), lambda sent_id: actions.expire(sent_id, now))


def _each(job: str, query: Any, act: Callable[[UUID], bool]) -> int:
    """One transaction each: one that fails stops no other, and is tried again at the next tick."""
    actor, done = db.system(job), 0
    with db.transaction(actor):
        found = session.scalars(query).all()
    for sent_id in found:
        try:
            with db.transaction(actor):
                done += act(sent_id)
        except WindowClosed:
            continue  # somebody was quicker
    return done
