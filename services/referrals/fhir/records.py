"""What a machine sees: the requests it sent, or (with the right to read) all those of its hospital; never another's."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, exists, func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from auth.models import Professional
from portal.db import session
from portal.establishments import Unit
from services.referrals.fhir.models import ReferralIdentifier
from services.referrals.fhir.shapes import Identifier
from services.referrals.models import Referral, ReferralFile, ReferralMessage, ReferralOffer, ReferralTarget


@dataclass(frozen=True)
class Reader:
    """A machine. sender: as the audit names it. sees_all: it may read what others sent to its hospital."""

    establishment_id: UUID
    sender: str
    sees_all: bool


@dataclass(frozen=True)
class Asked:
    """What a search wants; None: anything, empty: nothing can match. Each identifier is (system or None, value)."""

    ids: Collection[UUID] | None = None
    referrals: Collection[UUID] | None = None
    identifiers: Sequence[Collection[tuple[str | None, str]]] = ()
    rpps: Collection[str] | None = None
    since: datetime | None = None
    until: datetime | None = None


def targets(reader: Reader, asked: Asked, own: str) -> Sequence[ReferralTarget]:
    """Requests at the units of the machine's hospital, latest change first. own: the system of our references."""
    query = (
        select(ReferralTarget)
        .join(ReferralTarget.referral)
        .where(*_seen(reader), *_conditions(reader, asked, own))
        .options(
            joinedload(ReferralTarget.referral).joinedload(Referral.professional),
            joinedload(ReferralTarget.establishment),
            joinedload(ReferralTarget.offer).joinedload(ReferralOffer.unit).joinedload(Unit.establishment),
            joinedload(ReferralTarget.proposed).joinedload(ReferralOffer.unit),
            selectinload(ReferralTarget.messages).selectinload(ReferralMessage.files).joinedload(ReferralFile.file),
        )
        .order_by(ReferralTarget.changed_at.desc(), ReferralTarget.id)
        .limit(_MOST)
        .execution_options(populate_existing=True)
    )
    return session.scalars(query).all()


_MOST = 1000
"""Of one search: a follower asks for what has changed since its last call."""


def _seen(reader: Reader) -> list[ColumnElement[bool]]:
    """What the machine may read. A waiting unit knows nothing yet; whoever sent the request does."""
    sent = exists().where(
        ReferralIdentifier.referral_id == ReferralTarget.referral_id, ReferralIdentifier.sender == reader.sender
    )
    here = ReferralTarget.establishment_id == reader.establishment_id
    return [here, or_(sent, ReferralTarget.received_at.is_not(None)) if reader.sees_all else sent]


def _conditions(reader: Reader, asked: Asked, own: str) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if asked.ids is not None:
        conditions.append(ReferralTarget.id.in_(asked.ids))
    if asked.referrals is not None:
        conditions.append(ReferralTarget.referral_id.in_(asked.referrals))
    conditions += [or_(*(_named(reader, each, own) for each in group)) for group in asked.identifiers]
    if asked.rpps is not None:
        known = exists().where(Professional.id == Referral.professional_id, Professional.rpps.in_(asked.rpps))
        ours = exists().where(
            ReferralIdentifier.referral_id == ReferralTarget.referral_id, ReferralIdentifier.rpps.in_(asked.rpps)
        )
        conditions.append(or_(Referral.rpps.in_(asked.rpps), known, ours))
    changed = func.greatest(ReferralTarget.changed_at, func.coalesce(_last_message(), ReferralTarget.changed_at))
    if asked.since:
        conditions.append(changed >= asked.since)
    if asked.until:
        conditions.append(changed < asked.until)
    return conditions


def _last_message() -> ScalarSelect[datetime]:
    return (
        select(func.max(ReferralMessage.sent_at))
        .where(ReferralMessage.target_id == ReferralTarget.id)
        .correlate(ReferralTarget)
        .scalar_subquery()
    )


def _named(reader: Reader, token: tuple[str | None, str], own: str) -> ColumnElement[bool]:
    system, value = token
    theirs = exists().where(
        ReferralIdentifier.referral_id == ReferralTarget.referral_id,
        ReferralIdentifier.sender == reader.sender,
        ReferralIdentifier.value == value,
        *([ReferralIdentifier.system == system] if system is not None else []),
    )
    ours = Referral.reference == value
    return or_(ours, theirs) if system is None else ours if system == own else theirs


@dataclass(frozen=True)
class Sent:
    """What the machine itself calls a request, and in whose name it sent it (RPPS number)."""

    identifiers: Sequence[Identifier] = ()
    rpps: str = ""


def sent(reader: Reader, referral_ids: Collection[UUID]) -> dict[UUID, Sent]:
    """Of these requests, those that the machine sent."""
    rows = session.scalars(
        select(ReferralIdentifier)
        .where(ReferralIdentifier.referral_id.in_(referral_ids), ReferralIdentifier.sender == reader.sender)
        .order_by(ReferralIdentifier.system, ReferralIdentifier.value)
    )
    found: dict[UUID, Sent] = {}
    for each in rows:
        before = found.get(each.referral_id, Sent())
        found[each.referral_id] = Sent((*before.identifiers, (each.system, each.value)), each.rpps)
    return found


def known(sender: str, named: Identifier) -> UUID | None:
    """The request that this machine sent under this identifier."""
    return session.scalar(
        select(ReferralIdentifier.referral_id).where(
            ReferralIdentifier.sender == sender,
            ReferralIdentifier.system == named[0],
            ReferralIdentifier.value == named[1],
        )
    )


def file_of(target: ReferralTarget, file_id: UUID) -> ReferralFile | None:
    """A file that the unit, or the practitioner, joined to a message about this request."""
    files = (joined for message in target.messages for joined in message.files)
    return next((each for each in files if each.id == file_id), None)
