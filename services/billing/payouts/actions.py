"""What Stripe says of a payout: its movements, the fees that nobody has written yet, and the money at the bank."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert

from portal import audit, db
from portal.db import session
from portal.gateways.payments import stripe_account
from portal.gateways.payments.means import CURRENCY, Counter
from portal.gateways.payments.stripe_account import Movement
from services.billing.ledger import payments as ledger
from services.billing.ledger.actions import Posting, Side, post
from services.billing.ledger.models import BANK, FEES, LedgerEntry
from services.billing.payouts.models import Payout, PayoutMovement

log = structlog.get_logger(__name__)

_ENTRY_OF = {
    "refund": "refund",
    "refund_failure": "refund_failed",
    "dispute": "dispute",
    "dispute_reversal": "dispute_won",
    "payout": "payout",
}
"""Stripe's reporting categories whose `source` names an entry of the ledger, and the kind of that entry."""
_HEARD_BY = {
    "refund": "billing.hear_refund",
    "refund_failure": "billing.hear_refund",
    "dispute": "billing.hear_dispute",
    "dispute_reversal": "billing.hear_dispute",
    "payout_reversal": "billing.hear_payout",
}

Lost = list[tuple[str, str]]


def hear(
    establishment_id: UUID,
    counter: Counter,
    told: stripe_account.Payout,
    movements: Sequence[Movement],
    returned: Movement | None = None,
) -> Lost:
    """Write a payout down as Stripe tells it now; news may come twice and in any order.

    returned: the movement that brought a failed payout back. Returns the jobs to ask for, with the object each is
    about: movements whose entry is missing.
    """
    if told.currency != CURRENCY:
        log.error("payout.of_another_currency", psp_ref=told.psp_ref, currency=told.currency)
        return []  # the ledger counts cents of euros alone
    payout = _kept(establishment_id, counter.account, told)
    if told.state != "canceled" and told.amount_cents:
        _book_payout(payout, told.amount_cents, told.psp_ref, None, counter.is_test)
    if returned is not None:
        _book_return(payout, returned, counter.is_test)
    for movement in movements:
        _keep(payout, movement)
        if movement.kind in ("charge", "fee"):
            _book_fee(payout, movement, counter.is_test)
    session.flush()
    return [(_HEARD_BY[each.kind], each.source) for each in _match(payout) if each.kind in _HEARD_BY and each.source]


def match(psp_ref: str) -> None:
    """Look again for the entries of a payout's movements that have none."""
    if (payout := session.scalar(select(Payout).where(Payout.psp_ref == psp_ref))) is not None:
        _match(payout)


def _kept(establishment_id: UUID, account: str, told: stripe_account.Payout) -> Payout:
    gate = upsert(Payout).values(
        id=uuid4(), establishment_id=establishment_id, account=account, psp="stripe", psp_ref=told.psp_ref,
        amount_cents=told.amount_cents, state="", arrives_at=told.arrives_at,
    )  # fmt: skip
    session.execute(gate.on_conflict_do_nothing(index_elements=["psp_ref"]))
    payout = session.scalars(select(Payout).where(Payout.psp_ref == told.psp_ref).with_for_update(key_share=True)).one()
    session.refresh(payout)
    payout.arrives_at, payout.heard_at = told.arrives_at, db.now()
    if payout.state != told.state:
        payout.state = told.state
        audit.record(
            "payout.heard", establishment_id=establishment_id, object_kind="payout", object_id=payout.id,
            state=told.state, amount_cents=told.amount_cents,
        )  # fmt: skip
    return payout


def _keep(payout: Payout, movement: Movement) -> None:
    gate = upsert(PayoutMovement).values(
        id=uuid4(), payout_id=payout.id, establishment_id=payout.establishment_id, psp_ref=movement.id,
        kind=movement.kind, amount_cents=movement.amount_cents, fee_cents=movement.fee_cents,
        net_cents=movement.net_cents, source=movement.payment_ref or movement.source, moved_at=movement.created_at,
    )  # fmt: skip
    session.execute(gate.on_conflict_do_nothing(index_elements=["psp_ref"]))


# -- entries -----------------------------------------------------------------------------------------------------


def _book_payout(payout: Payout, cents: int, psp_ref: str, undoes_id: UUID | None, is_test: bool) -> None:
    """Below zero, Stripe takes money from the bank."""
    clearing = f"clearing:stripe:{payout.account}"
    to, out_of = (BANK, clearing) if cents > 0 else (clearing, BANK)
    sides = [Side(to, debit=abs(cents)), Side(out_of, credit=abs(cents))]
    _post(payout, "payout", psp_ref, sides, undoes_id, is_test)


def _book_return(payout: Payout, returned: Movement, is_test: bool) -> None:
    """The bank refused it: Stripe owes the money again."""
    sent = session.scalar(
        select(LedgerEntry.id).where(
            LedgerEntry.psp == "stripe", LedgerEntry.psp_ref == payout.psp_ref, LedgerEntry.kind == "payout"
        )
    )
    _book_payout(payout, -returned.amount_cents, returned.id, sent, is_test)


def _book_fee(payout: Payout, movement: Movement, is_test: bool) -> None:
    """What Stripe keeps of a payment, or takes by itself; below zero, a fee that it gives back."""
    cents = movement.fee_cents if movement.kind == "charge" else -movement.net_cents
    if cents:
        clearing = f"clearing:stripe:{payout.account}"
        to, out_of = (FEES, clearing) if cents > 0 else (clearing, FEES)
        sides = [Side(to, debit=abs(cents)), Side(out_of, credit=abs(cents))]
        _post(payout, "fee", movement.id, sides, None, is_test, _payment_of(movement))


def _payment_of(movement: Movement) -> LedgerEntry | None:
    return ledger.payment_numbered("stripe", movement.payment_ref)


def _post(
    payout: Payout,
    kind: str,
    psp_ref: str,
    sides: Sequence[Side],
    undoes_id: UUID | None,
    is_test: bool,
    payment: LedgerEntry | None = None,
) -> None:
    written = post(
        Posting(
            establishment_id=payout.establishment_id,
            psp="stripe",
            psp_ref=psp_ref,
            kind=kind,
            account=payout.account,
            sides=sides,
            attempt_id=payment.attempt_id if payment else None,
            undoes_id=undoes_id,
            bill_source=payment.bill_source if payment else "",
            is_test=is_test,
            moved_at=payout.arrives_at if kind == "payout" else None,
        )
    )
    if written is not None:
        audit.record(
            "payout.booked", establishment_id=payout.establishment_id, object_kind="payout", object_id=payout.id,
            kind=kind,
        )  # fmt: skip


# -- each movement finds its entry ---------------------------------------------------------------------------------


def _match(payout: Payout) -> list[PayoutMovement]:
    """Give movements their entries; those that have none are returned."""
    waiting = session.scalars(
        select(PayoutMovement).where(PayoutMovement.payout_id == payout.id, PayoutMovement.entry_id.is_(None))
    ).all()
    for movement in waiting:
        movement.entry_id = _entry_of(movement)
    return [movement for movement in waiting if movement.entry_id is None]


def _entry_of(movement: PayoutMovement) -> UUID | None:
    named = select(LedgerEntry.id).where(LedgerEntry.psp == "stripe")
    if movement.kind == "charge":
        named = named.where(LedgerEntry.number == movement.source, LedgerEntry.kind == "payment")
    elif movement.kind in _ENTRY_OF:
        named = named.where(LedgerEntry.psp_ref == movement.source, LedgerEntry.kind == _ENTRY_OF[movement.kind])
    elif movement.kind == "payout_reversal":
        named = named.where(LedgerEntry.psp_ref == movement.psp_ref, LedgerEntry.kind == "payout")
    else:
        named = named.where(LedgerEntry.psp_ref == movement.psp_ref, LedgerEntry.kind == "fee")
    return session.scalar(named)
