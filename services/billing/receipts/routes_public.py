"""The page where anybody checks a receipt or a certificate."""

from flask import make_response, render_template, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from portal import db
from portal.web.limits import limiter
from services.billing.receipts import queries as proofs
from services.billing.receipts.forms import VerifyForm
from services.billing.receipts.queries import Attestation, Proof
from services.billing.routes_public import public_pages


@public_pages.get("/verifier")
@limiter.limit("20 per minute")
def verify() -> Response | str:
    """Is this document ours? Shows what is printed on it, never whose bill it was; the same answer whether the number
    or the code is wrong."""
    asked = request.args if "number" in request.args or "code" in request.args else None
    form = VerifyForm(formdata=asked) if asked else VerifyForm(formdata=MultiDict())
    if asked is None or not form.validate():
        page = render_template("billing/verify.html", form=form, found=None, certificate=None, asked=False)
        return make_response(page, 422 if asked else 200)
    found, certificate = _found(form.plain_number, form.plain_code)
    return render_template("billing/verify.html", form=form, found=found, certificate=certificate, asked=True)


def _found(number: str, code: str) -> tuple[Proof | None, Attestation | None]:
    with db.transaction(db.system("billing.verify_receipt")):
        return proofs.proof_by_code(number, code), proofs.attestation_by_code(number, code)
