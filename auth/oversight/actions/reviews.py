"""A review of rights: opened every six months, decided agent by agent, closed when nothing is left."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select, update
from sqlalchemy.dialects.postgresql import insert

from auth import rights
from auth.agents import administrators
from auth.models import StaffRight
from auth.oversight import mails
from auth.oversight.models import GONE, KEPT, REMOVED, AccessReview, AccessReviewLine
from portal import audit, db
from portal.calendar import civil_day
from portal.db import session
from portal.establishments import Establishment

TIME_TO_ANSWER = timedelta(days=30)


class ReviewUnderWay(Exception):
    """This hospital has a review that is not closed."""


class ReviewClosed(Exception):
    """Nothing is decided any more in this review."""


class OwnRights(Exception):
    """Nobody confirms their own rights."""


def open_review(hospital: Establishment) -> AccessReview:
    """Begin a review of every right held at the hospital, and tell its administrators. Raises ReviewUnderWay."""
    if _open_at(hospital.id) is not None:
        raise ReviewUnderWay
    today = civil_day(db.now(), hospital.tz)
    review = AccessReview(
        establishment_id=hospital.id, opened_by=db.current_actor().account_id, due_on=today + TIME_TO_ANSWER
    )
    session.add(review)
    session.flush()
    held = select(StaffRight).where(StaffRight.establishment_id == hospital.id)
    lines = [
        {
            "review_id": review.id,
            "account_id": each.account_id,
            "right": each.right,
            "establishment_id": hospital.id,
            "granted_at": each.granted_at,
        }
        for each in session.scalars(held)
    ]
    if lines:
        session.execute(insert(AccessReviewLine), lines)
    _record("access_review.opened", review, rights=len(lines))
    administrators.tell(hospital.id, mails.review_opened(hospital.name, review.due_on))
    return review


def decide(review: AccessReview, account_id: UUID, kept: Collection[str]) -> None:
    """Confirm these rights of an agent among those that wait in the review, and withdraw the others.

    Raises ReviewClosed, OwnRights, and what `rights.change_rights` raises when a right may not be withdrawn.
    """
    held = select(AccessReview.closed_at).where(AccessReview.id == review.id)
    if session.scalar(held.with_for_update(key_share=True)) is not None:
        raise ReviewClosed
    me = db.current_actor().account_id
    if account_id == me:
        raise OwnRights
    note_gone(review)
    waiting = _waiting(review, account_id)
    removed = waiting - set(kept)
    if removed:
        rights.change_rights(account_id, review.establishment_id, _held(account_id, review.establishment_id) - removed)
    for right in sorted(waiting):
        _settle(review, account_id, right, KEPT if right in kept else REMOVED)
        if right in kept:
            _record("right.confirmed", review, account_id=account_id, right=right)
    if not _anything_left(review):
        close_review(review)


def close_review(review: AccessReview) -> None:
    """End a review; what nobody decided stays written as such. Raises ReviewClosed."""
    if review.closed_at is not None:
        raise ReviewClosed
    note_gone(review)
    review.closed_at = db.now()
    session.flush()
    _record("access_review.closed", review)


def note_gone(review: AccessReview) -> None:
    """Rights that were withdrawn meanwhile by another way need no answer."""
    still = exists().where(
        StaffRight.account_id == AccessReviewLine.account_id,
        StaffRight.right == AccessReviewLine.right,
        StaffRight.establishment_id == AccessReviewLine.establishment_id,
    )
    mine = update(AccessReviewLine).where(
        AccessReviewLine.review_id == review.id, AccessReviewLine.decision == "", ~still
    )
    session.execute(mine.values(decision=GONE, decided_at=db.now()), execution_options={"synchronize_session": False})


def _settle(review: AccessReview, account_id: UUID, right: str, decision: str) -> None:
    line = update(AccessReviewLine).where(
        AccessReviewLine.review_id == review.id,
        AccessReviewLine.account_id == account_id,
        AccessReviewLine.right == right,
    )
    values = {"decision": decision, "decided_by": db.current_actor().account_id, "decided_at": db.now()}
    session.execute(line.values(**values), execution_options={"synchronize_session": False})


def _waiting(review: AccessReview, account_id: UUID) -> set[str]:
    query = select(AccessReviewLine.right).where(
        AccessReviewLine.review_id == review.id,
        AccessReviewLine.account_id == account_id,
        AccessReviewLine.decision == "",
    )
    return set(session.scalars(query))


def _held(account_id: UUID, establishment_id: UUID) -> set[str]:
    query = select(StaffRight.right).where(
        StaffRight.account_id == account_id, StaffRight.establishment_id == establishment_id
    )
    return set(session.scalars(query))


def _anything_left(review: AccessReview) -> bool:
    left = exists().where(AccessReviewLine.review_id == review.id, AccessReviewLine.decision == "")
    return bool(session.scalar(select(left)))


def _open_at(establishment_id: UUID) -> AccessReview | None:
    query = select(AccessReview).where(
        AccessReview.establishment_id == establishment_id, AccessReview.closed_at.is_(None)
    )
    return session.scalar(query)


def _record(event: str, review: AccessReview, *, account_id: UUID | None = None, **details: Any) -> None:
    kind, about = ("account", account_id) if account_id else ("access_review", review.id)
    audit.record(
        event, establishment_id=review.establishment_id, object_kind=kind, object_id=about, **details
    )  # fmt: skip
