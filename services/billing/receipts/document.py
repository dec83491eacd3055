"""The receipt of a payment and the certificate for a complementary insurance, as numbered PDFs that anybody can check.

Neither says what the care was: an insurer, an employer or a bank may be shown them.
"""

from datetime import datetime
from io import BytesIO
from urllib.parse import urlencode

import segno
from flask_babel import get_locale
from flask_babel import gettext as _

from portal import notifications
from portal.pdf import Sheet
from portal.web.ui import euros, long_day, moment
from services.billing.ledger.models import LedgerEntry
from services.billing.models import Bill
from services.billing.receipts import wording
from services.billing.receipts.queries import Attestation, Proof

PATH = "/factures/verifier"
_QR_MM = 32


def check_address(number: str, code: str) -> str:
    """Where anybody checks the document that bears these; what its QR code leads to."""
    return notifications.address(f"{PATH}?{urlencode({'number': number, 'code': code})}")


def receipt(found: Proof, *, named: bool = True) -> bytes:
    """The whole PDF of a receipt, in the language of the page. named: not for a payer who only holds the letter."""
    issued = found.receipt
    title = _("Payment receipt %(number)s", number=issued.label)
    sheet = _sheet(title, issued.issued_at)
    _warnings(sheet, found)
    _hospital(sheet, found.bill, named=named)
    sheet.heading(_("Payment"), 2)
    sheet.facts(_payment(found.entry))
    sheet.facts([(_("Receipt issued on"), moment(issued.issued_at))])
    sheet.heading(_("What was paid"), 2)
    sheet.facts([_share(bill, cents) for bill, cents in found.shares])
    if len(found.shares) > 1:
        sheet.facts([(_("Total"), euros(found.entry.amount_cents))])
    if found.bill.source == "titre":
        sheet.heading(_("For your complementary insurance"), 2)
        sheet.say(str(wording.TITRE_CERTIFICATE))
    _proof(sheet, issued.label, issued.printed_code)
    return sheet.written()


def attestation(found: Attestation, made_at: datetime) -> bytes:
    """The whole PDF of a certificate, as things stand at that moment."""
    bill = found.bill
    title = _("Certificate of payment %(number)s", number=found.label)
    sheet = _sheet(title, made_at)
    if found.is_test:
        _loud(sheet, _("TEST – no money moved. This document is worth nothing."))
    sheet.say(
        _(
            "The hospital certifies that the patient’s share of this bill is paid in full, as known on %(moment)s.",
            moment=moment(made_at),
        )
    )
    _hospital(sheet, bill)
    sheet.heading(_("Bill"), 2)
    sheet.facts([(_("Bill"), _("%(reference)s, year %(exer)s", reference=bill.reference, exer=bill.exer))])
    if bill.care_on:
        sheet.facts([(_("Date of care"), long_day(bill.care_on))])
    sheet.facts(
        [
            (_("Total"), euros(bill.total_cents)),
            (_("Paid by the national health insurance (AMO)"), euros(bill.amo_cents)),
            (_("Charged to the complementary insurance (AMC)"), euros(bill.amc_cents)),
            (_("Patient’s share, paid in full"), euros(bill.due_cents)),
        ]
    )
    sheet.heading(_("Last payment"), 2)
    sheet.facts([*_payment(found.receipt.entry), (_("Receipt"), found.receipt.label)])
    if found.receipt.entry.means == "direct_debit":
        sheet.say(_("The bank has not given this direct debit back as of this certificate."))
    _proof(sheet, found.label, found.printed_code)
    return sheet.written()


def _sheet(title: str, at: datetime) -> Sheet:
    sheet = Sheet(title, str(get_locale() or "fr"), at)
    sheet.heading(title)
    return sheet


def _warnings(sheet: Sheet, found: Proof) -> None:
    if found.entry.is_test:
        _loud(sheet, _("TEST – no money moved. This document is worth nothing."))
    if found.is_rejected:
        _loud(sheet, _("The bank gave this direct debit back: this receipt holds no longer, the bill is to be paid."))
    elif found.entry.means == "direct_debit":
        sheet.say(_("Direct debit accepted: this receipt holds once the bank has paid."), bold=True)


def _loud(sheet: Sheet, text: str) -> None:
    sheet.rule()
    sheet.say(text, bold=True, size=13)
    sheet.rule()


def _hospital(sheet: Sheet, bill: Bill, *, named: bool = True) -> None:
    place = bill.establishment
    sheet.heading(_("Hospital"), 2)
    rows = (
        (_("Hospital"), place.name),
        (_("Address"), place.address),
        (_("FINESS number"), place.finess),
        (_("Patient"), bill.patient.full_name if bill.patient and named else ""),
    )
    sheet.facts([(label, value) for label, value in rows if value])


def _payment(entry: LedgerEntry) -> list[tuple[str, str]]:
    rows = (
        (_("Amount paid"), euros(entry.amount_cents)),
        (_("Means"), wording.paid_by(entry)),
        (_("Paid on"), moment(entry.moved_at or entry.booked_at)),
        (_("Authorisation number"), entry.number),
        (_("Operation"), entry.psp_ref),
    )
    return [(label, value) for label, value in rows if value]


def _share(bill: Bill, cents: int) -> tuple[str, str]:
    return _("Bill %(reference)s, year %(exer)s", reference=bill.reference, exer=bill.exer), euros(cents)


def _proof(sheet: Sheet, number: str, code: str) -> None:
    sheet.heading(_("Is this document genuine?"), 2)
    sheet.say(
        _(
            "Anyone can check it at %(address)s with its number %(number)s and this code: %(code)s",
            address=notifications.address(PATH),
            number=number,
            code=code,
        )
    )
    sheet.ln(2)
    if sheet.will_page_break(_QR_MM):
        sheet.add_page()
    sheet.image(
        BytesIO(_drawn(check_address(number, code))),
        w=_QR_MM,
        h=_QR_MM,
        alt_text=_("QR code that leads to the page where this document is checked"),
    )


def _drawn(address: str) -> bytes:
    made = BytesIO()
    segno.make(address, error="m").save(made, kind="png", scale=8, border=4)
    return made.getvalue()
