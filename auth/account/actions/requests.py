"""Requests about one's data: asked by the person, answered by the hospital before a legal date."""

import secrets
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, select

from auth import records
from auth.account import mails, queries, states
from auth.account.models import DataRequest, DataRequestChange
from auth.account.states import TransitionRefused
from auth.models import Account
from portal import audit, calendar, db, kpi, notifications
from portal.db import session
from portal.establishments import Establishment

__all__ = [
    "TransitionRefused",
    "UnknownRequest",
    "answer_request",
    "ask_hospital",
    "extend_request",
    "withdraw_request",
]
_ALPHABET = "BCDFGHJKLMNPQRSTVWXZ23456789"


class UnknownRequest(Exception):
    """The actor may not see such a request."""


def ask_hospital(patient_id: UUID, establishment: Establishment, kind: str, what: str, why: str) -> DataRequest:
    """Ask a hospital about somebody's data; it is acknowledged with a number and the legal date of the answer."""
    actor = db.current_actor()
    records.open_record(patient_id, establishment.id)
    account = session.get_one(Account, actor.account_id)
    now = db.now()
    today = calendar.civil_day(now, establishment.tz)
    made = DataRequest(
        id=uuid4(),
        number=_new_number(),
        account_id=account.id,
        patient_id=patient_id,
        establishment_id=establishment.id,
        kind=kind,
        what=what.strip(),
        why=why.strip(),
        asked_by=actor.name,
        email=account.email,
        locale=account.locale,
        state="",
        received_at=now,
        due_on=states.months_after(today, states.FIRST_MONTHS),
    )
    _move(made, "received")
    kpi.count("data_request_received", establishment_id=establishment.id, dimension=kind)
    _tell(made, mails.request_received(made))
    return made


def withdraw_request(request_id: UUID, patient_id: UUID) -> None:
    """The person no longer asks. Raises UnknownRequest, TransitionRefused."""
    _move(_held(DataRequest.id == request_id, DataRequest.patient_id == patient_id), "withdrawn")


def answer_request(request_id: UUID, establishment_ids: frozenset[UUID], state: str, answer: str) -> None:
    """The hospital accepts, accepts in part, or refuses with its reason. Raises UnknownRequest, TransitionRefused."""
    if state not in states.ANSWERS:
        raise TransitionRefused(state)
    asked = _held(DataRequest.id == request_id, DataRequest.establishment_id.in_(establishment_ids))
    asked.answer, asked.answered_at = answer.strip(), db.now()
    _move(asked, state, answer.strip())
    _count_answer(asked)
    _tell(asked, mails.request_answered(asked))


def extend_request(request_id: UUID, establishment_ids: frozenset[UUID], reason: str) -> None:
    """The hospital takes two more months, and says why (article 12.3). Raises UnknownRequest, TransitionRefused."""
    asked = _held(DataRequest.id == request_id, DataRequest.establishment_id.in_(establishment_ids))
    asked.due_on = queries.extended_until(asked)
    _move(asked, "extended", reason.strip())
    _tell(asked, mails.request_extended(asked))


def open_request(asked: DataRequest) -> None:
    """An agent reads a request: it names a person."""
    audit.record(
        "data_request.opened",
        patient_id=asked.patient_id,
        establishment_id=asked.establishment_id,
        object_kind="data_request",
        object_id=asked.id,
    )


def _held(*conditions: ColumnElement[bool]) -> DataRequest:
    """The request, held until the end of the transaction: two answers do not cross."""
    found = session.scalar(select(DataRequest).where(*conditions).with_for_update(key_share=True))
    if found is None:
        raise UnknownRequest
    return found


def _move(asked: DataRequest, state: str, reason: str = "") -> None:
    """Change the state, with its line in the request's history and in the audit."""
    states.check(asked.state, state)
    actor, former = db.current_actor(), asked.state
    asked.state = state
    session.add(asked)
    session.flush()
    session.add(
        DataRequestChange(
            id=uuid4(),
            request_id=asked.id,
            patient_id=asked.patient_id,
            establishment_id=asked.establishment_id,
            from_state=former,
            to_state=state,
            by=actor.label,
            by_name=actor.name,
            reason=reason,
        )
    )
    audit.record(
        f"data_request.{state}",
        patient_id=asked.patient_id,
        establishment_id=asked.establishment_id,
        object_kind="data_request",
        object_id=asked.id,
        kind=asked.kind,
    )
    session.flush()


def _count_answer(asked: DataRequest) -> None:
    """After how many civil days, and whether the legal date was over."""
    today = calendar.civil_day(db.now(), asked.establishment.tz)
    days = (today - calendar.civil_day(asked.received_at, asked.establishment.tz)).days
    kpi.count(
        "data_request_answered",
        establishment_id=asked.establishment_id,
        dimension="late" if today > asked.due_on else "in_time",
    )
    kpi.count("data_request_delay", establishment_id=asked.establishment_id, dimension=str(min(days, 366)))


def _tell(asked: DataRequest, mail: notifications.Mail) -> None:
    # Without account_id: an agent may not read the notification of somebody else's account.
    notifications.tell(mail, recipient=asked.email, locale=asked.locale)


def _new_number() -> str:
    """Eight signs in two groups, such as `D-KT7P-3XBN`: no vowel, no 0, O, 1 or I; unique in the base."""
    signs = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    return f"D-{signs[:4]}-{signs[4:]}"
