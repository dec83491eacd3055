"""What is read about payouts: each with its payments, its fees, and the difference with the ledger, which is zero."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Integer, cast, func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from portal.db import session
from services.billing.ledger.models import LedgerEntry, LedgerLine
from services.billing.models import AttemptShare, Bill
from services.billing.payouts.models import Payout, PayoutMovement

PAGE_SIZE = 100


@dataclass(frozen=True)
class Told:
    """A payout and its sums, in cents.

    gross_cents: payments. fees_cents: what Stripe kept, disputes' fees included. other_cents: refunds, disputes, and
    all else, mostly below zero. difference_cents: what Stripe tells of the movements less what it sent.
    ledger_cents: what the ledger's entries leave on the clearing account; zero when each has its entry. missing:
    movements that have none.
    """

    payout: Payout
    gross_cents: int
    fees_cents: int
    other_cents: int
    difference_cents: int
    ledger_cents: int
    missing: int

    @property
    def is_exact(self) -> bool:
        return not (self.difference_cents or self.ledger_cents or self.missing)


def _sum(amount: Any, condition: Any = None) -> Any:
    total = func.sum(amount) if condition is None else func.sum(amount).filter(condition)
    return cast(func.coalesce(total, 0), BigInteger)


def _told(payouts: Sequence[Payout]) -> list[Told]:
    """Their sums, in two statements whatever their number."""
    ids = [payout.id for payout in payouts]
    kind, net = PayoutMovement.kind, PayoutMovement.net_cents
    rows = session.execute(
        select(
            PayoutMovement.payout_id,
            _sum(PayoutMovement.amount_cents, kind == "charge"),
            _sum(PayoutMovement.fee_cents) - _sum(net, kind == "fee"),
            _sum(PayoutMovement.amount_cents, kind.not_in(("charge", "fee", "payout"))),
            _sum(net),
            cast(func.count().filter(PayoutMovement.entry_id.is_(None)), Integer),
        )
        .where(PayoutMovement.payout_id.in_(ids))
        .group_by(PayoutMovement.payout_id)
    ).all()
    sums = {row[0]: row[1:] for row in rows}
    left = _left_on_clearing(ids)
    nothing = (0, 0, 0, 0, 0)
    found = []
    for payout in payouts:
        gross, fees, other, net_cents, missing = sums.get(payout.id, nothing)
        # Before its movements are read, a payout is nothing but its amount.
        difference = net_cents if payout.id in sums else payout.amount_cents
        found.append(Told(payout, gross, fees, other, difference, left.get(payout.id, 0), missing))
    return found


def _left_on_clearing(ids: Collection[UUID]) -> dict[UUID, int]:
    """For each payout, what the entries of its movements debit to the clearing account less what they credit."""
    of_movement = or_(
        LedgerEntry.id == PayoutMovement.entry_id,
        (LedgerEntry.psp_ref == PayoutMovement.psp_ref) & (LedgerEntry.kind == "fee"),
        (LedgerEntry.psp_ref == PayoutMovement.source)
        & (LedgerEntry.kind == "dispute_fee")
        & (PayoutMovement.kind == "dispute"),
    )
    entries = (
        select(PayoutMovement.payout_id, LedgerEntry.id.label("entry_id"))
        .join(LedgerEntry, of_movement)
        .where(PayoutMovement.payout_id.in_(ids), LedgerEntry.psp == "stripe")
        .distinct()
        .subquery()
    )
    rows = session.execute(
        select(entries.c.payout_id, _sum(LedgerLine.debit_cents - LedgerLine.credit_cents))
        .join(LedgerLine, LedgerLine.entry_id == entries.c.entry_id)
        .where(LedgerLine.account.startswith("clearing:"))
        .group_by(entries.c.payout_id)
    ).all()
    return dict(rows)


def at(places: Collection[UUID], page: int = 1) -> list[Told]:
    """One page of these hospitals' payouts, newest first, and one more row when there is a next page."""
    payouts = session.scalars(
        select(Payout)
        .options(joinedload(Payout.establishment))
        .where(Payout.establishment_id.in_(places))
        .order_by(Payout.arrives_at.desc(), Payout.psp_ref)
        .offset((page - 1) * PAGE_SIZE)
        .limit(PAGE_SIZE + 1)
    ).all()
    return _told(payouts)


def one_at(places: Collection[UUID], payout_id: UUID) -> Told | None:
    """A payout with its movements and the entry of each."""
    payout = session.scalar(
        select(Payout)
        .options(joinedload(Payout.establishment), selectinload(Payout.movements).joinedload(PayoutMovement.entry))
        .where(Payout.id == payout_id, Payout.establishment_id.in_(places))
    )
    return _told([payout])[0] if payout else None


def bills_of(payout: Payout) -> dict[UUID, list[Bill]]:
    """The bills behind each movement's entry, by the entry's id."""
    attempts = {
        each.entry.attempt_id: each.entry_id for each in payout.movements if each.entry and each.entry.attempt_id
    }
    of_attempt: dict[UUID, list[Bill]] = {}
    for share in session.scalars(
        select(AttemptShare)
        .options(joinedload(AttemptShare.bill))
        .where(AttemptShare.attempt_id.in_(attempts))
        .order_by(AttemptShare.bill_id)
    ):
        of_attempt.setdefault(share.attempt_id, []).append(share.bill)
    return {
        each.entry_id: of_attempt.get(each.entry.attempt_id, [])
        for each in payout.movements
        if each.entry_id and each.entry and each.entry.attempt_id
    }


def on_clearing_cents(places: Collection[UUID]) -> dict[str, int]:
    """What Stripe still owes each account, by its name in the ledger: paid, and not sent to the bank yet."""
    rows = session.execute(
        select(LedgerLine.account, _sum(LedgerLine.debit_cents - LedgerLine.credit_cents))
        .where(LedgerLine.establishment_id.in_(places), LedgerLine.account.startswith("clearing:stripe:"))
        .group_by(LedgerLine.account)
        .order_by(LedgerLine.account)
    ).all()
    return dict(rows)
