"""Compare what files say with the ledger, and keep the work list true. Never corrects anything."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select, text

from portal import audit, db
from portal.calendar import civil_day
from portal.db import session
from portal.establishments import Establishment
from services.billing.ledger.models import LedgerEntry, LedgerLine
from services.billing.models import Bill, PaymentAttempt
from services.billing.settlement import queries
from services.billing.settlement.actions import differences
from services.billing.settlement.comparing import EXPECTED_WITHIN, Pair, Said
from services.billing.settlement.comparing import differences as found_in
from services.billing.settlement.models import SettlementDifference, SettlementLine

_OF_COMPARISON = ("not_in_ledger", "unknown_reference", "not_in_file", "amount", "counter")

# A line names its payment as the provider does, or only by the number that a bank statement shows.
_MATCH = (
    "update settlement_line l set entry_id = e.id from ledger_entry e"
    " where l.establishment_id = :place and l.kind = 'online' and l.entry_id is null"
    " and e.establishment_id = l.establishment_id and e.psp = l.psp and e.kind = 'payment' and {same}"
)
_BY_NAME = text(_MATCH.format(same="l.psp_ref <> '' and e.psp_ref = l.psp_ref"))
_BY_NUMBER = text(_MATCH.format(same="l.psp_ref = '' and l.number <> '' and e.number = l.number"))


def compare(place: Establishment, first: date, last: date) -> list[UUID]:
    """Find the differences of these civil days, and close those that are gone.

    Returns the attempts to ask their provider about: the file says paid, the ledger has nothing yet.
    """
    for statement in (_BY_NAME, _BY_NUMBER):
        session.execute(statement, {"place": place.id})
    pairs, ours = _pairs(place, first, last)
    findings = list(found_in(pairs, _without_file(place, first, last)))
    bills = _bills_of([finding.subject.partition("|")[2] for finding in findings])
    for finding in findings:
        bill_id, reference = bills.get(finding.subject.partition("|")[2], (None, finding.reference))
        differences.open_(place.id, replace(finding, reference=reference), bill_id=bill_id)
    gone = _close_gone(place, first, last, {(finding.kind, finding.subject) for finding in findings})
    audit.record(
        "payments.compared", establishment_id=place.id, first=str(first), last=str(last), found=len(findings),
        gone=gone,
    )  # fmt: skip
    return ours


def _pairs(place: Establishment, first: date, last: date) -> tuple[list[Pair], list[UUID]]:
    rows = session.execute(
        select(SettlementLine, LedgerEntry, PaymentAttempt.id)
        .outerjoin(LedgerEntry, LedgerEntry.id == SettlementLine.entry_id)
        .outerjoin(
            PaymentAttempt,
            (PaymentAttempt.psp_ref == SettlementLine.psp_ref)
            & (PaymentAttempt.psp == SettlementLine.psp)
            & (PaymentAttempt.establishment_id == SettlementLine.establishment_id),
        )
        .where(
            SettlementLine.establishment_id == place.id,
            SettlementLine.kind == "online",
            SettlementLine.happened_on.between(first, last),
        )
        .order_by(SettlementLine.happened_on, SettlementLine.key)
    ).all()
    pairs = [
        Pair(line.key, _said_by(line), _said_of(entry, place) if entry else None, attempt_id is not None)
        for line, entry, attempt_id in rows
    ]
    return pairs, [attempt_id for _line, entry, attempt_id in rows if entry is None and attempt_id is not None]


def _said_by(line: SettlementLine) -> Said:
    return Said(line.psp, line.account, line.psp_ref, line.reference, line.happened_on, line.amount_cents)


def _said_of(entry: LedgerEntry, place: Establishment) -> Said:
    day = civil_day(entry.moved_at or entry.booked_at, place.tz)
    return Said(entry.psp, entry.account, entry.psp_ref, "", day, entry.amount_cents)


def _without_file(place: Establishment, first: date, last: date) -> Iterator[Said]:
    """Payments of counters whose files have come, that none of them has told of after some days."""
    until = queries.files_until([place.id])
    silent = civil_day(db.now(), place.tz) - EXPECTED_WITHIN
    rows = session.scalars(
        select(LedgerEntry)
        .join(Establishment, Establishment.id == LedgerEntry.establishment_id)
        .where(
            *queries.payments_between([place.id], first, min(last, silent)),
            ~exists().where(SettlementLine.entry_id == LedgerEntry.id),
        )
        .order_by(LedgerEntry.booked_at, LedgerEntry.id)
    )
    for entry in rows:
        said = _said_of(entry, place)
        if until.get((place.id, said.psp, said.account), date.min) >= said.day:
            yield said


def _bills_of(psp_refs: Sequence[str]) -> dict[str, tuple[UUID | None, str]]:
    """A bill of each payment or attempt that a provider calls so, and its reference."""
    of_entries: Any = (
        select(LedgerEntry.psp_ref, Bill.id, Bill.reference)
        .join(LedgerLine, LedgerLine.entry_id == LedgerEntry.id)
        .join(Bill, Bill.id == LedgerLine.bill_id)
        .where(LedgerEntry.psp_ref.in_(psp_refs))
    )
    of_attempts: Any = (
        select(PaymentAttempt.psp_ref, Bill.id, Bill.reference)
        .join(PaymentAttempt.shares)
        .join(Bill)
        .where(PaymentAttempt.psp_ref.in_(psp_refs))
    )
    found: dict[str, tuple[UUID | None, str]] = {}
    for ref, bill_id, reference in session.execute(of_attempts.union_all(of_entries)):
        found.setdefault(ref, (bill_id, reference))
    return found


def _close_gone(place: Establishment, first: date, last: date, still: set[tuple[str, str]]) -> int:
    """Differences of these days on which both sides agree by now."""
    table = SettlementDifference
    left = session.scalars(
        select(table)
        .where(
            table.establishment_id == place.id,
            table.kind.in_(_OF_COMPARISON),
            table.state != "closed",
            table.day.between(first, last),
        )
        .order_by(table.id)
        .with_for_update(key_share=True)
    ).all()
    gone = [each for each in left if (each.kind, each.subject) not in still]
    for each in gone:
        differences.move(each, "closed", "agree")
    return len(gone)
