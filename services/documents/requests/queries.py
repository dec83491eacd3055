"""What is read about requests: by applicants, by the agents of a desk, by the page where certificates are checked."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Date, Select, cast, func, or_, select
from sqlalchemy.orm import joinedload

from auth.models import PatientAccess, PatientRecord
from portal import catalog, db
from portal.db import session
from portal.establishments import Establishment, today_in
from services.documents.requests import states
from services.documents.requests.models import (
    HospitalCertificate,
    RecordRequest,
    RecordRequestAnswer,
    RecordRequestChange,
    RecordRequestFile,
    RecordRequestMessage,
)

PAGE_SIZE = 50
SOON_DAYS = 2
_OF_ONE_PERSON = 100


def _requests() -> Select[RecordRequest]:
    return select(RecordRequest).options(joinedload(RecordRequest.establishment))


# -- applicants --------------------------------------------------------------------------------------------------


def _of_applicant(patient_id: UUID, account_id: UUID) -> ColumnElement[bool]:
    """About this person; and, for whoever acts for themselves, what they asked about somebody who died."""
    return or_(
        RecordRequest.patient_id == patient_id,
        RecordRequest.patient_id.is_(None) & (RecordRequest.account_id == account_id),
    )


def of_applicant(patient_id: UUID, account_id: UUID) -> Sequence[RecordRequest]:
    """Everything asked, the newest first; drafts are their author's alone."""
    mine = _of_applicant(patient_id, account_id)
    kept = or_(RecordRequest.state != states.DRAFT, RecordRequest.account_id == account_id)
    return session.scalars(
        _requests()
        .where(mine, kept)
        .order_by(func.coalesce(RecordRequest.sent_at, RecordRequest.created_at).desc(), RecordRequest.id)
        .limit(_OF_ONE_PERSON)
    ).all()


def one_of_applicant(patient_id: UUID, account_id: UUID, request_id: UUID) -> RecordRequest | None:
    kept = or_(RecordRequest.state != states.DRAFT, RecordRequest.account_id == account_id)
    return session.scalar(
        _requests().where(RecordRequest.id == request_id, _of_applicant(patient_id, account_id), kept)
    )


def hospitals() -> Sequence[Establishment]:
    """Where documents are open today, by name."""
    is_open = catalog.open_at("documents", Establishment.id)
    return session.scalars(select(Establishment).where(is_open).order_by(Establishment.name)).all()


def relation(account_id: UUID, patient_id: UUID) -> str:
    """As what this account acts for this person: `self`, `parent`…; "" when it does not."""
    access = session.get(PatientAccess, (account_id, patient_id))
    return access.relation if access and access.revoked_at is None else ""


# -- both sides --------------------------------------------------------------------------------------------------


def messages(request_id: UUID) -> Sequence[RecordRequestMessage]:
    """The thread, oldest first."""
    found = select(RecordRequestMessage).where(RecordRequestMessage.request_id == request_id)
    return session.scalars(found.order_by(RecordRequestMessage.at, RecordRequestMessage.id)).all()


def changes(request_id: UUID) -> Sequence[RecordRequestChange]:
    """What happened, oldest first."""
    found = select(RecordRequestChange).where(RecordRequestChange.request_id == request_id)
    return session.scalars(found.order_by(RecordRequestChange.at, RecordRequestChange.id)).all()


def files_of(request_id: UUID) -> Sequence[RecordRequestFile]:
    """Proofs and answers, in the order they came."""
    found = select(RecordRequestFile).options(joinedload(RecordRequestFile.file))
    return session.scalars(
        found.where(RecordRequestFile.request_id == request_id).order_by(
            RecordRequestFile.added_at, RecordRequestFile.id
        )
    ).all()


def file_of(request_id: UUID, file_id: UUID) -> RecordRequestFile | None:
    """One of them, by its own id."""
    found = select(RecordRequestFile).options(joinedload(RecordRequestFile.file))
    return session.scalar(found.where(RecordRequestFile.id == file_id, RecordRequestFile.request_id == request_id))


def certificates(request_id: UUID) -> Sequence[HospitalCertificate]:
    found = select(HospitalCertificate).where(HospitalCertificate.request_id == request_id)
    return session.scalars(found.order_by(HospitalCertificate.issued_at.desc())).all()


# -- the agents of a desk ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Desk:
    """Whose requests an agent treats: those of one right, at the hospitals where they hold it."""

    right: str
    places: frozenset[UUID]

    @property
    def mine(self) -> ColumnElement[bool]:
        sent = RecordRequest.state != states.DRAFT
        return (RecordRequest.desk == self.right) & RecordRequest.establishment_id.in_(self.places) & sent


@dataclass(frozen=True)
class Wanted:
    """What the tray shows. group: of GROUPS. agent: `mine`, `none`, or everybody's."""

    group: str = "open"
    kind: str = ""
    agent: str = ""
    urgency: str = ""
    place: UUID | None = None
    page: int = 1


GROUPS: Mapping[str, tuple[str, ...]] = {
    "open": states.RUNNING,
    "missing": (states.MISSING,),
    "closed": states.CLOSED,
}


def one_at(desk: Desk, request_id: UUID) -> RecordRequest | None:
    return session.scalar(_requests().where(RecordRequest.id == request_id, desk.mine))


def by_reference(desk: Desk, typed: str) -> UUID | None:
    """The request of that reference, however it was typed."""
    reference = "".join(typed.split()).replace("-", "").upper()
    return session.scalar(select(RecordRequest.id).where(RecordRequest.reference == reference, desk.mine))


def tray(desk: Desk, wanted: Wanted) -> Sequence[RecordRequest]:
    """One page and one more row when there is a next one: the most urgent first, what is closed from the newest."""
    order: Any = RecordRequest.due_on if wanted.group == "open" else RecordRequest.changed_at.desc()
    found = _requests().join(Establishment).where(desk.mine, *_asked(wanted))
    return session.scalars(
        found.order_by(order, RecordRequest.sent_at, RecordRequest.id)
        .offset((wanted.page - 1) * PAGE_SIZE)
        .limit(PAGE_SIZE + 1)
    ).all()


def _asked(wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [RecordRequest.state.in_(GROUPS[wanted.group])]
    if wanted.kind:
        conditions.append(RecordRequest.kind == wanted.kind)
    if wanted.place:
        conditions.append(RecordRequest.establishment_id == wanted.place)
    if wanted.agent == "mine":
        conditions.append(RecordRequest.agent_id == db.current_actor().account_id)
    elif wanted.agent == "none":
        conditions.append(RecordRequest.agent_id.is_(None))
    if wanted.urgency == "late":
        conditions.append(RecordRequest.due_on < _today())
    elif wanted.urgency == "soon":
        conditions.append(RecordRequest.due_on <= _today() + SOON_DAYS)
    return conditions


def _today() -> Any:
    """The civil day of the request's hospital."""
    return today_in(Establishment.time_zone)


def counts(desk: Desk) -> Mapping[str, int]:
    """How many in each group, `late` and `soon` among those open."""
    today = _today()
    late, soon = RecordRequest.due_on < today, RecordRequest.due_on.between(today, today + SOON_DAYS)
    rows = session.execute(
        select(RecordRequest.state, func.count(), func.count().filter(late), func.count().filter(soon))
        .join(Establishment)
        .where(desk.mine)
        .group_by(RecordRequest.state)
    ).all()
    found = {group: sum(row[1] for row in rows if row[0] in of) for group, of in GROUPS.items()}
    return {**found, "late": sum(row[2] for row in rows), "soon": sum(row[3] for row in rows)}


def next_to_treat(desk: Desk, after: UUID | None = None) -> UUID | None:
    """The most urgent one that nobody else has."""
    free = or_(RecordRequest.agent_id.is_(None), RecordRequest.agent_id == db.current_actor().account_id)
    found = select(RecordRequest.id).where(desk.mine, RecordRequest.state.in_(states.RUNNING), free)
    if after is not None:
        found = found.where(RecordRequest.id != after)
    return session.scalar(found.order_by(RecordRequest.due_on, RecordRequest.sent_at, RecordRequest.id).limit(1))


def is_known_at(patient_id: UUID | None, establishment_id: UUID) -> bool:
    """Whether the hospital has a record of this person, without which nothing goes to their shelf."""
    return patient_id is not None and session.get(PatientRecord, (patient_id, establishment_id)) is not None


def answers(desk: Desk, kind: str | None = None, place: UUID | None = None) -> Sequence[RecordRequestAnswer]:
    """What agents start a message from; for one kind, what suits it and what suits all."""
    places = [place] if place else desk.places
    found = select(RecordRequestAnswer).where(
        RecordRequestAnswer.establishment_id.in_(places), RecordRequestAnswer.desk == desk.right
    )
    if kind is not None:
        found = found.where(RecordRequestAnswer.kind.in_(("", kind)))
    return session.scalars(found.order_by(RecordRequestAnswer.kind, RecordRequestAnswer.title)).all()


def answer_at(desk: Desk, answer_id: UUID) -> RecordRequestAnswer | None:
    return session.scalar(
        select(RecordRequestAnswer).where(
            RecordRequestAnswer.id == answer_id,
            RecordRequestAnswer.desk == desk.right,
            RecordRequestAnswer.establishment_id.in_(desk.places),
        )
    )


@dataclass(frozen=True)
class Line:
    """Requests of one kind, of one hospital, of one month; nobody is in it."""

    place: str
    month: date
    kind: str
    sent: int
    answered: int
    refused: int
    cancelled: int
    late: int
    median_days: float | None


def figures(desk: Desk, since: datetime) -> Sequence[Line]:
    """By hospital, month of sending and kind."""
    local = func.timezone(Establishment.time_zone, RecordRequest.sent_at)
    month = cast(func.date_trunc("month", local), Date)
    took = func.extract("epoch", RecordRequest.closed_at - RecordRequest.sent_at) / 86_400
    answered = RecordRequest.state.in_((states.ANSWERED, states.REFUSED))
    late = RecordRequest.was_late | (RecordRequest.due_on < _today())
    rows = session.execute(
        select(
            Establishment.name,
            month,
            RecordRequest.kind,
            func.count(),
            *(func.count().filter(RecordRequest.state == state) for state in states.CLOSED),
            func.count().filter(late),
            func.percentile_cont(0.5).within_group(took).filter(answered),
        )
        .join(Establishment)
        .where(desk.mine, RecordRequest.sent_at >= since)
        .group_by(Establishment.name, month, RecordRequest.kind)
        .order_by(month.desc(), Establishment.name, RecordRequest.kind)
    )
    return [Line(*tuple(row)) for row in rows]


# -- anybody -----------------------------------------------------------------------------------------------------


def certificate_by_code(number: str, code: str) -> HospitalCertificate | None:
    """The certificate that bears both; for a system job."""
    found = session.scalar(
        select(HospitalCertificate)
        .options(joinedload(HospitalCertificate.establishment))
        .where(HospitalCertificate.number == number)
    )
    if found is None or not hmac.compare_digest(found.code, code.encode("ascii", "replace").decode()):
        return None
    return found


# -- jobs --------------------------------------------------------------------------------------------------------


def old_drafts(before: datetime) -> Sequence[RecordRequest]:
    """Drafts that nobody touched since then."""
    return session.scalars(
        select(RecordRequest)
        .where(RecordRequest.state == states.DRAFT, RecordRequest.changed_at < before)
        .order_by(RecordRequest.id)
        .limit(500)
        .with_for_update(skip_locked=True, key_share=True)
    ).all()


def waiting_mailboxes() -> Sequence[tuple[UUID, str, int, int]]:
    """Hospital, desk, how many are late, how many are due within two days; for a system job."""
    today = _today()
    late = func.count().filter(RecordRequest.due_on < today)
    soon = func.count().filter(RecordRequest.due_on.between(today, today + SOON_DAYS))
    rows = session.execute(
        select(RecordRequest.establishment_id, RecordRequest.desk, late, soon)
        .join(Establishment)
        .where(RecordRequest.due_on <= today + SOON_DAYS)
        .group_by(RecordRequest.establishment_id, RecordRequest.desk)
    )
    return [(place, desk, late_ones, soon_ones) for place, desk, late_ones, soon_ones in rows]
