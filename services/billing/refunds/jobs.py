"""The trips to the provider that gives money back. Each is: write down, ask with no transaction open, write down."""

from collections.abc import Callable
from uuid import UUID

import structlog

from portal import db, jobs
from portal.gateways import OutcomeUnknown, Refused, Unavailable
from portal.gateways.payments.means import Counter, Impossible
from portal.gateways.payments.stripe_account import RefundFacts
from services.billing import jobs as room
from services.billing.refunds import actions, queries
from services.billing.refunds.actions import Order
from services.billing.refunds.models import Refund
from services.billing.sources import queries as sources

log = structlog.get_logger(__name__)

_WORDS = {
    "pending": "pending",
    "requires_action": "pending",
    "succeeded": "done",
    "failed": "failed",
    "canceled": "cancelled",
}
"""Stripe’s words for a refund, in everybody’s; one that we do not know says nothing yet."""


@jobs.task("billing.send_refund")
def send_refund(refund_id: str) -> None:
    """Ask the provider to give money back. Run again, it asks first what became of the former time."""
    with db.transaction(db.system("billing.send_refund")):
        order = actions.begin(UUID(refund_id))
        counter = _counter(order) if order else None
    if order is None or counter is None:
        return
    try:
        if order.look_first and _found(order, counter):
            return
        if not order.may_send:
            _then(actions.lose, order.refund_id)
            return
        _send(order, counter)
    except Unavailable:
        _then(actions.put_back if not order.look_first else actions.record_unknown, order.refund_id)


def _counter(order: Order) -> Counter:
    return sources.same_counter(order.establishment_id, order.psp, order.account, order.mode)


def _send(order: Order, counter: Counter) -> None:
    """Raises Unavailable: nothing was sent."""
    try:
        told = room.means(order.psp).refund(order.payment, order.amount_cents, key=order.key, counter=counter)
    except OutcomeUnknown:
        _then(actions.record_unknown, order.refund_id)
    except Impossible:
        _then(actions.refused, order.refund_id, "impossible")
    except Refused as refusal:
        _then(actions.refused, order.refund_id, refusal.code)
    else:
        _then(actions.hear, order.refund_id, told.psp_ref, told.state, told.failure)


def _found(order: Order, counter: Counter) -> bool:
    """Whether the provider has heard of this refund before; if so, what it says is written down."""
    known = room.stripe().account.refunds_of(order.payment, counter)
    facts = next((each for each in known if each.key == order.key), None)
    if facts is not None:
        _then(_hear, order.refund_id, facts)
    return facts is not None


def _then(action: Callable[..., object], *arguments: object) -> None:
    with db.transaction(db.system("billing.send_refund")):
        action(*arguments)


def _hear(refund_id: UUID, facts: RefundFacts) -> None:
    # A refund that failed at once never moved money: the movement says which.
    actions.hear(
        refund_id, facts.psp_ref, _WORDS.get(facts.state, "pending"), facts.failure, has_left=bool(facts.movement)
    )


@jobs.task("billing.hear_refund")
def hear_refund(establishment_id: str, psp_ref: str) -> None:
    """Something happened to a refund of this hospital's account: read it again, and draw the consequences."""
    with db.transaction(db.system("billing.hear_refund")):
        counter = sources.stripe_counter(UUID(establishment_id))
    if counter is None:
        return
    try:
        facts = room.stripe().account.refund(psp_ref, counter)
    except Refused as refused:
        log.warning("refund.not_told", psp_ref=psp_ref, code=refused.code)
        return
    with db.transaction(db.system("billing.hear_refund")):
        refund = queries.by_provider("stripe", facts.psp_ref, facts.key)
        if refund is None or not _is_about(refund, UUID(establishment_id), facts):
            refund = actions.adopt("stripe", facts.payment_ref, facts.psp_ref, facts.amount_cents)
        if refund is not None:
            _hear(refund.id, facts)


def _is_about(refund: Refund, establishment_id: UUID, facts: RefundFacts) -> bool:
    """Whoever may write at Stripe's site may write our key there: it is believed when all the rest agrees."""
    told = (refund.establishment_id, refund.entry.number, refund.amount_cents)
    return told == (establishment_id, facts.payment_ref, facts.amount_cents)


@jobs.task("billing.tell_of_refund")
def tell_of_refund(refund_id: str) -> None:
    """Once per refund: the entry that asks for it is written once."""
    with jobs.effect():
        actions.tell_payer(UUID(refund_id))


@jobs.periodic("*/5 * * * *", "billing.follow_refunds")
def follow_refunds() -> None:
    """Send what should have left by now: a provider that was away, a process that died, an answer that was lost."""
    with jobs.reading():
        for refund_id in queries.to_send(db.now()):
            jobs.enqueue("billing.send_refund", refund_id=str(refund_id))


@jobs.periodic("23 */6 * * *", "billing.ask_about_refunds")
def ask_about_refunds() -> None:
    """Ask what became of the refunds that a provider is working on: no event may ever come."""
    with jobs.reading():
        for refund in queries.being_worked_on():
            jobs.enqueue(
                "billing.hear_refund", establishment_id=str(refund.establishment_id), psp_ref=refund.psp_ref or ""
            )
