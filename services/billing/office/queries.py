"""Finding bills: filters, one page at a time; and what waits for somebody at these hospitals."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, and_, case, cast, func, or_, select, tuple_
from sqlalchemy.orm import joinedload

from portal.db import session
from services.billing.ledger.models import PAYERS, LedgerEntry, LedgerLine
from services.billing.models import IN_PROGRESS, LIVE, AttemptShare, Bill, PaymentAttempt, PaymentAttemptChange, Receipt
from services.billing.queries import STATE, Standing, read_standings, standings

PAGE_SIZE = 50
COUNTED_TO = 1000
"""Beyond, a count says "more than": nobody reads the exact figure, and it would cost the whole table."""

Condition = ColumnElement[bool]


@dataclass(frozen=True)
class Place:
    """Where a page ends: the next one begins after this bill. `until` reads the other way."""

    issued_on: date
    bill_id: UUID


@dataclass(frozen=True, kw_only=True)
class Search:
    """What an agent looks for. number: a reference, PayFiP's reference or an IPP, to the letter. amount_cents: the
    patient's share. source: its kind."""

    places: frozenset[UUID]
    state: str = ""
    source: str = ""
    due_before: date | None = None
    amount_cents: int | None = None
    number: str = ""
    after: Place | None = None
    until: Place | None = None


@dataclass(frozen=True)
class Page:
    """Bills, newest first, and where its neighbours begin."""

    found: Sequence[Standing]
    previous: Place | None
    following: Place | None


def bills(search: Search) -> Page:
    """One page; the place of each neighbour, when there is one."""
    backwards = search.until is not None and search.after is None
    order = (Bill.issued_on, Bill.id) if backwards else (Bill.issued_on.desc(), Bill.id.desc())
    query = standings(*_conditions(search), *_from(search)).order_by(None).order_by(*order).limit(PAGE_SIZE + 1)
    found = read_standings(query)
    more, found = len(found) > PAGE_SIZE, found[:PAGE_SIZE]
    if backwards:
        found.reverse()
    before, behind = (more, True) if backwards else (search.after is not None, more)
    first, last = (_place(found[0]), _place(found[-1])) if found else (None, None)
    return Page(found, first if before else None, last if behind else None)


def count(search: Search) -> tuple[int, int]:
    """How many bills match, up to one more than COUNTED_TO, and the sum of their shares in cents."""
    some = select(Bill.due_cents).where(*_conditions(search)).limit(COUNTED_TO + 1).subquery()
    number, cents = session.execute(
        select(func.count(), cast(func.coalesce(func.sum(some.c.due_cents), 0), BigInteger))
    ).one()
    return number, cents


def _place(standing: Standing) -> Place:
    return Place(standing.bill.issued_on, standing.bill.id)


def _from(search: Search) -> list[Condition]:
    here: Any = tuple_(Bill.issued_on, Bill.id)
    if search.after is not None:
        return [here < tuple_(search.after.issued_on, search.after.bill_id)]
    if search.until is not None:
        return [here > tuple_(search.until.issued_on, search.until.bill_id)]
    return []


def _conditions(search: Search) -> list[Condition]:
    conditions: list[Condition] = [Bill.establishment_id.in_(search.places)]
    if search.state:
        conditions += [*_near(search), search.state == STATE]
    if search.source:
        conditions.append(Bill.source == search.source)
    if search.due_before is not None:
        conditions.append(Bill.due_on < search.due_before)
    if search.amount_cents is not None:
        conditions.append(Bill.due_cents == search.amount_cents)
    if search.number:
        number = search.number
        conditions.append(or_(Bill.reference == number, Bill.refdet == number, Bill.ipp == number))
    return conditions


def _near(search: Search) -> list[Condition]:
    """What the state implies, in words that an index knows: a rare state is found without deriving all the others."""
    if search.state == "overpaid":
        return [Bill.id.in_(_received_too_much(search.places))]
    if search.state == "in_progress":
        return [Bill.id.in_(_under_way(search.places))]
    if search.state == "closed_elsewhere":
        return [Bill.closed_reason != ""]
    if search.state in ("paid", "partly", "debit_accepted"):
        return [Bill.id.in_(select(LedgerLine.bill_id).where(LedgerLine.bill_id.is_not(None)))]
    return []


def _under_way(places: Collection[UUID]) -> Any:
    return (
        select(AttemptShare.bill_id)
        .join(PaymentAttempt, PaymentAttempt.id == AttemptShare.attempt_id)
        .where(PaymentAttempt.establishment_id.in_(places), PaymentAttempt.state.in_(IN_PROGRESS))
    )


def _received_too_much(places: Collection[UUID]) -> Any:
    """Bills whose ledger holds more than is due, the sums of all taken at once: as STATE says it, bill by bill."""
    net = (
        select(LedgerLine.bill_id, func.sum(LedgerLine.credit_cents - LedgerLine.debit_cents).label("cents"))
        .where(LedgerLine.establishment_id.in_(places), LedgerLine.account.in_(PAYERS), LedgerLine.bill_id.is_not(None))
        .group_by(LedgerLine.bill_id)
        .subquery()
    )
    owed = Bill.__table__.alias()  # the bill itself, whatever the outer query calls it
    due = case((owed.c.closed_reason != "", 0), else_=owed.c.due_cents)
    return select(owed.c.id).join(net, net.c.bill_id == owed.c.id).where(net.c.cents > due)


def attempts_of(bill_id: UUID) -> Sequence[PaymentAttempt]:
    """Every try at paying the bill with its shares, newest first."""
    of_bill = PaymentAttempt.id.in_(select(AttemptShare.attempt_id).where(AttemptShare.bill_id == bill_id))
    query = select(PaymentAttempt).options(joinedload(PaymentAttempt.shares)).where(of_bill)
    return session.scalars(query.order_by(PaymentAttempt.created_at.desc(), PaymentAttempt.id)).unique().all()


def book_of(bill_id: UUID) -> tuple[Sequence[LedgerEntry], Sequence[Receipt]]:
    """The bill's entries with both sides, oldest first, and their receipts."""
    of_bill = LedgerEntry.id.in_(select(LedgerLine.entry_id).where(LedgerLine.bill_id == bill_id))
    rows = session.execute(
        select(LedgerEntry, Receipt)
        .outerjoin(Receipt, Receipt.entry_id == LedgerEntry.id)
        .options(joinedload(LedgerEntry.lines))
        .where(of_bill)
        .order_by(LedgerEntry.booked_at, LedgerEntry.id)
    ).unique()
    found = [(entry, receipt) for entry, receipt in rows]
    return [entry for entry, _receipt in found], [receipt for _entry, receipt in found if receipt]


def changes_of(bill_id: UUID) -> Sequence[PaymentAttemptChange]:
    """How the bill's attempts went from state to state, oldest first."""
    table = PaymentAttemptChange
    of_bill = select(AttemptShare.attempt_id).where(AttemptShare.bill_id == bill_id)
    return session.scalars(select(table).where(table.attempt_id.in_(of_bill)).order_by(table.at, table.id)).all()


# -- what waits for somebody -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Waiting:
    """How much waits for somebody."""

    to_review: int
    unanswered: int
    overpaid: int


@dataclass(frozen=True)
class Takings:
    """What came in by one means since a moment, tests apart."""

    psp: str
    means: str
    is_memo: bool
    is_test: bool
    number: int
    cents: int


def waiting(places: Collection[UUID], unanswered_before: datetime) -> Waiting:
    """Payments to review, payments without an answer since before that moment, bills that received too much."""
    of_these = and_(PaymentAttempt.establishment_id.in_(places), PaymentAttempt.state.in_(IN_PROGRESS))
    late = PaymentAttempt.state.in_(LIVE) & (PaymentAttempt.created_at < unanswered_before)
    reviewed = func.count().filter(PaymentAttempt.state == "to_review")
    attempts = select(reviewed, func.count().filter(late)).where(of_these).subquery()
    too_much = select(func.count()).select_from(_received_too_much(places).subquery()).scalar_subquery()
    found = session.execute(select(*attempts.c, too_much)).one()
    return Waiting(found[0], found[1], found[2])


def takings(places: Collection[UUID], since: datetime) -> Sequence[Takings]:
    """Payments written since that moment, by means."""
    by = (LedgerEntry.psp, LedgerEntry.means, LedgerEntry.is_memo, LedgerEntry.is_test)
    rows = session.execute(
        select(*by, func.count(), cast(func.sum(LedgerEntry.amount_cents), BigInteger))
        .where(LedgerEntry.establishment_id.in_(places), LedgerEntry.booked_at >= since, LedgerEntry.kind == "payment")
        .group_by(*by)
        .order_by(*by)
    )
    return [Takings(*row) for row in rows]
