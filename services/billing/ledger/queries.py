"""The journal of the ledger, one page at a time, and its balances at a date."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, cast, func, literal, select, tuple_, union_all
from sqlalchemy.orm import selectinload

from portal import db
from portal.db import session
from services.billing.ledger.models import MEMO, LedgerEntry, LedgerLine

PAGE_SIZE = 50
CLEARING = "clearing"
_AT_ONCE = 1000

Condition = ColumnElement[bool]


@dataclass(frozen=True)
class Place:
    """Where a page of the journal ends."""

    booked_at: datetime
    entry_id: UUID


@dataclass(frozen=True, kw_only=True)
class Search:
    """What an accountant looks for: entries written from `since` until `before` (excluded). account: a counter.
    bill_source: "" for any."""

    places: frozenset[UUID]
    since: datetime
    before: datetime
    kind: str = ""
    psp: str = ""
    means: str = ""
    account: str = ""
    bill_source: str = ""
    after: Place | None = None


@dataclass(frozen=True)
class Page:
    """Entries, newest first; where the next page begins, if there is one."""

    entries: Sequence[LedgerEntry]
    following: Place | None


@dataclass(frozen=True)
class Total:
    """Entries of one kind, by one provider; memos and tests apart."""

    kind: str
    psp: str
    is_memo: bool
    is_test: bool
    number: int
    cents: int


@dataclass(frozen=True)
class Balance:
    """What an account holds, in cents: the sums of its two sides, and by kind of movement what it gained (debits less
    credits)."""

    account: str
    debit_cents: int
    credit_cents: int
    by_kind: Mapping[str, int]

    @property
    def balance_cents(self) -> int:
        """Above zero: debit."""
        return self.debit_cents - self.credit_cents

    @property
    def is_memo(self) -> bool:
        return self.account.startswith(MEMO)

    @property
    def counter(self) -> str:
        """The counter whose money in transit this is, as `payfip:090909`; "" for another account."""
        start, _colon, rest = self.account.removeprefix(MEMO).partition(":")
        return rest if start == CLEARING else ""


def journal(search: Search) -> Page:
    """One page of entries with their lines."""
    if search.after is not None:
        # The index begins to read at the end of the days: let that be where the page begins, not a year later.
        search = replace(search, before=min(search.before, search.after.booked_at + timedelta(microseconds=1)))
    found = session.scalars(
        select(LedgerEntry)
        .options(selectinload(LedgerEntry.lines))
        .where(LedgerEntry.id.in_(_newest(search)))
        .order_by(LedgerEntry.booked_at.desc(), LedgerEntry.id.desc())
        .limit(PAGE_SIZE + 1)
    ).all()
    shown = found[:PAGE_SIZE]
    last = Place(shown[-1].booked_at, shown[-1].id) if len(found) > PAGE_SIZE else None
    return Page(shown, last)


def _newest(search: Search) -> Any:
    """The ids of a page, read hospital by hospital: the index gives each one's entries in their order, not those of
    several together."""
    conditions = _conditions(search)
    if search.after is not None:
        here: Any = tuple_(LedgerEntry.booked_at, LedgerEntry.id)
        conditions.append(here < tuple_(search.after.booked_at, literal(search.after.entry_id)))
    each = [
        select(LedgerEntry.id)
        .where(LedgerEntry.establishment_id == place, *conditions)
        .order_by(LedgerEntry.booked_at.desc(), LedgerEntry.id.desc())
        .limit(PAGE_SIZE + 1)
        .subquery()
        for place in sorted(search.places)
    ]
    return union_all(*(select(ids.c.id) for ids in each)) if len(each) > 1 else select(each[0].c.id)


def totals(search: Search) -> Sequence[Total]:
    """What the whole filter holds, by kind and provider."""
    by = (LedgerEntry.kind, LedgerEntry.psp, LedgerEntry.is_memo, LedgerEntry.is_test)
    rows = session.execute(
        select(*by, func.count(), cast(func.sum(LedgerEntry.amount_cents), BigInteger))
        .where(LedgerEntry.establishment_id.in_(search.places), *_conditions(search))
        .group_by(*by)
        .order_by(*by)
    )
    return [Total(*row) for row in rows]


def entries(search: Search) -> Iterator[tuple[LedgerEntry, LedgerLine]]:
    """Every line of the filter with its entry, oldest first, a thousand at a time; the rows are let go of as it
    goes."""
    rows = session.execute(
        select(LedgerEntry, LedgerLine)
        .join(LedgerLine, LedgerLine.entry_id == LedgerEntry.id)
        .where(LedgerEntry.establishment_id.in_(search.places), *_conditions(search))
        .order_by(LedgerEntry.booked_at, LedgerEntry.id, LedgerLine.credit_cents, LedgerLine.id)
        .execution_options(yield_per=_AT_ONCE)
    )
    yield from ((entry, line) for entry, line in rows)


def count(search: Search) -> int:
    """How many entries the filter holds."""
    return sum(total.number for total in totals(search))


def _conditions(search: Search) -> list[Condition]:
    conditions: list[Condition] = [LedgerEntry.booked_at >= search.since, LedgerEntry.booked_at < search.before]
    for name in ("kind", "psp", "means", "account", "bill_source"):
        if value := getattr(search, name):
            conditions.append(getattr(LedgerEntry, name) == value)
    return conditions


# -- balances ----------------------------------------------------------------------------------------------------


def balances(places: Collection[UUID], before: datetime) -> Sequence[Balance]:
    """Each account from the first entry until that moment (excluded), by name."""
    query = select(LedgerLine.account, LedgerLine.kind, _sum(LedgerLine.debit_cents), _sum(LedgerLine.credit_cents))
    query = query.where(LedgerLine.establishment_id.in_(places)).group_by(LedgerLine.account, LedgerLine.kind)
    if before <= db.now():  # nothing is written in the future: today's balances need not look at the entries' dates
        of_then = (LedgerEntry.establishment_id.in_(places), LedgerEntry.booked_at < before)
        query = query.join(LedgerEntry, LedgerEntry.id == LedgerLine.entry_id).where(*of_then)
    rows = session.execute(query.order_by(LedgerLine.account, LedgerLine.kind)).all()
    return [_balance(account, list(lines)) for account, lines in groupby(rows, key=lambda row: row[0])]


def _balance(account: str, rows: Sequence[Any]) -> Balance:
    gained = {kind: debit - credit for _account, kind, debit, credit in rows}
    return Balance(account, sum(row[2] for row in rows), sum(row[3] for row in rows), gained)


def _sum(amount: Any) -> Any:
    # sum() of bigint is numeric, which would come back as a Decimal.
    return cast(func.coalesce(func.sum(amount), 0), BigInteger)
