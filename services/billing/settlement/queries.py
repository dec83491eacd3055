"""Days and counters with their three totals, the work list, the files: for a hospital's staff and the jobs."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Date, cast, func, literal, select, union_all

from portal import calendar, db
from portal.db import session
from portal.establishments import Establishment
from services.billing.ledger.models import LedgerEntry, LedgerLine
from services.billing.models import SETTLED, Bill, PaymentAttempt
from services.billing.settlement.comparing import Totals
from services.billing.settlement.models import (
    SettlementDay,
    SettlementDifference,
    SettlementDifferenceChange,
    SettlementFile,
    SettlementLine,
)

DAYS_SHOWN = 31
PAGE_SIZE = 100
_EARLY = timedelta(days=1)
"""A payment may be dated by its provider a little later than the moment when we wrote it down."""


@dataclass(frozen=True, slots=True, order=True)
class CounterDay:
    """One civil day of one counter of a hospital."""

    day: date
    establishment_id: UUID
    psp: str
    account: str


@dataclass(frozen=True, slots=True)
class DayRow:
    """A line of the screen. is_over: the day is, at the hospital. differences: still open; explained: by somebody.
    closed: the check, once it was made."""

    key: CounterDay
    totals: Totals
    is_over: bool
    differences: int
    explained: int
    closed: SettlementDay | None

    @property
    def may_be_closed(self) -> bool:
        """At a difference of zero, or when each difference has its explanation; never before the day is over and a
        file has come."""
        if self.closed or not self.is_over or not self.totals.has_file or self.differences:
            return False
        return self.totals.difference_cents == 0 or self.explained > 0

    @property
    def moved_since(self) -> bool:
        """Whether something came in after the day was closed."""
        said = self.totals.told_cents, self.totals.ledger_cents, self.totals.file_cents
        closed = self.closed
        return closed is not None and said != (closed.told_cents, closed.ledger_cents, closed.file_cents)


PAID_AT = func.coalesce(LedgerEntry.moved_at, LedgerEntry.booked_at)


def civil_day(moment: Any) -> Any:
    """The day of a moment on the clock of its hospital, whose row must be in the statement."""
    return cast(func.timezone(Establishment.time_zone, moment), Date)


def _total(cents: Any) -> tuple[Any, Any]:
    return cast(func.sum(cents), BigInteger), func.count()  # sum() of bigint would come back as a Decimal


def day_rows(places: Collection[UUID], first: date, last: date) -> list[DayRow]:
    """Every counter's days with movement between these civil days, both included, newest first."""
    parts: dict[CounterDay, dict[str, int]] = defaultdict(dict)
    sides = {"told": _told, "ledger": _booked, "file": _filed}
    asked = union_all(*(side(places, first, last).add_columns(literal(name)) for name, side in sides.items()))
    for place, psp, account, day, cents, count, name in session.execute(asked):
        parts[CounterDay(day, place, psp, account)] |= {f"{name}_cents": cents, name: count}
    seen, closed = _differences(places, first, last), _closings(places, first, last)
    for key in {**seen, **closed}:
        parts[key] |= {}
    until, today = files_until(places), _todays(places)
    return [
        DayRow(
            key,
            Totals(**said, has_file=until.get((key.establishment_id, key.psp, key.account), date.min) >= key.day),
            key.day < today[key.establishment_id],
            *seen.get(key, (0, 0)),
            closed.get(key),
        )
        for key, said in sorted(parts.items(), reverse=True)
    ]


def _todays(places: Collection[UUID]) -> dict[UUID, date]:
    known = (session.get_one(Establishment, place) for place in places)  # those of the page are in the session already
    return {place.id: calendar.civil_day(db.now(), place.tz) for place in known}


def day_row(key: CounterDay) -> DayRow | None:
    found = day_rows([key.establishment_id], key.day, key.day)
    return next((row for row in found if row.key == key), None)


def _told(places: Collection[UUID], first: date, last: date) -> Any:
    """Settled attempts, as they were asked for: what their provider confirmed."""
    day = civil_day(func.coalesce(LedgerEntry.moved_at, PaymentAttempt.state_at))
    return (
        select(
            PaymentAttempt.establishment_id, PaymentAttempt.psp, PaymentAttempt.numcli, day,
            *_total(PaymentAttempt.amount_cents),
        )
        .join(Establishment, Establishment.id == PaymentAttempt.establishment_id)
        .outerjoin(LedgerEntry, (LedgerEntry.attempt_id == PaymentAttempt.id) & (LedgerEntry.kind == "payment"))
        .where(
            PaymentAttempt.establishment_id.in_(places),
            PaymentAttempt.state.in_(SETTLED),
            PaymentAttempt.state_at >= first - _EARLY,
            day.between(first, last),
        )
        .group_by(PaymentAttempt.establishment_id, PaymentAttempt.psp, PaymentAttempt.numcli, day)
    )  # fmt: skip


def _booked(places: Collection[UUID], first: date, last: date) -> Any:
    day = civil_day(PAID_AT)
    return (
        select(
            LedgerEntry.establishment_id, LedgerEntry.psp, LedgerEntry.account, day, *_total(LedgerEntry.amount_cents)
        )
        .join(Establishment, Establishment.id == LedgerEntry.establishment_id)
        .where(*payments_between(places, first, last))
        .group_by(LedgerEntry.establishment_id, LedgerEntry.psp, LedgerEntry.account, day)
    )


def payments_between(places: Collection[UUID], first: date, last: date) -> list[Any]:
    day = civil_day(PAID_AT)
    return [
        LedgerEntry.establishment_id.in_(places),
        LedgerEntry.kind == "payment",
        LedgerEntry.booked_at >= first - _EARLY,  # what the journal's index knows
        day.between(first, last),
    ]


def _day_of_line() -> Any:
    """A provider may date a payment of midnight a day later: once matched, it counts on the ledger's day."""
    return func.coalesce(civil_day(PAID_AT), SettlementLine.happened_on)


def _filed(places: Collection[UUID], first: date, last: date) -> Any:
    day = _day_of_line()
    return (
        select(
            SettlementLine.establishment_id, SettlementLine.psp, SettlementLine.account, day,
            *_total(SettlementLine.amount_cents),
        )
        .join(Establishment, Establishment.id == SettlementLine.establishment_id)
        .outerjoin(LedgerEntry, LedgerEntry.id == SettlementLine.entry_id)
        .where(
            SettlementLine.establishment_id.in_(places),
            SettlementLine.kind == "online",
            SettlementLine.happened_on.between(first - timedelta(days=8), last + timedelta(days=8)),
            day.between(first, last),
        )
        .group_by(SettlementLine.establishment_id, SettlementLine.psp, SettlementLine.account, day)
    )  # fmt: skip


def _differences(places: Collection[UUID], first: date, last: date) -> dict[CounterDay, tuple[int, int]]:
    """Open and explained ones of each counter's day."""
    table = SettlementDifference
    rows = session.execute(
        select(
            table.day, table.establishment_id, table.psp, table.account,
            func.count().filter(table.state == "open"), func.count().filter(table.state == "explained"),
        )
        .where(table.establishment_id.in_(places), table.day.between(first, last), table.psp != "")
        .group_by(table.day, table.establishment_id, table.psp, table.account)
    )  # fmt: skip
    return {CounterDay(*row[:4]): (row[4], row[5]) for row in rows if row[4] or row[5]}


def _closings(places: Collection[UUID], first: date, last: date) -> dict[CounterDay, SettlementDay]:
    rows = session.scalars(
        select(SettlementDay).where(SettlementDay.establishment_id.in_(places), SettlementDay.day.between(first, last))
    )
    return {CounterDay(row.day, row.establishment_id, row.psp, row.account): row for row in rows}


def files_until(places: Collection[UUID]) -> dict[tuple[UUID, str, str], date]:
    """The last day of which a file of each counter has told."""
    table = SettlementLine
    rows = session.execute(
        select(table.establishment_id, table.psp, table.account, func.max(table.happened_on))
        .where(table.establishment_id.in_(places), table.kind == "online")
        .group_by(table.establishment_id, table.psp, table.account)
    )
    return {(place, psp, account): day for place, psp, account, day in rows}


# -- one day -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment of a day, on both sides; None where a side says nothing."""

    psp_ref: str
    number: str
    bill_id: UUID | None
    reference: str
    ledger_cents: int | None
    file_cents: int | None


def payments_of(key: CounterDay) -> list[Payment]:
    """The day's payments at this counter: those of the ledger, then those that a file alone knows."""
    booked = session.execute(
        select(LedgerEntry, SettlementLine.amount_cents)
        .join(Establishment, Establishment.id == LedgerEntry.establishment_id)
        .outerjoin(SettlementLine, (SettlementLine.entry_id == LedgerEntry.id) & (SettlementLine.kind == "online"))
        .where(
            *payments_between([key.establishment_id], key.day, key.day),
            LedgerEntry.psp == key.psp,
            LedgerEntry.account == key.account,
        )
        .order_by(PAID_AT, LedgerEntry.psp_ref)
    ).all()
    bills = _bills_of([entry.id for entry, _filed in booked])
    return [
        *(
            Payment(entry.psp_ref, entry.number, *bills.get(entry.id, (None, "")), entry.amount_cents, filed)
            for entry, filed in booked
        ),
        *_in_the_file_alone(key),
    ]


def _bills_of(entry_ids: Collection[UUID]) -> dict[UUID, tuple[UUID | None, str]]:
    """The first bill of each movement, and the references of all."""
    found: dict[UUID, tuple[UUID | None, str]] = {}
    for entry_id, bill_id, reference in session.execute(
        select(LedgerLine.entry_id, Bill.id, Bill.reference)
        .join(Bill, Bill.id == LedgerLine.bill_id)
        .where(LedgerLine.entry_id.in_(entry_ids))
        .order_by(Bill.reference)
        .distinct()
    ):
        first, named = found.get(entry_id, (bill_id, ""))
        found[entry_id] = first, f"{named}, {reference}" if named else reference
    return found


def _in_the_file_alone(key: CounterDay) -> list[Payment]:
    table = SettlementLine
    alone = session.scalars(
        select(table)
        .where(
            table.establishment_id == key.establishment_id,
            table.kind == "online",
            table.happened_on == key.day,
            table.psp == key.psp,
            table.account == key.account,
            table.entry_id.is_(None),
        )
        .order_by(table.key)
    )
    return [Payment(each.psp_ref, each.number, each.bill_id, each.reference, None, each.amount_cents) for each in alone]


# -- the work list -----------------------------------------------------------------------------------------------


def differences_at(
    places: Collection[UUID], *, state: str = "open", key: CounterDay | None = None
) -> Sequence[SettlementDifference]:
    """Differences of these hospitals, oldest day first. state: "" for all of them."""
    table = SettlementDifference
    query = select(table).where(table.establishment_id.in_(places))
    if state:
        query = query.where(table.state == state)
    if key is not None:
        query = query.where(table.day == key.day, table.psp == key.psp, table.account == key.account)
    return session.scalars(query.order_by(table.day, table.found_at, table.id).limit(PAGE_SIZE)).all()


def open_count(places: Collection[UUID]) -> int:
    table = SettlementDifference
    return (
        session.scalar(
            select(func.count()).select_from(table).where(table.establishment_id.in_(places), table.state == "open")
        )
        or 0
    )


def difference_at(places: Collection[UUID], difference_id: UUID) -> SettlementDifference | None:
    table = SettlementDifference
    return session.scalar(select(table).where(table.id == difference_id, table.establishment_id.in_(places)))


def neighbours(places: Collection[UUID], found: SettlementDifference) -> tuple[UUID | None, UUID | None]:
    """The open differences before and after this one in the work list."""
    ids = [each.id for each in differences_at(places)]
    if found.id not in ids:
        return None, next(iter(ids), None)
    here = ids.index(found.id)
    return (ids[here - 1] if here else None), (ids[here + 1] if here + 1 < len(ids) else None)


def changes_of(difference_id: UUID) -> Sequence[SettlementDifferenceChange]:
    table = SettlementDifferenceChange
    return session.scalars(select(table).where(table.difference_id == difference_id).order_by(table.at, table.id)).all()


# -- files -------------------------------------------------------------------------------------------------------


def files_at(places: Collection[UUID], limit: int = PAGE_SIZE) -> Sequence[SettlementFile]:
    """The last imports of these hospitals."""
    table = SettlementFile
    return session.scalars(
        select(table)
        .where(table.establishment_id.in_(places))
        .order_by(table.imported_at.desc(), table.id)
        .limit(limit)
    ).all()


def file_at(places: Collection[UUID], file_id: UUID) -> SettlementFile | None:
    table = SettlementFile
    return session.scalar(select(table).where(table.id == file_id, table.establishment_id.in_(places)))


def outcomes_of(found: SettlementFile) -> dict[tuple[str, str], int]:
    """How many lines of each kind an import brought, by what came of them ("" while that is still to do)."""
    table = SettlementLine
    rows = session.execute(
        select(table.kind, table.result, func.count())
        .where(table.run_id == found.run_id, table.establishment_id == found.establishment_id)
        .group_by(table.kind, table.result)
        .order_by(table.kind, table.result)
    )
    return {(kind, result): count for kind, result, count in rows}


def pending_lines(limit: int, *, keys: Collection[str] | None = None) -> Sequence[SettlementLine]:
    """Lines still to act upon, oldest first."""
    query = select(SettlementLine).where(SettlementLine.result == "", SettlementLine.kind != "online")
    if keys is not None:
        query = query.where(SettlementLine.key.in_(keys))
    return session.scalars(query.order_by(SettlementLine.imported_at, SettlementLine.id).limit(limit)).all()
