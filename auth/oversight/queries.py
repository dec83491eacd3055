"""What is read of oversight: always at the hospitals of whoever asks."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from auth.models import Account, Patient
from auth.oversight.models import TO_REVIEW, AccessReview, AccessReviewLine, SecurityIncident, UnusualAccess
from portal import db
from portal.db import session

AUTHORITY_WITHIN = timedelta(hours=72)
"""RGPD, article 33: the CNIL is told at the latest 72 hours after the violation was known."""


# -- unusual accesses --------------------------------------------------------------------------------------------


def unusual(establishment_ids: Collection[UUID], *, waiting: bool, limit: int = 100) -> Sequence[UnusualAccess]:
    """Those to look at, the oldest week first; or those judged, the latest first."""
    query = select(UnusualAccess).where(
        UnusualAccess.establishment_id.in_(establishment_ids), (UnusualAccess.state == TO_REVIEW) == waiting
    )
    order = (UnusualAccess.week_on, UnusualAccess.rule) if waiting else (UnusualAccess.reviewed_at.desc(),)
    whole = query.options(
        joinedload(UnusualAccess.account), joinedload(UnusualAccess.reviewer), joinedload(UnusualAccess.establishment)
    )
    return session.scalars(whole.order_by(*order, UnusualAccess.id).limit(limit)).all()


def one_unusual(establishment_ids: Collection[UUID], access_id: UUID) -> UnusualAccess | None:
    """One of these hospitals' unusual accesses."""
    query = select(UnusualAccess).where(
        UnusualAccess.id == access_id, UnusualAccess.establishment_id.in_(establishment_ids)
    )
    return session.scalar(
        query.options(joinedload(UnusualAccess.account), joinedload(UnusualAccess.reviewer),
                      joinedload(UnusualAccess.establishment))
    )  # fmt: skip


def patients_of(access: UnusualAccess) -> dict[UUID, Patient]:
    """The patients concerned whom the reader may know."""
    return {each.id: each for each in session.scalars(select(Patient).where(Patient.id.in_(access.patient_ids)))}


def count_unusual(establishment_ids: Collection[UUID]) -> int:
    """How many wait to be looked at."""
    query = select(func.count()).where(
        UnusualAccess.establishment_id.in_(establishment_ids), UnusualAccess.state == TO_REVIEW
    )
    return session.scalar(query) or 0


# -- reviews of rights -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Progress:
    """A review and how many of its lines have each decision ("" for none yet)."""

    review: AccessReview
    counts: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def left(self) -> int:
        return self.counts.get("", 0)


def reviews(establishment_ids: Collection[UUID], limit: int = 50) -> list[Progress]:
    """The reviews of these hospitals, those under way first, then the latest."""
    query = select(AccessReview).where(AccessReview.establishment_id.in_(establishment_ids))
    query = query.options(joinedload(AccessReview.establishment))
    order = (AccessReview.closed_at.is_not(None), AccessReview.opened_at.desc())
    found = session.scalars(query.order_by(*order).limit(limit)).all()
    counts: dict[UUID, dict[str, int]] = {each.id: {} for each in found}
    rows = session.execute(
        select(AccessReviewLine.review_id, AccessReviewLine.decision, func.count())
        .where(AccessReviewLine.review_id.in_(counts))
        .group_by(AccessReviewLine.review_id, AccessReviewLine.decision)
    )
    for review_id, decision, number in rows:
        counts[review_id][decision] = number
    return [Progress(each, counts[each.id]) for each in found]


def one_review(establishment_ids: Collection[UUID], review_id: UUID) -> AccessReview | None:
    """One of these hospitals' reviews."""
    query = select(AccessReview).where(
        AccessReview.id == review_id, AccessReview.establishment_id.in_(establishment_ids)
    )
    return session.scalar(query.options(joinedload(AccessReview.establishment)))


@dataclass
class Reviewed:
    """One agent under review: their lines, by right."""

    account: Account
    lines: list[AccessReviewLine] = field(default_factory=list)

    @property
    def waiting(self) -> list[AccessReviewLine]:
        return [line for line in self.lines if not line.decision]


def agents_of(review: AccessReview, account_id: UUID | None = None) -> list[Reviewed]:
    """The agents of a review by name, or this one alone."""
    query = select(AccessReviewLine, Account).join(Account, Account.id == AccessReviewLine.account_id)
    query = query.where(AccessReviewLine.review_id == review.id).options(joinedload(AccessReviewLine.decider))
    if account_id is not None:
        query = query.where(AccessReviewLine.account_id == account_id)
    found: dict[UUID, Reviewed] = {}
    for line, account in session.execute(query.order_by(Account.name, Account.id)):
        found.setdefault(account.id, Reviewed(account)).lines.append(line)
    for one in found.values():
        one.lines.sort(key=lambda line: db.RIGHTS.index(line.right))
    return list(found.values())


# -- incidents ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Clock:
    """The 72 hours of one incident. due_at: None when the CNIL was told or need not be."""

    due_at: datetime | None

    def hours_left(self, now: datetime) -> int | None:
        """Whole hours, below zero when they are over."""
        return None if self.due_at is None else int((self.due_at - now).total_seconds() // 3600)


def clock(incident: SecurityIncident) -> Clock:
    """Until when the CNIL must be told of it."""
    settled = (
        incident.risk == "none" or incident.authority_told_at or incident.authority_why or incident.closed_at
    )  # fmt: skip
    return Clock(None if settled else incident.detected_at + AUTHORITY_WITHIN)


def incidents(establishment_ids: Collection[UUID], limit: int = 100) -> Sequence[SecurityIncident]:
    """The register of these hospitals: what is open first, then the latest."""
    query = select(SecurityIncident).where(SecurityIncident.establishment_id.in_(establishment_ids))
    query = query.options(joinedload(SecurityIncident.establishment))
    order = (SecurityIncident.closed_at.is_not(None), SecurityIncident.detected_at.desc(), SecurityIncident.id)
    return session.scalars(query.order_by(*order).limit(limit)).all()


def one_incident(establishment_ids: Collection[UUID], incident_id: UUID) -> SecurityIncident | None:
    """One of these hospitals' incidents, with its steps."""
    query = select(SecurityIncident).where(
        SecurityIncident.id == incident_id, SecurityIncident.establishment_id.in_(establishment_ids)
    )
    return session.scalar(query.options(joinedload(SecurityIncident.establishment)))
