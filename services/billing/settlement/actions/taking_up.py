"""What follows from one line that is about a bill or a debit given back."""

from uuid import UUID

from sqlalchemy import BigInteger, cast, func, select

from portal import audit
from portal.db import session
from services.billing import queries
from services.billing.actions import NotClosable, close_elsewhere
from services.billing.ledger.models import LedgerEntry
from services.billing.models import Bill
from services.billing.queries import Standing
from services.billing.settlement.actions import differences
from services.billing.settlement.actions.rejecting import NotRejectable, reject
from services.billing.settlement.comparing import Finding
from services.billing.settlement.models import SettlementLine
from services.billing.settlement.payment_file import FROM_PES


def take_up(line_id: UUID) -> str:
    """Act upon a line, once; returns what came of it (`models.RESULTS`)."""
    line = session.get_one(SettlementLine, line_id, with_for_update={"key_share": True}, populate_existing=True)
    if line.result or line.kind == "online":
        return line.result
    line.result, line.why = _reject(line) if line.kind == "rejected" else _close(line)
    audit.record(
        "payments.line_taken_up",
        establishment_id=line.establishment_id,
        object_kind="bill" if line.bill_id else "",
        object_id=line.bill_id,
        kind=line.kind,
        result=line.result,
        why=line.why,
    )
    return line.result


# -- bills paid or cancelled elsewhere ---------------------------------------------------------------------------


def _close(line: SettlementLine) -> tuple[str, str]:
    bill = _bill_of(line)
    if bill is None:
        return "done", "no_such_bill"  # hospitals send all their returns, portal or not
    line.bill_id = bill.id
    session.execute(select(Bill.id).where(Bill.id == bill.id).with_for_update(key_share=True))
    session.refresh(bill)  # as whoever held it left it
    found = queries.standing(bill.id)
    if found.bill.closed_reason:
        return "done", "closed_already"
    if line.kind == "cancelled":
        return _withdraw(line, found, "cancelled")
    told = _told_elsewhere(line)
    if line.means == FROM_PES and found.paid_cents >= told > 0:
        return "done", "paid_here"  # the accountant's file tells of the portal's own payments too
    if line.amount_cents and told < found.left_cents and found.state in ("open", "partly"):
        return _report("part_only", line, found, told)
    return _withdraw(line, found, "paid_elsewhere")


def _withdraw(line: SettlementLine, found: Standing, reason: str) -> tuple[str, str]:
    note = line.note or line.number
    try:
        close_elsewhere([found.bill.establishment_id], found.bill.id, reason, note)
    except NotClosable:
        return _report("also_paid_here", line, found, line.amount_cents)
    _settle_difference(line, "part_only", _subject(line))
    return "done", reason


def _report(kind: str, line: SettlementLine, found: Standing, told: int) -> tuple[str, str]:
    finding = differences.of_bill(kind, _subject(line), line.happened_on, line.reference, told, found.paid_cents)
    differences.open_(line.establishment_id, finding, bill_id=found.bill.id)
    return "reported", kind


def _subject(line: SettlementLine) -> str:
    return f"{line.source}|{line.exer}|{line.reference}"


def _settle_difference(line: SettlementLine, kind: str, subject: str) -> None:
    """What was reported before is told in full now."""
    found = differences.held(line.establishment_id, kind, subject)
    if found is not None:
        differences.move(found, "closed", "agree")


def _bill_of(line: SettlementLine) -> Bill | None:
    """The bill of that name; of a titre that several people owe, the one of its line."""
    names = [line.reference, *([line.note] if line.means == FROM_PES else [])]
    rows = session.scalars(
        select(Bill).where(
            Bill.establishment_id == line.establishment_id,
            Bill.source == line.source,
            Bill.exer == line.exer,
            Bill.reference.in_(names),
        )
    ).all()
    return next((row for row in rows if row.reference == names[-1]), None) or next(iter(rows), None)


def _told_elsewhere(line: SettlementLine) -> int:
    """What the files tell in all of this bill: a cheque and a transfer may have paid it together."""
    session.flush()
    told = cast(func.coalesce(func.sum(SettlementLine.amount_cents), 0), BigInteger)
    return (
        session.scalar(select(told).where(SettlementLine.bill_id == line.bill_id, SettlementLine.kind == "elsewhere"))
        or 0
    )


# -- debits given back -------------------------------------------------------------------------------------------


def _reject(line: SettlementLine) -> tuple[str, str]:
    payment = _payment_of(line)
    try:
        if payment is None:
            raise NotRejectable("unknown")
        line.entry_id = payment.id
        reject(payment, line.note or line.number, line.amount_cents)
    except NotRejectable as reason:
        if reason.reason == "already":
            return "done", "already"
        booked = payment.amount_cents if payment else 0
        finding = Finding(
            "rejection", line.key, line.psp, line.account, line.happened_on, line.reference, line.amount_cents, booked
        )
        differences.open_(line.establishment_id, finding)
        return "reported", reason.reason
    _settle_difference(line, "rejection", line.key)
    return "done", "rejected"


def _payment_of(line: SettlementLine) -> LedgerEntry | None:
    named = LedgerEntry.psp_ref == line.psp_ref if line.psp_ref else LedgerEntry.number == line.number
    return session.scalars(
        select(LedgerEntry)
        .where(
            LedgerEntry.establishment_id == line.establishment_id,
            LedgerEntry.psp == line.psp,
            LedgerEntry.kind == "payment",
            named,
        )
        .order_by(LedgerEntry.booked_at)
    ).first()
