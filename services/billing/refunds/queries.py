"""What is read about refunds: what may be given back, what waits for somebody, what to ask a provider about."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Integer, Select, cast, exists, func, or_, select
from sqlalchemy.orm import aliased, joinedload

from portal import db, establishments
from portal.db import session
from services.billing import queries
from services.billing.disputes import queries as disputes
from services.billing.ledger.models import PAYERS, LedgerEntry, LedgerLine
from services.billing.models import Bill
from services.billing.queries import Standing
from services.billing.refunds.models import Refund, RefundChange
from services.billing.refunds.states import LOST_AFTER, OVER, RESERVING

THRESHOLD = "refund_two_persons_from_cents"
_THRESHOLD_CENTS = 10_000
PAGE_SIZE = 100


class NonsenseThreshold(ValueError):
    """Not whole cents: it would not be obeyed."""


def check_setting(key: str, value: str) -> bool:
    """Before a setting of a hospital is written: never a secret of ours. Raises NonsenseThreshold."""
    if key == THRESHOLD and not (value.isascii() and value.isdecimal() and len(value) < 10):
        raise NonsenseThreshold(f"{THRESHOLD}: whole cents, 10000 for 100 euros, 0 for every refund")
    return False


def threshold_cents(establishment_id: UUID) -> int:
    """From this amount on, a second person must approve a refund here."""
    told = establishments.setting(establishment_id, THRESHOLD)
    return int(told) if told.isascii() and told.isdecimal() else _THRESHOLD_CENTS


@dataclass(frozen=True)
class Held:
    """A payment and what may still be given back of it for one bill, in cents, by reason (`models.TO_CHOOSE`).

    holds_cents: what it holds, less what is about to leave. obstacle: "" or why nothing may leave: titre (the public
    accountant's money), disputed, nothing.
    """

    entry: LedgerEntry
    holds_cents: int
    most_cents: dict[str, int]
    obstacle: str

    @property
    def best_cents(self) -> int:
        return max(self.most_cents.values(), default=0)


def held_of(found: Standing) -> list[Held]:
    """Each payment of a bill with what may be given back of it, oldest first."""
    bill = found.bill
    rows = session.execute(
        select(LedgerEntry, func.payment_holds(LedgerEntry.id, bill.id))
        .where(
            LedgerEntry.kind == "payment",
            LedgerEntry.id.in_(select(LedgerLine.entry_id).where(LedgerLine.bill_id == bill.id)),
        )
        .order_by(LedgerEntry.booked_at, LedgerEntry.id)
    ).all()
    reserved = reserved_cents(bill.id)
    disputed = disputes.disputed({entry.id for entry, _holds in rows})
    return [_held(found, entry, holds, reserved, entry.id in disputed) for entry, holds in rows]


def _held(found: Standing, entry: LedgerEntry, holds: int, reserved: int, disputed: bool) -> Held:
    net = found.paid_cents - found.refunded_cents
    most = {
        "overpaid": max(min(holds, found.overpaid_cents - reserved), 0),
        "cancelled_care": max(min(holds, net - reserved), 0) if not found.bill.closed_reason else 0,
    }
    if entry.is_memo:
        return Held(entry, holds, dict.fromkeys(most, 0), "titre")
    if disputed:
        return Held(entry, holds, dict.fromkeys(most, 0), "disputed")
    return Held(entry, holds, most, "" if any(most.values()) else "nothing")


def reserved_cents(bill_id: UUID) -> int:
    """What is about to leave for this bill, and is not in the ledger yet."""
    asked = select(cast(func.coalesce(func.sum(Refund.amount_cents), 0), BigInteger)).where(
        Refund.bill_id == bill_id, Refund.state.in_(RESERVING)
    )
    return session.scalars(asked).one()


def is_still_owed(refund: Refund) -> bool:
    """Whether what was asked is still there to give back: since then, a bank may have taken a debit order back, the
    provider have given some of it, or the hospital have raised what is due."""
    found = queries.standing(refund.bill_id)
    net = found.paid_cents - found.refunded_cents
    spare = found.overpaid_cents if refund.reason == "overpaid" else net
    holds = session.scalars(select(func.payment_holds(refund.entry_id, refund.bill_id))).one()
    return bool(holds >= 0) and spare >= reserved_cents(refund.bill_id)


def given_back_cents(entry_id: UUID) -> int:
    """What was asked or given back of one payment, failed and cancelled refunds left out."""
    asked = select(cast(func.coalesce(func.sum(Refund.amount_cents), 0), BigInteger)).where(
        Refund.entry_id == entry_id, Refund.state.not_in(OVER)
    )
    return session.scalars(asked).one()


# -- refunds -----------------------------------------------------------------------------------------------------


def _refunds() -> Select[Refund]:
    return select(Refund).options(
        joinedload(Refund.bill).joinedload(Bill.establishment), joinedload(Refund.entry), joinedload(Refund.bill)
    )


def of_bill(bill_id: UUID) -> Sequence[Refund]:
    """The bill's refunds, oldest first."""
    return session.scalars(_refunds().where(Refund.bill_id == bill_id).order_by(Refund.asked_at, Refund.id)).all()


def one_at(places: Collection[UUID], refund_id: UUID) -> Refund | None:
    return session.scalar(_refunds().where(Refund.id == refund_id, Refund.establishment_id.in_(places)))


def changes_of(refund_id: UUID) -> Sequence[RefundChange]:
    """How a refund came to where it is, oldest first."""
    return session.scalars(
        select(RefundChange).where(RefundChange.refund_id == refund_id).order_by(RefundChange.at, RefundChange.id)
    ).all()


TRAYS = ("to_approve", "to_transfer", "under_way", "ended")


def _in_tray(tray: str) -> Any:
    by_transfer = (Refund.psp != "stripe") & (Refund.state == "approved")
    return {
        "to_approve": Refund.state == "asked",
        "to_transfer": by_transfer,
        "under_way": Refund.state.in_(("approved", "sending", "unknown", "under_way")) & ~by_transfer,
        "ended": Refund.state.in_(("done", "failed", "cancelled")),
    }[tray]


def tray(places: Collection[UUID], name: str, page: int = 1) -> Sequence[Refund]:
    """One page of a tray (`TRAYS`): what waits longest first, what has ended latest first; one more row when there is
    a next page."""
    order = (Refund.state_at.desc(), Refund.id) if name == "ended" else (Refund.asked_at, Refund.id)
    return session.scalars(
        _refunds()
        .where(Refund.establishment_id.in_(places), _in_tray(name))
        .order_by(*order)
        .offset((page - 1) * PAGE_SIZE)
        .limit(PAGE_SIZE + 1)
    ).all()


def counts(places: Collection[UUID]) -> dict[str, int]:
    """How many refunds wait in each tray; what has ended is not counted."""
    columns = [cast(func.count().filter(_in_tray(name)), Integer) for name in TRAYS[:-1]]
    waiting = Refund.state.in_((*RESERVING, "under_way"))
    row = session.execute(select(*columns).where(Refund.establishment_id.in_(places), waiting)).one()
    return dict(zip(TRAYS, row, strict=False))


def to_send(now: datetime, limit: int = 100) -> Sequence[UUID]:
    """Refunds that a provider should have heard of by now; for a system job."""
    return session.scalars(
        select(Refund.id)
        .where(
            Refund.psp == "stripe",
            Refund.state.in_(("approved", "sending", "unknown")),
            Refund.state_at < now - LOST_AFTER,
        )
        .order_by(Refund.state_at)
        .limit(limit)
    ).all()


def being_worked_on(limit: int = 200) -> Sequence[Refund]:
    """Refunds that a provider has taken and not finished; for a system job."""
    return session.scalars(
        select(Refund).where(Refund.psp == "stripe", Refund.state == "under_way").order_by(Refund.state_at).limit(limit)
    ).all()


def by_provider(psp: str, psp_ref: str, key: str = "") -> Refund | None:
    """The refund that a provider calls so, or that we called `key`; for a system job."""
    named = [Refund.psp_ref == psp_ref]
    if (known := _as_uuid(key)) is not None:
        named.append(Refund.id == known)
    return session.scalar(select(Refund).where(Refund.psp == psp, or_(*named)))


def _as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


# -- bills that received too much ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Overpaid:
    """A bill that holds too much. since: when it came to hold it. on_its_way_cents: asked for already, not left yet.

    payments: what the money came by, oldest first.
    """

    standing: Standing
    since: datetime
    on_its_way_cents: int
    payments: Sequence[LedgerEntry]

    @property
    def bill(self) -> Bill:
        return self.standing.bill

    @property
    def left_cents(self) -> int:
        """What nobody has asked to give back yet."""
        return max(self.standing.overpaid_cents - self.on_its_way_cents, 0)

    @property
    def days(self) -> int:
        return (db.now() - self.since).days


def overpaid_at(places: Collection[UUID], page: int = 1, size: int = PAGE_SIZE) -> list[Overpaid]:
    """Bills of these hospitals that hold too much, the oldest first, and one more row when there is a next page."""
    newest = (
        select(func.max(func.coalesce(LedgerEntry.moved_at, LedgerEntry.booked_at)))
        .join(LedgerLine, LedgerLine.entry_id == LedgerEntry.id)
        .where(LedgerLine.bill_id == Bill.id, LedgerLine.account.in_(PAYERS))
        .correlate(Bill)
        .scalar_subquery()
    )
    # The ledger alone tells which bills received anything: most have not, and are not looked at twice.
    received = exists().where(LedgerLine.bill_id == Bill.id).correlate(Bill)
    query = queries.standings(Bill.establishment_id.in_(places), received, queries.STATE == "overpaid")
    query = query.order_by(None).order_by(newest, Bill.id).offset((page - 1) * size).limit(size + 1)
    found = queries.read_standings(query)
    ids = [each.bill.id for each in found]
    payments, reserved = _payments_of(ids), _reserved_of(ids)
    return [_overpaid(each, payments.get(each.bill.id, []), reserved.get(each.bill.id, 0)) for each in found]


def _overpaid(found: Standing, payments: list[LedgerEntry], reserved: int) -> Overpaid:
    """Since the payment that went over what is due; the bill's closing when that came later."""
    due, since = (0 if found.bill.closed_reason else found.bill.due_cents), db.now()
    for entry in payments:
        due -= entry.amount_cents
        if due < 0:
            since = entry.moved_at or entry.booked_at
            break
    if found.bill.closed_at:
        since = max(since, found.bill.closed_at) if payments else found.bill.closed_at
    return Overpaid(found, since, reserved, payments)


def _payments_of(bill_ids: Collection[UUID]) -> dict[UUID, list[LedgerEntry]]:
    rows = session.execute(
        select(LedgerLine.bill_id, LedgerEntry)
        .join(LedgerEntry, LedgerEntry.id == LedgerLine.entry_id)
        .where(LedgerLine.bill_id.in_(bill_ids), LedgerLine.kind == "payment")
        .order_by(LedgerEntry.booked_at, LedgerEntry.id)
    ).all()
    found: dict[UUID, list[LedgerEntry]] = {}
    for bill_id, entry in rows:
        if bill_id is not None and entry not in found.setdefault(bill_id, []):
            found[bill_id].append(entry)
    return found


def _reserved_of(bill_ids: Collection[UUID]) -> dict[UUID, int]:
    rows = session.execute(
        select(Refund.bill_id, cast(func.sum(Refund.amount_cents), BigInteger))
        .where(Refund.bill_id.in_(bill_ids), Refund.state.in_(RESERVING))
        .group_by(Refund.bill_id)
    ).all()
    return dict(rows)


# -- for the entries -----------------------------------------------------------------------------------------------


def entry_of(refund: Refund, kind: str = "refund") -> LedgerEntry | None:
    """The entry that says it left (`refund`), or that it came back (`refund_failed`)."""
    return session.scalar(
        select(LedgerEntry).where(
            LedgerEntry.psp == refund.psp, LedgerEntry.psp_ref == reference_of(refund), LedgerEntry.kind == kind
        )
    )


def reference_of(refund: Refund) -> str:
    """What names the refund in the ledger: the provider's name for it, else its key."""
    return refund.psp_ref or refund.key


def balance_cents(bill_id: UUID, account: str) -> int:
    """What an account holds for a bill: what was credited less what was debited."""
    line = aliased(LedgerLine)
    held = select(cast(func.coalesce(func.sum(line.credit_cents - line.debit_cents), 0), BigInteger)).where(
        line.bill_id == bill_id, line.account == account
    )
    return session.scalars(held).one()


def shares_of(entry_id: UUID) -> dict[UUID, int]:
    """The bills that a payment paid, in the order of their ids, with what it still holds of each."""
    bills = session.scalars(
        select(LedgerLine.bill_id)
        .where(LedgerLine.entry_id == entry_id, LedgerLine.bill_id.is_not(None))
        .distinct()
        .order_by(LedgerLine.bill_id)
    ).all()
    found = session.execute(
        select(Bill.id, func.payment_holds(entry_id, Bill.id)).where(Bill.id.in_(bills)).order_by(Bill.id)
    ).all()
    return dict(found)
