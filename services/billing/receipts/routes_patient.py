"""A payer's receipts, on a page and on paper, and the certificate for their complementary insurance."""

from uuid import UUID

from flask import Response, abort, render_template
from flask_babel import gettext as _

from auth import guards
from portal import db
from portal.web import branding
from portal.web.downloads import made_response
from services.billing import queries
from services.billing.receipts import document, wording
from services.billing.receipts import queries as proofs
from services.billing.receipts.queries import Proof
from services.billing.routes_patient import patient_pages


@patient_pages.get("/recus/<uuid:receipt_id>")
def receipt(receipt_id: UUID) -> str:
    found = _mine(receipt_id)
    last = queries.one_of_patient(guards.patient_id(), found.bill.id)
    alone = last if len(found.shares) == 1 else None
    return render_template(
        "billing/receipt.html",
        found=found,
        receipt=found.receipt,
        entry=found.entry,
        check_address=document.check_address(found.receipt.label, found.receipt.printed_code),
        attestation=proofs.attestation_of(alone) if alone else None,
        receipt_words=wording,
    )


@patient_pages.get("/recus/<uuid:receipt_id>.pdf")
def receipt_pdf(receipt_id: UUID) -> Response:
    """The receipt on paper."""
    found = _mine(receipt_id)
    return made_response(document.receipt(found), f"{_('receipt')}-{found.receipt.label}.pdf")


@patient_pages.get("/<uuid:bill_id>/attestation.pdf")
def attestation(bill_id: UUID) -> Response:
    """That this bill is paid in full, for a complementary insurance. 404 when it is not, or not ours to say."""
    standing = queries.one_of_patient(guards.patient_id(), bill_id) or abort(404)
    found = proofs.attestation_of(standing) or abort(404)
    return made_response(document.attestation(found, db.now()), f"{_('certificate')}-{found.label}.pdf")


def _mine(receipt_id: UUID) -> Proof:
    found = proofs.proof_of_patient(guards.patient_id(), receipt_id) or abort(404)
    branding.wear_of(found.bill.establishment_id)
    return found
