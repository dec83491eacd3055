"""What is read about disputes."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import Integer, Select, cast, func, select
from sqlalchemy.orm import joinedload, selectinload

from portal.db import session
from services.billing.disputes.models import Dispute, DisputeChange
from services.billing.disputes.states import OPEN, SETTLED_FOR_US, TO_ANSWER
from services.billing.ledger.models import LedgerEntry, LedgerLine
from services.billing.models import Bill

PAGE_SIZE = 100


def disputed(entry_ids: Collection[UUID]) -> set[UUID]:
    """Those of these payments that a dispute holds or has taken: nothing is given back of them meanwhile."""
    return {
        entry_id
        for entry_id in session.scalars(
            select(Dispute.entry_id).where(Dispute.entry_id.in_(entry_ids), Dispute.state.not_in(SETTLED_FOR_US))
        )
        if entry_id is not None
    }


def _disputes() -> Select[Dispute]:
    return select(Dispute).options(joinedload(Dispute.establishment), joinedload(Dispute.entry))


def at(places: Collection[UUID], *, is_open: bool, page: int = 1) -> Sequence[Dispute]:
    """One page of disputes of these hospitals: those to answer by their deadline, those ended latest first; one more
    row when there is a next page."""
    condition = Dispute.state.in_(OPEN) if is_open else Dispute.state.not_in(OPEN)
    order = (Dispute.respond_by.nulls_last(), Dispute.id) if is_open else (Dispute.state_at.desc(), Dispute.id)
    return session.scalars(
        _disputes()
        .where(Dispute.establishment_id.in_(places), condition)
        .order_by(*order)
        .offset((page - 1) * PAGE_SIZE)
        .limit(PAGE_SIZE + 1)
    ).all()


def to_answer(places: Collection[UUID]) -> int:
    """How many disputes of these hospitals wait for an answer at Stripe's site."""
    waiting = select(cast(func.count(), Integer)).where(
        Dispute.establishment_id.in_(places), Dispute.state.in_(TO_ANSWER)
    )
    return session.scalars(waiting).one()


def one_at(places: Collection[UUID], dispute_id: UUID) -> Dispute | None:
    return session.scalar(_disputes().where(Dispute.id == dispute_id, Dispute.establishment_id.in_(places)))


def with_bills(found: Sequence[Dispute]) -> list[tuple[Dispute, list[Bill]]]:
    """Each dispute with the bills that the payment paid, in the order of their references."""
    ids = {each.entry_id for each in found if each.entry_id}
    rows = session.execute(
        select(LedgerLine.entry_id, Bill)
        .join(Bill, Bill.id == LedgerLine.bill_id)
        .where(LedgerLine.entry_id.in_(ids))
        .order_by(Bill.reference)
    ).all()
    bills: dict[UUID, list[Bill]] = {}
    for entry_id, bill in rows:
        listed = bills.setdefault(entry_id, [])
        if bill not in listed:
            listed.append(bill)
    return [(each, bills.get(each.entry_id, []) if each.entry_id else []) for each in found]


def of_entries(entry_ids: Collection[UUID]) -> Sequence[Dispute]:
    """Disputes about these payments, oldest first."""
    return session.scalars(
        select(Dispute).where(Dispute.entry_id.in_(entry_ids)).order_by(Dispute.opened_at, Dispute.id)
    ).all()


def changes_of(dispute_id: UUID) -> Sequence[DisputeChange]:
    return session.scalars(
        select(DisputeChange).where(DisputeChange.dispute_id == dispute_id).order_by(DisputeChange.at, DisputeChange.id)
    ).all()


def entries_of(psp_ref: str) -> Sequence[LedgerEntry]:
    """What the ledger says of a dispute, oldest first."""
    return session.scalars(
        select(LedgerEntry)
        .options(selectinload(LedgerEntry.lines))
        .where(LedgerEntry.psp == "stripe", LedgerEntry.psp_ref == psp_ref)
        .order_by(LedgerEntry.booked_at, LedgerEntry.kind)
    ).all()


def by_ref(psp_ref: str) -> Dispute | None:
    """The dispute that Stripe calls so, locked; for a system job."""
    return session.scalar(select(Dispute).where(Dispute.psp_ref == psp_ref).with_for_update(key_share=True))
