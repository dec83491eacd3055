"""The trip to Stripe for one payout, with all its movements."""

from datetime import timedelta
from uuid import UUID

import structlog

from portal import db, jobs
from portal.gateways import Refused
from services.billing import jobs as room
from services.billing.payouts import actions
from services.billing.sources import queries as sources

log = structlog.get_logger(__name__)

_MATCHED_AFTER = timedelta(minutes=10)


@jobs.task("billing.hear_payout")
def hear_payout(establishment_id: str, psp_ref: str) -> None:
    """Something happened to a payout of this hospital's account: read it and its movements again, and write down what
    is new. Movements without an entry are asked about by themselves, in case their news was lost."""
    with db.transaction(db.system("billing.hear_payout")):
        counter = sources.stripe_counter(UUID(establishment_id))
    if counter is None:
        return
    account = room.stripe().account
    try:
        told = account.payout(psp_ref, counter)
        movements = list(account.movements_of(psp_ref, counter))
        returned = account.movement(told.returned_by, counter) if told.returned_by else None
    except Refused as refused:
        log.warning("payout.not_told", psp_ref=psp_ref, code=refused.code)
        return
    with db.transaction(db.system("billing.hear_payout")):
        lost = actions.hear(UUID(establishment_id), counter, told, movements, returned)
        for job, source in lost:
            jobs.enqueue(job, establishment_id=establishment_id, psp_ref=source)
        if lost:
            jobs.enqueue("billing.match_payout", at=db.now() + _MATCHED_AFTER, psp_ref=psp_ref)


@jobs.task("billing.match_payout")
def match_payout(psp_ref: str) -> None:
    """Look again for the entries that a payout's movements had not found."""
    with db.transaction(db.system("billing.match_payout")):
        actions.match(psp_ref)
