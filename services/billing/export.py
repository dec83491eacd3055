"""What this room holds about a person, for the copy of their data."""

from collections.abc import Collection
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from auth.account import export
from auth.account.export import Entry, Fact, Part
from auth.models import PatientAccess
from portal.db import session
from portal.web.ui import euros
from services.billing.ledger.models import LedgerEntry, LedgerLine
from services.billing.models import AttemptShare, Bill, PaymentAttempt


def declare() -> None:
    export.contribute("bills", part)


def part(patient_id: UUID) -> Part:
    """Every bill, then every try at paying one, then what was received."""
    bills = session.scalars(
        select(Bill)
        .options(joinedload(Bill.establishment))
        .where(Bill.patient_id == patient_id)
        .order_by(Bill.issued_on)
    ).all()
    ids = [bill.id for bill in bills]
    attempts = session.scalars(
        select(PaymentAttempt)
        .options(selectinload(PaymentAttempt.shares).joinedload(AttemptShare.bill))
        .where(PaymentAttempt.shares.any(AttemptShare.bill_id.in_(ids)))
        .order_by(PaymentAttempt.created_at)
    )
    received = session.execute(
        select(LedgerEntry, Bill.reference)
        .join(LedgerLine, LedgerLine.entry_id == LedgerEntry.id)
        .join(Bill, Bill.id == LedgerLine.bill_id)
        .where(LedgerLine.bill_id.in_(ids))
        .distinct()
        .order_by(LedgerEntry.booked_at)
    )
    own = _accounts_of(patient_id)
    tries = [_attempt(each, ids, own) for each in attempts]
    entries = [*map(_bill, bills), *tries, *(_money(entry, of) for entry, of in received)]
    return Part("bills", _l("Bills and payments"), entries)


def _accounts_of(patient_id: UUID) -> set[UUID]:
    """The person's own, not those of people who act for them."""
    of_self = (PatientAccess.patient_id == patient_id, PatientAccess.relation == "self")
    return set(session.scalars(select(PatientAccess.account_id).where(*of_self)))


def _bill(each: Bill) -> Entry:
    facts = [
        Fact("bill_reference", _l("Reference"), each.reference),
        Fact("hospital", _l("Hospital"), each.establishment.name),
        Fact("label", _l("About"), each.label),
        Fact("unit", _l("Unit"), each.unit),
        Fact("care_on", _l("Day of care"), each.care_on),
        Fact("issued_on", _l("Issued on"), each.issued_on),
        Fact("due_on", _l("To pay by"), each.due_on),
        Fact("total_cents", _l("Total"), each.total_cents, euros(each.total_cents)),
        Fact("amo_cents", _l("Paid by the health insurance"), each.amo_cents, euros(each.amo_cents)),
        Fact("amc_cents", _l("Paid by the top-up insurance"), each.amc_cents, euros(each.amc_cents)),
        Fact("due_cents", _l("Yours to pay"), each.due_cents, euros(each.due_cents)),
        Fact("closed_reason", _l("Closed"), each.closed_reason),
    ]
    return Entry(f"{each.label} – {each.reference}", facts)


def _attempt(each: PaymentAttempt, bill_ids: Collection[UUID], own: Collection[UUID]) -> Entry:
    """Of what somebody else paid, perhaps with other people's bills: neither their address nor those bills (GDPR,
    article 15.4)."""
    shares = [share for share in each.shares if share.bill_id in bill_ids]
    cents = sum(share.amount_cents for share in shares)
    facts = [
        Fact("bill_reference", _l("Bill"), ", ".join(share.bill.reference for share in shares)),
        Fact("amount_cents", _l("Amount"), cents, euros(cents)),
        Fact("state", _l("State"), each.state),
        *([Fact("email", _l("E-mail"), each.email)] if each.account_id in own else []),
        Fact("created_at", _l("Began"), each.created_at),
    ]
    return Entry(f"{each.refdet} – {each.psp}", facts)


def _money(each: LedgerEntry, reference: str) -> Entry:
    facts = [
        Fact("bill_reference", _l("Bill"), reference),
        Fact("kind", _l("Movement"), each.kind),
        Fact("means", _l("Means of payment"), each.means),
        Fact("amount_cents", _l("Amount"), each.amount_cents, euros(each.amount_cents)),
        Fact("moved_at", _l("Moved on"), each.moved_at),
        Fact("booked_at", _l("Recorded on"), each.booked_at),
    ]
    return Entry(f"{reference} – {each.psp_ref}", facts)
