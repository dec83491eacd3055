"""The patient's bills: see, pay, print the receipt."""

from urllib.parse import urlsplit
from uuid import UUID

from flask import Blueprint, abort, flash, make_response, redirect, render_template, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards, held_forms
from portal import db
from portal.gateways.payments import Mode
from portal.web.limits import limiter
from portal.web.security import form_targets
from services.billing import actions, jobs, queries
from services.billing.actions import NotPayable
from services.billing.forms import PayForm
from services.billing.jobs import PaymentRefused, PaymentSiteAway
from services.billing.models import IN_PROGRESS, PaymentAttempt
from services.billing.queries import Standing
from services.billing.states import ANOTHER_TRY_AFTER

patient_pages = guards.patients(
    Blueprint("billing", __name__, url_prefix="/factures", template_folder="templates"), "billing"
)

_EMAIL_CODES = ("A1", "A2")


@patient_pages.get("", strict_slashes=False)
def my_bills() -> str:
    return render_template("billing/list.html", bills=queries.bills_of_patient(guards.patient_id()))


@patient_pages.get("/<uuid:bill_id>")
def show(bill_id: UUID) -> str:
    found = _bill(bill_id)
    attempts = queries.attempts_of_bill(bill_id)
    waiting = next((attempt for attempt in attempts if attempt.state in IN_PROGRESS), None)
    return render_template(
        "billing/show.html",
        found=found,
        bill=found.bill,
        attempts=attempts,
        last=attempts[0] if attempts else None,
        waiting=waiting,
        payment_page=_page_to_resume(waiting),
        obstacle=queries.obstacle(found),
        again_at=waiting.created_at + ANOTHER_TRY_AFTER if waiting else None,
        receipts=queries.receipts_of_bill(bill_id),
    )


def _page_to_resume(waiting: PaymentAttempt | None) -> str:
    """The payment site's page of an attempt under way; it opens once, in the first quarter of an hour."""
    if waiting is None or waiting.state != "awaiting" or queries.may_try_again(waiting):
        return ""
    return jobs.payment_page_url(waiting.psp_ref or "")


@patient_pages.get("/<uuid:bill_id>/payer")
def pay(bill_id: UUID) -> str | Response:
    found = _bill(bill_id)
    if queries.obstacle(found):
        return redirect(url_for(".show", bill_id=bill_id), 303)
    held = held_forms.take()
    form = PayForm(formdata=held) if held else PayForm(data={"email": queries.email_of_payer()})
    return _pay_page(found, form)


@patient_pages.post("/<uuid:bill_id>/payer")
def leave_to_pay(bill_id: UUID) -> str | Response:
    found, form = _bill(bill_id), PayForm()
    if not form.validate():
        return make_response(_pay_page(found, form), 422)
    _hear_of_the_last_attempt(bill_id)
    try:
        started = actions.start_payment(
            guards.patient_id(), bill_id, email=form.email.data or "", locale=str(get_locale())
        )
    except NotPayable as refusal:
        flash(_why_not(refusal.reason), "info")
        return redirect(url_for(".show", bill_id=bill_id), 303)
    db.session.commit()  # on record before PayFiP hears of it; nothing stays open while it answers
    try:
        return redirect(jobs.open_payment_page(started), 303)
    except PaymentRefused as refusal:
        return _told_why(found, form, refusal.code)
    except PaymentSiteAway:
        return make_response(_pay_page(found, form, away=True), 503, {"Retry-After": "120"})


@patient_pages.post("/<uuid:bill_id>/actualiser")
@limiter.limit("12 per minute")
def ask_again(bill_id: UUID) -> Response:
    """The payer does not want to wait for the clock."""
    _bill(bill_id)
    waiting = queries.attempt_under_way(bill_id)
    db.session.commit()
    if waiting and jobs.settle(waiting.id) in IN_PROGRESS:
        flash(_("The bank has not answered yet. You have nothing to do: we keep asking."), "info")
    return redirect(url_for(".show", bill_id=bill_id), 303)


@patient_pages.get("/recus/<uuid:receipt_id>")
def receipt(receipt_id: UUID) -> str:
    found = queries.receipt_of_patient(guards.patient_id(), receipt_id)
    if found is None:
        abort(404)
    return render_template(
        "billing/receipt.html",
        receipt=found,
        bill=found.bill,
        entry=found.entry,
        is_test=found.entry.attempt.mode == Mode.TEST,
    )


def _bill(bill_id: UUID) -> Standing:
    found = queries.one_of_patient(guards.patient_id(), bill_id)
    if found is None:
        abort(404)
    return found


def _pay_page(found: Standing, form: PayForm, away: bool = False, refused: bool = False) -> str:
    """The form's redirect leads to the payment site: the page's security policy must allow it."""
    form_targets(_origin(jobs.payment_page_url("x")))
    return render_template("billing/pay.html", found=found, bill=found.bill, form=form, away=away, refused=refused)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _hear_of_the_last_attempt(bill_id: UUID) -> None:
    """Before a second attempt, ask what became of the first: it may have been paid all along."""
    waiting = queries.attempt_under_way(bill_id)
    if waiting and queries.may_try_again(waiting):
        db.session.commit()
        jobs.settle(waiting.id)


def _told_why(found: Standing, form: PayForm, code: str) -> Response:
    """PayFiP refused: the payer can do something about an address, nothing about the rest."""
    if code in _EMAIL_CODES:
        form.email.errors = [_("The payment site does not accept this email address: enter another one")]
        return make_response(_pay_page(found, form), 422)
    return make_response(_pay_page(found, form, refused=True), 503)


def _why_not(reason: str) -> str:
    reasons: dict[str, str] = {
        "under_way": _("A payment of this bill is already under way."),
        "nothing_due": _("There is nothing left to pay on this bill."),
    }
    return reasons.get(reason) or str(_("This bill cannot be paid online."))
