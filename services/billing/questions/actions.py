"""Everything that changes a question about a bill, by intention."""

from collections.abc import Collection
from datetime import date, timedelta
from uuid import UUID, uuid4

from sqlalchemy.exc import IntegrityError

from auth.mandates import queries as mandates
from portal import audit, calendar, db, kpi, notifications
from portal.db import session
from services.billing import queries as bills
from services.billing.models import Bill
from services.billing.questions import mails, queries, states
from services.billing.questions.models import BillAnswer, BillQuestion, BillQuestionChange, BillQuestionMessage

ANSWERED_WITHIN = 5
"""Business days of the hospital."""
SILENT_AFTER = timedelta(days=30)


class NotThere(Exception):
    """No such bill, question or answer for this actor."""


class AlreadyAsked(Exception):
    """There is a question about this bill already; it goes on there."""


class ChangedMeanwhile(Exception):
    """Somebody wrote or closed the question since the page was made."""


# -- whoever pays ------------------------------------------------------------------------------------------------


def ask(patient_id: UUID, bill_id: UUID, kind: str, text: str) -> BillQuestion:
    """Begin a thread about a bill. kind: of `states.KINDS`. Raises NotThere, AlreadyAsked."""
    found = bills.one_of_patient(patient_id, bill_id)
    if found is None:
        raise NotThere(bill_id)
    if queries.under_way(bill_id) is not None:
        raise AlreadyAsked(bill_id)
    question = BillQuestion(
        id=uuid4(),
        bill_id=bill_id,
        establishment_id=found.bill.establishment_id,
        account_id=db.current_actor().account_id,
        kind=kind,
        state=states.OPEN,
        due_on=_due_on(found.bill),
    )
    question.bill, question.establishment = found.bill, found.bill.establishment
    session.add(question)
    try:
        session.flush()
    except IntegrityError as twin:  # the same person in two tabs: the index lets one in
        raise AlreadyAsked(bill_id) from twin
    _note(question, "", states.OPEN)
    _say(question, text, from_staff=False)
    _tell(question, "received")
    _record("bill_question.asked", question, kind=kind)
    kpi.count("bill_question_asked", establishment_id=question.establishment_id, dimension=kind)
    return question


def go_on(patient_id: UUID, question_id: UUID, text: str) -> BillQuestion:
    """Write once more in a thread that is not closed: the hospital owes an answer. Raises NotThere, NotAllowed."""
    question = _locked(queries.one_of_patient(patient_id, question_id))
    if question.state == states.CLOSED:
        raise states.NotAllowed(states.CLOSED)
    if question.state != states.OPEN:
        _move(question, states.OPEN)
        question.due_on = _due_on(question.bill)
    _say(question, text, from_staff=False)
    _record("bill_question.continued", question)
    return question


def withdraw(patient_id: UUID, question_id: UUID) -> BillQuestion:
    """Whoever asked has what they wanted. Raises NotThere, NotAllowed."""
    question = _locked(queries.one_of_patient(patient_id, question_id))
    _move(question, states.CLOSED, "withdrawn")
    _record("bill_question.closed", question)
    return question


# -- the billing agents ------------------------------------------------------------------------------------------


def open_question(places: Collection[UUID], question_id: UUID) -> BillQuestion:
    """Show a question to an agent; the reading is written down. Raises NotThere."""
    question = queries.one_at(places, question_id)
    if question is None:
        raise NotThere(question_id)
    _record("bill_question.opened", question)
    return question


def answer(places: Collection[UUID], question_id: UUID, text: str, *, version: str, closes: bool) -> BillQuestion:
    """Write to whoever asked, and close the thread if nothing is left to say.

    version: `BillQuestion.version` as the agent saw it. Raises NotThere, ChangedMeanwhile, NotAllowed.
    """
    question = _locked(queries.one_at(places, question_id))
    if question.version != version:
        raise ChangedMeanwhile(question_id)
    after = states.CLOSED if closes else states.ANSWERED
    if question.state != after:
        _move(question, after, "settled" if closes else "")
    question.due_on = None
    _say(question, text, from_staff=True)
    _tell(question, "answered")
    _record("bill_question.answered", question)
    return question


def close(places: Collection[UUID], question_id: UUID, *, version: str) -> BillQuestion:
    """Nothing is left to say. Raises NotThere, ChangedMeanwhile, NotAllowed."""
    question = _locked(queries.one_at(places, question_id))
    if question.version != version:
        raise ChangedMeanwhile(question_id)
    _move(question, states.CLOSED, "settled")
    _tell(question, "closed")
    _record("bill_question.closed", question)
    return question


def keep_answer(
    establishment_id: UUID, kind: str, title: str, body: str, former: BillAnswer | None = None
) -> BillAnswer:
    """Add what agents may start from, or change it. kind: "" for any question."""
    kept = former or BillAnswer(id=uuid4(), establishment_id=establishment_id)
    kept.kind, kept.title, kept.body = kind, title.strip(), body.strip()
    kept.changed_at, kept.changed_by_name = db.now(), db.current_actor().name
    session.add(kept)
    session.flush()
    _record_answer("bill_answer.kept", kept)
    return kept


def drop_answer(former: BillAnswer) -> None:
    """Take it away; what was written from it stays."""
    _record_answer("bill_answer.dropped", former)
    session.delete(former)
    session.flush()


# -- the clock ---------------------------------------------------------------------------------------------------


def close_silent() -> int:
    """Close what was answered a month ago and went no further; returns how many. For a system job."""
    found = queries.silent_since(db.now() - SILENT_AFTER)
    for question in found:
        _move(question, states.CLOSED, "silent")
        _record("bill_question.closed", question)
    return len(found)


# -- what each of them does --------------------------------------------------------------------------------------


def _locked(question: BillQuestion | None) -> BillQuestion:
    if question is None:
        raise NotThere
    session.refresh(question, ["state", "changed_at", "due_on"], with_for_update={"key_share": True})
    return question


def _due_on(bill: Bill) -> date:
    place = bill.establishment
    return calendar.business_days_after(calendar.civil_day(db.now(), place.tz), ANSWERED_WITHIN, place.holiday_rules)


def _move(question: BillQuestion, after: str, because: str = "") -> None:
    states.check(question.state, after)
    _note(question, question.state, after, because)
    question.state, question.changed_at = after, db.now()
    question.due_on = None if after != states.OPEN else question.due_on
    session.flush()


def _note(question: BillQuestion, before: str, after: str, because: str = "") -> None:
    actor = db.current_actor()
    session.add(
        BillQuestionChange(
            id=uuid4(),
            question_id=question.id,
            establishment_id=question.establishment_id,
            before=before,
            after=after,
            because=because,
            actor=actor.label,
            by_name=actor.name if actor.kind == "staff" else "",
            at=db.now(),
        )
    )


def _say(question: BillQuestion, text: str, *, from_staff: bool) -> None:
    actor, now = db.current_actor(), db.now()
    question.changed_at = now
    session.add(
        BillQuestionMessage(
            id=uuid4(),
            question_id=question.id,
            establishment_id=question.establishment_id,
            actor=actor.label,
            by_name=actor.name,
            from_staff=from_staff,
            text=text.strip(),
            at=now,
        )
    )
    session.flush()


def _tell(question: BillQuestion, news: str) -> None:
    """To whoever asked while they may hear of this bill, else to the person it is about."""
    bill = question.bill
    if bill.patient_id is None:
        return
    to = mandates.address_for(bill.patient_id, "payment", masked=bill.masked, account_id=question.account_id)
    if to is not None and to.email:
        notifications.tell(
            mails.of(question.id, news),
            recipient=to.email,
            account_id=to.account_id,
            patient_id=bill.patient_id,
            establishment_id=bill.establishment_id,
            locale=to.locale,
        )


def _record(action: str, question: BillQuestion, **details: str) -> None:
    audit.record(
        action,
        patient_id=question.bill.patient_id,
        establishment_id=question.establishment_id,
        object_kind="bill_question",
        object_id=question.id,
        bill_id=str(question.bill_id),
        **details,
    )


def _record_answer(action: str, kept: BillAnswer) -> None:
    audit.record(action, establishment_id=kept.establishment_id, object_kind="bill_answer", object_id=kept.id)
