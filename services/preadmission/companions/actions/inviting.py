"""A link by e-mail, used once; or a sheet of paper."""

from datetime import timedelta
from typing import Final

from auth.guests.secrets import digest
from portal import db, jobs
from portal.db import session
from services.preadmission.companions import secrets
from services.preadmission.companions.actions import traces
from services.preadmission.companions.actions.facts import NoAddress, TooManyLinks
from services.preadmission.companions.models import Companion

LIFE: Final = timedelta(days=7)
_BETWEEN: Final = timedelta(minutes=5)
_MOST_LINKS: Final = 10


def invite(companion: Companion) -> None:
    """Send a link; the former one is good no more. Raises TransitionRefused, NoAddress, TooManyLinks."""
    traces.lock(companion)
    if not companion.email:
        raise NoAddress(companion.id)
    just_sent = companion.state == "invited" and companion.changed_at > db.now() - _BETWEEN
    if just_sent or companion.link_number >= _MOST_LINKS:
        raise TooManyLinks(companion.id)
    traces.move(companion, "invited")
    companion.account_id = None
    companion.link_number += 1
    companion.link_digest = digest(secrets.token_of(companion.id, companion.link_number))
    companion.link_expires_at = db.now() + LIFE
    session.flush()
    jobs.enqueue("companions.send_link", companion_id=str(companion.id), number=companion.link_number)


def leave_to_paper(companion: Companion) -> None:
    """They will sign a sheet, or at the hospital; a link that was sent is good no more. Raises TransitionRefused."""
    traces.lock(companion)
    traces.move(companion, "on_paper")
    companion.link_digest = None
    session.flush()
