"""What is read about questions: by whoever asks, by the billing agents, by the jobs."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import joinedload

from portal.db import session
from portal.establishments import Establishment, today_in
from services.billing.models import Bill
from services.billing.questions import states
from services.billing.questions.models import BillAnswer, BillQuestion, BillQuestionChange, BillQuestionMessage

PAGE_SIZE = 50
_CLOSE_AT_ONCE = 500


def _questions() -> Select[BillQuestion]:
    return select(BillQuestion).options(
        joinedload(BillQuestion.bill).joinedload(Bill.patient), joinedload(BillQuestion.establishment)
    )


# -- whoever asks ------------------------------------------------------------------------------------------------


def one_of_patient(patient_id: UUID, question_id: UUID) -> BillQuestion | None:
    """A question about one of the patient's bills."""
    return session.scalar(
        _questions().where(BillQuestion.id == question_id, BillQuestion.bill.has(Bill.patient_id == patient_id))
    )


def of_bill(bill_id: UUID) -> Sequence[BillQuestion]:
    """Every question about a bill that the actor may see, the newest first."""
    return session.scalars(
        select(BillQuestion).where(BillQuestion.bill_id == bill_id).order_by(BillQuestion.asked_at.desc())
    ).all()


def under_way(bill_id: UUID) -> BillQuestion | None:
    """The question about this bill that is not closed."""
    return session.scalar(
        select(BillQuestion).where(BillQuestion.bill_id == bill_id, BillQuestion.state != states.CLOSED)
    )


def under_way_of_patient(patient_id: UUID) -> Mapping[UUID, BillQuestion]:
    """Bill → its question that is not closed, for a list of bills."""
    found = session.scalars(
        select(BillQuestion).where(
            BillQuestion.bill.has(Bill.patient_id == patient_id), BillQuestion.state != states.CLOSED
        )
    )
    return {each.bill_id: each for each in found}


# -- both sides --------------------------------------------------------------------------------------------------


def messages(question_id: UUID) -> Sequence[BillQuestionMessage]:
    """The thread, oldest first."""
    return session.scalars(
        select(BillQuestionMessage)
        .where(BillQuestionMessage.question_id == question_id)
        .order_by(BillQuestionMessage.at, BillQuestionMessage.id)
    ).all()


def changes(question_id: UUID) -> Sequence[BillQuestionChange]:
    return session.scalars(
        select(BillQuestionChange)
        .where(BillQuestionChange.question_id == question_id)
        .order_by(BillQuestionChange.at, BillQuestionChange.id)
    ).all()


# -- the billing agents ------------------------------------------------------------------------------------------


def one_at(places: Collection[UUID], question_id: UUID) -> BillQuestion | None:
    """A question asked at one of these hospitals."""
    return session.scalar(_questions().where(BillQuestion.id == question_id, BillQuestion.establishment_id.in_(places)))


def at(places: Collection[UUID], state: str, kind: str = "", page: int = 1) -> Sequence[BillQuestion]:
    """One page of these hospitals' questions and one more row when there is a next page: those to answer by the day
    by which they are answered, the others from the newest change."""
    conditions = [BillQuestion.establishment_id.in_(places), BillQuestion.state == state]
    if kind:
        conditions.append(BillQuestion.kind == kind)
    order: Any = BillQuestion.due_on if state == states.OPEN else BillQuestion.changed_at.desc()
    query = _questions().where(*conditions).order_by(order, BillQuestion.asked_at, BillQuestion.id)
    return session.scalars(query.offset((page - 1) * PAGE_SIZE).limit(PAGE_SIZE + 1)).all()


def counts(places: Collection[UUID]) -> Mapping[str, int]:
    """How many are open, answered, and `late`: open, and their day is over on their hospital's calendar."""
    today = today_in(Establishment.time_zone)
    late = (BillQuestion.state == states.OPEN) & (BillQuestion.due_on < today)
    rows = session.execute(
        select(BillQuestion.state, func.count(), func.count().filter(late))
        .join(Establishment, Establishment.id == BillQuestion.establishment_id)
        .where(BillQuestion.establishment_id.in_(places), BillQuestion.state != states.CLOSED)
        .group_by(BillQuestion.state)
    ).all()
    found = {state: count for state, count, _late in rows}
    return {**found, "late": sum(each for _state, _count, each in rows)}


def answers(places: Collection[UUID], kind: str | None = None) -> Sequence[BillAnswer]:
    """What agents of these hospitals start from; for one kind of question, what suits it and what suits all."""
    wanted = select(BillAnswer).where(BillAnswer.establishment_id.in_(places))
    if kind is not None:
        wanted = wanted.where(BillAnswer.kind.in_(("", kind)))
    return session.scalars(wanted.order_by(BillAnswer.kind, BillAnswer.title, BillAnswer.id)).all()


def answer_at(places: Collection[UUID], answer_id: UUID) -> BillAnswer | None:
    return session.scalar(select(BillAnswer).where(BillAnswer.id == answer_id, BillAnswer.establishment_id.in_(places)))


# -- the jobs ----------------------------------------------------------------------------------------------------


def holds_reminders() -> ColumnElement[bool]:
    """Whether a bill is not reminded of: its payer waits for an answer, or says that it is not due as it stands."""
    waits = or_(BillQuestion.state == states.OPEN, BillQuestion.kind.in_(states.HOLDS_REMINDERS))
    return (
        select(BillQuestion.id)
        .where(and_(BillQuestion.bill_id == Bill.id, BillQuestion.state != states.CLOSED, waits))
        .correlate(Bill)
        .exists()
    )


def silent_since(moment: datetime) -> Sequence[BillQuestion]:
    """Answered questions about which nobody wrote since then, locked."""
    return session.scalars(
        select(BillQuestion)
        .where(BillQuestion.state == states.ANSWERED, BillQuestion.changed_at < moment)
        .order_by(BillQuestion.id)
        .limit(_CLOSE_AT_ONCE)
        .with_for_update(skip_locked=True, key_share=True)
    ).all()
