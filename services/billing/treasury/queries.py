"""Sealed batches, and the movements that none holds yet."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import exists, func, select
from sqlalchemy.orm import selectinload

from portal.db import session
from services.billing.ledger.models import LedgerEntry
from services.billing.models import Bill
from services.billing.treasury import layout
from services.billing.treasury.layout import Amounts
from services.billing.treasury.models import TreasuryBatch, TreasuryLine

PAGE_SIZE = 50


def unsealed(establishment_id: UUID, before: datetime) -> Sequence[LedgerEntry]:
    """Movements of the hospital's cash written before then that no batch holds, with their lines, oldest first. A
    titre's payments are the public accountant's: they are never among them."""
    return session.scalars(
        select(LedgerEntry)
        .options(selectinload(LedgerEntry.lines))
        .where(
            LedgerEntry.establishment_id == establishment_id,
            LedgerEntry.is_memo.is_(False),
            LedgerEntry.booked_at < before,
            ~exists().where(TreasuryLine.entry_id == LedgerEntry.id),
        )
        .order_by(LedgerEntry.booked_at, LedgerEntry.id)
    ).all()


def waiting_count(establishment_id: UUID) -> int:
    """How many movements no batch holds yet."""
    return (
        session.scalar(
            select(func.count())
            .select_from(LedgerEntry)
            .where(
                LedgerEntry.establishment_id == establishment_id,
                LedgerEntry.is_memo.is_(False),
                ~exists().where(TreasuryLine.entry_id == LedgerEntry.id),
            )
        )
        or 0
    )


def bills_by_id(ids: Collection[UUID]) -> dict[UUID, Bill]:
    return {bill.id: bill for bill in session.scalars(select(Bill).where(Bill.id.in_(ids)))}


def batches_at(places: Collection[UUID], page: int = 1) -> Sequence[TreasuryBatch]:
    """One page of these hospitals' batches, newest day first, and one more when there is a next page."""
    table = TreasuryBatch
    return session.scalars(
        select(table)
        .where(table.establishment_id.in_(places))
        .order_by(table.day.desc(), table.establishment_id)
        .offset((page - 1) * PAGE_SIZE)
        .limit(PAGE_SIZE + 1)
    ).all()


def batch_at(places: Collection[UUID], batch_id: UUID) -> TreasuryBatch | None:
    table = TreasuryBatch
    return session.scalar(select(table).where(table.id == batch_id, table.establishment_id.in_(places)))


def lines_of(batch_id: UUID) -> Sequence[TreasuryLine]:
    """The lines of a batch in their order; `cells` follow `layout.COLUMNS`."""
    return session.scalars(
        select(TreasuryLine).where(TreasuryLine.batch_id == batch_id).order_by(TreasuryLine.position)
    ).all()


def content_of(batch: TreasuryBatch) -> bytes:
    """The batch's file, the same bytes for ever: only what was kept when it was sealed goes into it."""
    total = Amounts(batch.gross_cents, batch.fee_cents, batch.net_cents, batch.bank_cents)
    return layout.file_bytes((line.cells for line in lines_of(batch.id)), total)


def last_day(establishment_id: UUID) -> date | None:
    """The civil day of the last batch."""
    return session.scalar(select(func.max(TreasuryBatch.day)).where(TreasuryBatch.establishment_id == establishment_id))
