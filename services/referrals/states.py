"""What a request at one unit may become. Each change leaves one row that nobody edits."""

from typing import Final

from portal import db
from portal.db import Actor
from services.referrals.models import ReferralChange, ReferralTarget

NEW: Final = ""
_DECIDED = {"accepted", "refused", "redirected", "completed"}
_ENDED_EARLY = {"withdrawn", "objected", "lapsed"}

# waiting: another unit was asked before; received: the unit answers; asked: the practitioner does; accepted: a date or
# a stay; completed: seen, or the opinion given; redirected: the unit named another; lapsed: nobody answered in time and
# the next unit was asked; objected: the patient does not want it.
TARGET: Final[dict[str, set[str]]] = {
    NEW: {"waiting"},
    "waiting": {"received", "withdrawn", "objected"},
    "received": {"asked"} | _DECIDED | _ENDED_EARLY,
    "asked": {"received"} | _DECIDED | _ENDED_EARLY,
    "accepted": {"received", "completed", "withdrawn", "objected"},
    "refused": {"received"},
    "redirected": {"withdrawn", "objected"},
    "completed": set(),
    "withdrawn": set(),
    "objected": {"received"},
    "lapsed": {"received"},
}
OPEN: Final = ("received", "asked")
"""Something is still to be answered there."""
LIVE: Final = ("waiting", "received", "asked", "accepted")
"""Nothing has ended there yet."""
ANSWERED: Final = ("accepted", "refused", "redirected", "completed", "lapsed")
"""There is something to tell the patient."""
SENT_ELSEWHERE: Final = ("refused", "lapsed")
"""The next unit of the list is asked."""


class NotPossibleNow(Exception):
    """The request is not, or no longer, in a state that allows this."""


def move(target: ReferralTarget, to: str, by: Actor, note: str = "") -> ReferralChange:
    """Change the state of a request at a unit and return the row that says so. note: a code. Raises NotPossibleNow."""
    before = target.state or NEW
    if to not in TARGET[before]:
        raise NotPossibleNow(before)
    target.state, target.changed_at = to, db.now()
    return ReferralChange(
        target_id=target.id,
        referral_id=target.referral_id,
        establishment_id=target.establishment_id,
        from_state=before,
        to_state=to,
        note=note,
        actor=by.label,
        actor_name=by.name,
        at=target.changed_at,
    )
