"""The trip to Stripe for one dispute."""

from uuid import UUID

import structlog

from portal import db, jobs
from portal.gateways import Refused
from services.billing import jobs as room
from services.billing.disputes import actions
from services.billing.sources import queries as sources

log = structlog.get_logger(__name__)


@jobs.task("billing.hear_dispute")
def hear_dispute(establishment_id: str, psp_ref: str) -> None:
    """Something happened to a dispute of this hospital's account: read it again, and draw the consequences."""
    with db.transaction(db.system("billing.hear_dispute")):
        counter = sources.stripe_counter(UUID(establishment_id))
    if counter is None:
        return
    try:
        told = room.stripe().account.dispute(psp_ref, counter)
    except Refused as refused:
        log.warning("dispute.not_told", psp_ref=psp_ref, code=refused.code)
        return
    with db.transaction(db.system("billing.hear_dispute")):
        actions.hear(UUID(establishment_id), counter.account, told)
