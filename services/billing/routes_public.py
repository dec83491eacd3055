"""Open to everybody: the page where a payer comes back."""

from collections.abc import Sequence

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from auth import guards
from portal import db
from portal.web.limits import limiter
from portal.web.security import csrf
from services.billing import actions, jobs, queries
from services.billing.guests import browser as guests
from services.billing.models import Bill, PaymentAttempt

public_pages = guards.public(Blueprint("billing_public", __name__, url_prefix="/factures", template_folder="templates"))
_OUTCOMES = {
    "paid": (_l("Your payment has been received"), "success"),
    "debit_accepted": (_l("Your bank has accepted the direct debit"), "success"),
    "refused": (_l("The bank refused the payment"), "warning"),
    "abandoned": (_l("You left the payment page before paying"), "info"),
    "to_review": (_l("The hospital is checking your payment"), "warning"),
}


@public_pages.route("/retour/<token>", methods=["GET", "POST"])
@csrf.exempt  # type: ignore[untyped-decorator]  # a payment site sends the browser back, by GET or by POST; the token is the proof
@limiter.limit("30 per minute")
def come_back(token: str) -> str | Response:
    """The payer is back: ask the provider, then show their bill, or its state alone when their session has ended."""
    with db.transaction(db.system("billing.return")):
        attempt = queries.attempt_by_return_digest(actions.digest(token))
    if attempt is None:
        abort(404)
    db.session.commit()  # nothing stays open while the provider answers
    state = jobs.settle(attempt.id)
    bills = attempt.bills
    here = _page_of_payer(attempt, bills)
    if here is None:
        return render_template("billing/returned.html", attempt=attempt, bills=bills, state=state)
    if len(bills) > 1:  # a bill's own page says it already
        flash(*_OUTCOMES.get(state, (_l("We are waiting for the bank"), "info")))
    return redirect(here, 303)


def _page_of_payer(attempt: PaymentAttempt, bills: Sequence[Bill]) -> str | None:
    """Where this browser may see the bills; None when its session has ended."""
    if db.current_actor().kind == "patient" and all(bill.patient_id == guards.patient_id() for bill in bills):
        return url_for("billing.show", bill_id=bills[0].id) if len(bills) == 1 else url_for("billing.my_bills")
    if attempt.account_id is None and guests.reopened([bill.id for bill in bills]):
        return guests.home_of([bill.id for bill in bills])
    return None
