"""What the pages say of a bill in plain words: whom to ask, how it is paid, what happened to it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l

from services.billing.ledger.models import PAYERS, LedgerEntry
from services.billing.models import SETTLED, Bill, PaymentAttempt
from services.billing.sources.models import BillSource

SOURCES: Mapping[str, Any] = {
    "regie": _l("Bill of the hospital’s cash office (régie)"),
    "titre": _l("“Avis des sommes à payer”, collected by the Treasury"),
    "private": _l("Bill of a private practice at the hospital"),
}
ISSUERS: Mapping[str, Any] = {
    "regie": _l("The hospital collects this bill itself, through its cash office (régie)."),
    "titre": _l(
        "The hospital issued this bill, and the public accountant (Treasury) collects it. It is paid in full, in one"
        " payment. Questions about the care or the amount go to the hospital; delays go to the Treasury."
    ),
    "private": _l("This bill is for a private practice: its office collects it."),
}
_INSTALMENTS: Mapping[str, Any] = {
    "regie": _l(
        "Before the day by which to pay, ask the cash office (régie) whether you may pay in several times. Nothing is"
        " decided before it answers: write to it from this page."
    ),
    "titre": _l(
        "Only the public accountant (Treasury) grants a delay or payment in several times: write to the public finance"
        " centre named on your bill, with its reference and what you could pay each month. The hospital cannot decide."
    ),
    "private": _l("Ask the office of the private practice whether you may pay in several times."),
}
_DIFFICULTIES: Mapping[str, Any] = {
    "regie": _l(
        "If you cannot pay, say so early: the cash office looks at your situation with you, and the hospital’s social"
        " workers can help you open rights that pay your care."
    ),
    "titre": _l(
        "If you cannot pay, say so early to the public finance centre named on your bill. The hospital’s social workers"
        " can help you open rights that pay your care."
    ),
    "private": _l("If you cannot pay, say so early to the office of the private practice."),
}


@dataclass(frozen=True)
class Contact:
    """Whom to ask about a bill; "" for what is not known."""

    name: str
    phone: str
    email: str
    hours: str
    address: str


def contact_of(bill: Bill, source: BillSource) -> Contact:
    """The source's own contact, else the hospital's."""
    place = bill.establishment
    if source.contact_phone or source.contact_email:
        name = source.contact_name or source.name or place.name
        address = place.address if source.kind != "titre" else ""  # the Treasury is elsewhere
        return Contact(name, source.contact_phone, source.contact_email, source.contact_hours, address)
    return Contact(source.contact_name or place.name, place.phone, place.email, source.contact_hours, place.address)


def instalments(source: BillSource) -> Any:
    """Whether and how the bill may be paid in several times."""
    return source.instalments or _INSTALMENTS[source.kind]


def difficulties(source: BillSource) -> Any:
    """What to do when one cannot pay."""
    return source.difficulties or _DIFFICULTIES[source.kind]


# -- what happened -----------------------------------------------------------------------------------------------

_MOVEMENTS: Mapping[str, tuple[Any, str]] = {
    "payment": (_l("Payment received"), "success"),
    "rejection": (_l("Debit given back by the bank"), "danger"),
    "refund": (_l("Refund"), "info"),
    "refund_failed": (_l("Refund that came back to the hospital"), "warning"),
    "dispute": (_l("Payment disputed with the bank"), "warning"),
    "dispute_won": (_l("Payment confirmed after a dispute"), "success"),
}
_TRIES: Mapping[str, tuple[Any, str]] = {
    "created": (_l("Payment begun"), "info"),
    "awaiting": (_l("Waiting for the bank"), "info"),
    "to_review": (_l("Payment being checked by the hospital"), "warning"),
    "refused": (_l("Payment refused by the bank"), "danger"),
    "abandoned": (_l("Payment given up"), "neutral"),
    "expired": (_l("Payment not completed"), "neutral"),
    "failed": (_l("Payment that could not begin"), "neutral"),
}
CLOSINGS: Mapping[str, Any] = {
    "paid_elsewhere": _l("Paid at the desk, by cheque or by transfer"),
    "cancelled": _l("Bill cancelled by the hospital"),
}
_DEBIT = _l("Direct debit accepted by your bank")


@dataclass(frozen=True)
class Event:
    """One thing that happened to a bill. cents: how much of it moved, None when nothing did."""

    at: datetime
    title: Any
    tone: str
    cents: int | None = None


def story(bill: Bill, attempts: Sequence[PaymentAttempt], entries: Sequence[LedgerEntry]) -> Sequence[Event]:
    """All that happened to a bill, the newest first: money that moved, and tries that led to none."""
    found = [*_moved(bill, entries), *_tried(attempts)]
    if bill.closed_reason and bill.closed_at:
        found.append(Event(bill.closed_at, CLOSINGS[bill.closed_reason], "neutral"))
    return sorted(found, key=lambda each: each.at, reverse=True)


def _moved(bill: Bill, entries: Sequence[LedgerEntry]) -> Iterator[Event]:
    for entry in entries:
        mine = [line for line in entry.lines if line.bill_id == bill.id and line.account in PAYERS]
        cents = abs(sum(line.credit_cents - line.debit_cents for line in mine))
        if entry.kind in _MOVEMENTS and cents:
            title, tone = _MOVEMENTS[entry.kind]
            is_debit = entry.kind == "payment" and entry.means == "direct_debit"
            yield Event(entry.moved_at or entry.booked_at, _DEBIT if is_debit else title, tone, cents)


def _tried(attempts: Sequence[PaymentAttempt]) -> Iterator[Event]:
    for attempt in attempts:
        if attempt.state not in SETTLED:
            title, tone = _TRIES[attempt.state]
            yield Event(attempt.created_at, title, tone)
