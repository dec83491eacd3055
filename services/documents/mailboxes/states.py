"""What a mail that leaves may become: honest about what is known, and never better than what was told."""

from typing import Final

from portal import db
from services.documents.mailboxes.models import Transmission, TransmissionChange
from services.documents.states import NotPossibleNow

NEW: Final = ""

TRANSMISSION: Final = {
    NEW: {"waiting", "refused"},
    "waiting": {"waiting", "uncertain", "accepted", "refused", "given_up"},
    "uncertain": {"waiting", "uncertain", "accepted", "delivered", "read", "refused", "given_up"},
    "accepted": {"accepted", "delivered", "read", "refused"},  # accepted again: an operator says that it is late
    "delivered": {"read", "refused"},  # refused: their software could not take it in (MDN processed/error)
    "read": set(),
    "refused": {"waiting", "given_up"},  # sent again by hand, once what was wrong is mended; or on paper
    "given_up": {"given_up", "waiting", "accepted", "delivered", "read", "refused"},
}


def move(transmission: Transmission, to: str, code: str = "", reason: str = "") -> TransmissionChange:
    """Change the state and return the row that says so. Raises NotPossibleNow: late news change nothing."""
    before = transmission.state or NEW
    if to not in TRANSMISSION[before]:
        raise NotPossibleNow(before)
    transmission.state, transmission.code, transmission.reason = to, code, reason
    transmission.changed_at = db.now()
    return TransmissionChange(
        transmission_id=transmission.id,
        establishment_id=transmission.establishment_id,
        from_state=before,
        to_state=to,
        code=code,
        reason=reason,
        at=transmission.changed_at,
    )
