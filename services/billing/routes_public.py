"""Open to everybody: the page where a payer comes back, and the page that checks a receipt."""

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from auth import guards
from portal import db
from portal.web.limits import limiter
from portal.web.security import csrf
from services.billing import actions, jobs, queries
from services.billing.forms import VerifyForm
from services.billing.receipts import queries as proofs

public_pages = guards.public(Blueprint("billing_public", __name__, url_prefix="/factures", template_folder="templates"))


@public_pages.route("/retour/<token>", methods=["GET", "POST"])
@csrf.exempt  # type: ignore[untyped-decorator]  # a payment site sends the browser back, by GET or by POST; the token is the proof
@limiter.limit("30 per minute")
def come_back(token: str) -> str | Response:
    """The payer is back: ask PayFiP, then show their bill, or its state alone when their session has ended."""
    with db.transaction(db.system("billing.return")):
        attempt = queries.attempt_by_return_digest(actions.digest(token))
    if attempt is None:
        abort(404)
    state = jobs.settle(attempt.id)
    bills = attempt.bills
    if db.current_actor().kind == "patient" and all(bill.patient_id == guards.patient_id() for bill in bills):
        where = url_for("billing.show", bill_id=bills[0].id) if len(bills) == 1 else url_for("billing.my_bills")
        return redirect(where, 303)
    return render_template("billing/returned.html", attempt=attempt, bills=bills, state=state)


@public_pages.get("/verifier")
@limiter.limit("20 per minute")
def verify() -> str | Response:
    """Is this receipt ours? Shows what is printed on it, never whose bill it was."""
    asked = request.args if "number" in request.args or "code" in request.args else None
    form = VerifyForm(formdata=asked) if asked else VerifyForm(formdata=MultiDict())
    if asked is None:
        return render_template("billing/verify.html", form=form, found=None, asked=False)
    if not form.validate():
        return make_response(render_template("billing/verify.html", form=form, found=None, asked=False), 422)
    with db.transaction(db.system("billing.verify_receipt")):
        found = proofs.proof_by_code(form.number.data or "", form.plain_code)
    return render_template("billing/verify.html", form=form, found=found, asked=True)
