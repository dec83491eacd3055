"""Open to everybody: the page where a payer comes back."""

from flask import Blueprint, abort, redirect, render_template, url_for
from werkzeug.wrappers import Response

from auth import guards
from portal import db
from portal.web.limits import limiter
from portal.web.security import csrf
from services.billing import actions, jobs, queries
from services.billing.guests import browser as guests

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
    if attempt.account_id is None and guests.reopened([bill.id for bill in bills]):
        return redirect(guests.home_of([bill.id for bill in bills]), 303)
    return render_template("billing/returned.html", attempt=attempt, bills=bills, state=state)
