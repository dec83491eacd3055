"""What happens behind the page where a letter is typed."""

from sqlalchemy import delete

from portal import db, jobs
from services.billing.guests import actions
from services.billing.guests.models import BillOpening


@jobs.task("billing.note_refused_keys")
def note_refused_keys(reference: str) -> None:
    """Write down that a bill's key is being guessed at: later, so that a reference which exists takes no longer."""
    with jobs.effect():
        actions.note_refused_keys(reference)


@jobs.periodic("13 * * * *", "billing.forget_openings")
def forget_openings() -> None:
    """Delete what no browser may come back to any more."""
    with jobs.reading() as current:
        current.execute(delete(BillOpening).where(BillOpening.opened_at < db.now() - actions.KEPT_FOR))
