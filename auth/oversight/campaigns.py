"""When a review of rights begins by itself, and when it is reminded of.

The setting `access_review_days` of a hospital says how many days after the last one a review begins (182 unless it says
otherwise; 0: only when an administrator opens one). The first one begins when the oldest right has that age.
"""

from datetime import datetime, timedelta

from sqlalchemy import func, select

from auth.agents import administrators
from auth.models import StaffRight
from auth.oversight import actions, mails
from auth.oversight.models import AccessReview, AccessReviewLine
from portal import db, establishments
from portal.calendar import civil_day
from portal.db import session
from portal.establishments import Establishment

SETTING = "access_review_days"
EVERY_DAYS = 182
_NEAR = timedelta(days=7)


def look_after(hospital: Establishment) -> None:
    """Open the hospital's review when it is due, or remind of the one under way, every week from the last one on."""
    review = session.scalar(
        select(AccessReview)
        .where(AccessReview.establishment_id == hospital.id)
        .order_by(AccessReview.opened_at.desc())
        .limit(1)
    )
    if review is not None and review.closed_at is None:
        _remind(review, hospital)
    elif _is_due(hospital, review):
        actions.open_review(hospital)


def every(hospital: Establishment) -> timedelta | None:
    """After how long a review begins by itself; None for never."""
    days = establishments.setting(hospital.id, SETTING, str(EVERY_DAYS))
    number = int(days) if days.isdecimal() else EVERY_DAYS
    return timedelta(days=number) if number else None


def _is_due(hospital: Establishment, last: AccessReview | None) -> bool:
    delay = every(hospital)
    since = last.opened_at if last else _oldest_right(hospital)
    return delay is not None and since is not None and since <= db.now() - delay


def _oldest_right(hospital: Establishment) -> datetime | None:
    return session.scalar(
        select(func.min(StaffRight.granted_at)).where(StaffRight.establishment_id == hospital.id)
    )  # fmt: skip


def _remind(review: AccessReview, hospital: Establishment) -> None:
    if civil_day(db.now(), hospital.tz) < review.due_on - _NEAR:
        return
    if review.reminded_at is not None and review.reminded_at > db.now() - _NEAR:
        return
    left = session.scalar(
        select(func.count()).where(AccessReviewLine.review_id == review.id, AccessReviewLine.decision == "")
    )
    if left:
        review.reminded_at = db.now()
        administrators.tell(hospital.id, mails.review_waits(hospital.name, left))
