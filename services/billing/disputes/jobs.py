"""The trip to Stripe for one dispute."""

from uuid import UUID

from portal import db, jobs
from services.billing import jobs as room
from services.billing.disputes import actions
from services.billing.sources import queries as sources


@jobs.task("billing.hear_dispute")
def hear_dispute(establishment_id: str, psp_ref: str) -> None:
    """Something happened to a dispute of this hospital's account: read it again, and draw the consequences."""
    with db.transaction(db.system("billing.hear_dispute")):
        counter = sources.stripe_counter(UUID(establishment_id))
    if counter is None:
        return
    told = room.stripe().account.dispute(psp_ref, counter)
    with db.transaction(db.system("billing.hear_dispute")):
        actions.hear(UUID(establishment_id), counter.account, told)
