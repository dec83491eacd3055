"""What machines leave behind is forgotten."""

from datetime import timedelta

from sqlalchemy import delete

from auth.machines.models import MachineAssertion, MachineToken, MachineUse
from portal import db, jobs

_COUNTS_KEPT = timedelta(days=7)


@jobs.periodic("41 * * * *", "machines.forget")
def forget() -> None:
    """Delete passes and assertions that have expired, and counts of more than a week."""
    with jobs.reading() as current:
        now = db.now()
        current.execute(delete(MachineToken).where(MachineToken.expires_at < now))
        current.execute(delete(MachineAssertion).where(MachineAssertion.expires_at < now))
        current.execute(delete(MachineUse).where(MachineUse.hour < now - _COUNTS_KEPT))
