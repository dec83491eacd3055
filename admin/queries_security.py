"""What a security officer looks at first: how people sign in, what was stopped, and what waits."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, exists, func, or_, select

from auth import acts
from auth.account.models import DataRequest
from auth.account.states import CLOSED
from auth.factors.models import Factor
from auth.models import Account, EmergencyAccess, Identity, StaffRight
from auth.oversight.models import TO_REVIEW, AccessReview, AccessReviewLine, SecurityIncident, UnusualAccess
from portal import db, kpi
from portal.audit import AuditEvent
from portal.db import session

DAYS = 30
SIGN_INS, REFUSED, BLOCKED = "session_opened", "sign_in_refused", acts.BLOCKED


@dataclass(frozen=True)
class Pair:
    """A number in the last thirty days, and in the thirty before."""

    now: int
    before: int


@dataclass(frozen=True)
class Proven:
    """Agents of some right: how many are known to prove themselves twice, of how many. The way of a provider is known
    from their last sign-in."""

    twice: int
    everybody: int

    @property
    def share(self) -> float | None:
        return self.twice / self.everybody if self.everybody else None


@dataclass(frozen=True)
class Waiting:
    """What waits for somebody: numbers alone."""

    emergencies: int
    unusual: int
    incidents: int
    rights: int
    data_requests: int
    late_data_requests: int


def counted(establishment_ids: Collection[UUID], last: date) -> dict[str, Pair]:
    """How often at the whole portal: sign-ins, refused ones, files stopped. last: the last day counted."""
    first = last - timedelta(days=DAYS - 1)
    spans = [(first, last), (first - timedelta(days=DAYS), first - timedelta(days=1))]
    now, before = kpi.side_by_side(spans, None, establishment_ids, (SIGN_INS, REFUSED, BLOCKED))
    return {event: Pair(kpi.counted(event, now), kpi.counted(event, before)) for event in (SIGN_INS, REFUSED, BLOCKED)}


def audited(action: str, establishment_ids: Collection[UUID]) -> Pair:
    """How often the journal of these hospitals says it."""
    now = db.now()
    since = now - timedelta(days=DAYS)
    recent = func.count().filter(AuditEvent.at >= since)
    query = select(recent, func.count()).where(
        AuditEvent.establishment_id.in_(establishment_ids),
        AuditEvent.action == action,
        AuditEvent.at >= since - timedelta(days=DAYS),
    )
    inside, everything = session.execute(query).one()
    return Pair(inside, everything - inside)


def proven(establishment_ids: Collection[UUID], right: str = "") -> Proven:
    """Agents with a right at these hospitals (this one, when it is named) who prove themselves twice. As the system."""
    holds = select(StaffRight.account_id).where(StaffRight.establishment_id.in_(establishment_ids))
    if right:
        holds = holds.where(StaffRight.right == right)
    own = exists().where(
        Factor.account_id == Account.id, Factor.removed_at.is_(None), Factor.kind.in_(("passkey", "totp"))
    )
    twice = or_(Identity.amr.contains("mfa"), Identity.acr.in_(("eidas2", "eidas3")))
    by_provider = exists().where(Identity.account_id == Account.id, twice)
    query = select(func.count().filter(or_(own, by_provider)), func.count())
    found = session.execute(query.select_from(Account).where(Account.id.in_(holds), Account.closed_at.is_(None))).one()
    return Proven(found[0], found[1])


def waiting(establishment_ids: Collection[UUID], today: date) -> Waiting:
    """What waits at these hospitals, in one statement. As the system: auditors read how many, not the requests."""
    ids = list(establishment_ids)
    open_requests = (DataRequest.establishment_id.in_(ids), DataRequest.state.not_in(CLOSED))
    query = select(
        _count(EmergencyAccess, EmergencyAccess.establishment_id.in_(ids), EmergencyAccess.reviewed_at.is_(None)),
        _count(UnusualAccess, UnusualAccess.establishment_id.in_(ids), UnusualAccess.state == TO_REVIEW),
        _count(SecurityIncident, SecurityIncident.establishment_id.in_(ids), SecurityIncident.closed_at.is_(None)),
        select(func.count())
        .select_from(AccessReviewLine)
        .join(AccessReview, AccessReview.id == AccessReviewLine.review_id)
        .where(
            AccessReview.establishment_id.in_(ids), AccessReview.closed_at.is_(None), AccessReviewLine.decision == ""
        )
        .scalar_subquery(),
        _count(DataRequest, *open_requests),
        _count(DataRequest, *open_requests, DataRequest.due_on < today),
    )
    return Waiting(*session.execute(query).one())


def _count(model: type[db.Base], *conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    return select(func.count()).select_from(model).where(*conditions).scalar_subquery()
