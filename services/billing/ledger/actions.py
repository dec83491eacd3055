"""The only hand that writes in the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import insert as upsert

from portal.db import session
from services.billing.ledger.models import LedgerEntry, LedgerLine


class Unbalanced(Exception):
    """Debits and credits differ, or an amount is not whole cents above zero: nothing is written."""


@dataclass(frozen=True, slots=True)
class Side:
    """One line to write, in whole cents: `debit` or `credit`, the other is 0."""

    account: str
    debit: int = 0
    credit: int = 0
    bill_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Posting:
    """One movement of money, as `LedgerEntry` describes it."""

    establishment_id: UUID
    psp: str
    psp_ref: str
    kind: str
    account: str
    sides: Sequence[Side]
    attempt_id: UUID | None = None
    undoes_id: UUID | None = None
    means: str = ""
    bill_source: str = ""
    number: str = ""
    is_memo: bool = False
    is_test: bool = False
    note: str = ""
    moved_at: datetime | None = None

    @property
    def amount_cents(self) -> int:
        return sum(side.debit for side in self.sides)


def post(posting: Posting) -> UUID | None:
    """Write a movement, whole; its id, or None when it is written already: the unique key decides the race.

    Raises Unbalanced. The database checks again at the end of the transaction, and lets nobody change a line.
    """
    if posting.amount_cents <= 0 or posting.amount_cents != sum(side.credit for side in posting.sides):
        raise Unbalanced(posting.kind)
    entry_id = uuid4()
    entry = upsert(LedgerEntry).values(id=entry_id, amount_cents=posting.amount_cents, **_facts(posting))
    gate = entry.on_conflict_do_nothing(index_elements=["psp", "psp_ref", "kind"])
    if session.scalar(gate.returning(LedgerEntry.id)) is None:
        return None
    # The table, not the class: lines with and without a bill go in one statement.
    session.execute(
        insert(LedgerLine.metadata.tables[LedgerLine.__tablename__]),
        [_line(posting, entry_id, side) for side in posting.sides],
    )
    return entry_id


_FACTS = (
    "establishment_id", "psp", "psp_ref", "kind", "account", "attempt_id", "undoes_id", "means", "bill_source",
    "number", "is_memo", "is_test", "note", "moved_at",
)  # fmt: skip


def _facts(posting: Posting) -> dict[str, object]:
    return {name: getattr(posting, name) for name in _FACTS}


def _line(posting: Posting, entry_id: UUID, side: Side) -> dict[str, object]:
    return {
        "id": uuid4(),
        "entry_id": entry_id,
        "bill_id": side.bill_id,
        "establishment_id": posting.establishment_id,
        "kind": posting.kind,
        "account": side.account,
        "debit_cents": side.debit,
        "credit_cents": side.credit,
    }
