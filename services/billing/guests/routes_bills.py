"""The bills that a browser has opened with their letters: see them, pay them, keep the receipt."""

from collections.abc import Collection, Sequence
from uuid import UUID

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards
from portal import db
from portal.web import branding
from portal.web.downloads import made_response
from portal.web.limits import limiter
from portal.web.security import form_targets
from services.billing import actions, jobs, queries
from services.billing.actions import NotPayable
from services.billing.forms import PayForm
from services.billing.guests import browser
from services.billing.guests import queries as guests
from services.billing.jobs import PaymentRefused, PaymentSiteAway
from services.billing.models import IN_PROGRESS, PaymentAttempt, Receipt
from services.billing.queries import Standing
from services.billing.receipts import document, wording
from services.billing.receipts import queries as proofs
from services.billing.receipts.queries import Proof
from services.billing.states import ANOTHER_TRY_AFTER

guest_pages = guards.public(
    Blueprint("billing_guests", __name__, url_prefix="/factures/payer", template_folder="templates")
)
Answer = str | Response
_EMAIL_CODES = ("A1", "A2", "email_invalid")


class NothingOpen(Exception):
    """This browser has opened no bill, or too long ago."""


@guest_pages.errorhandler(NothingOpen)
def type_it_again(_fact: NothingOpen) -> Response:
    """Back to where letters are typed."""
    flash(_("For your safety, what a letter opens closes after 30 minutes. Type what is on the letter again."), "info")
    return redirect(url_for("billing_letters.find"), 303)


@guest_pages.get("/factures")
def bills() -> str:
    """Every bill that this browser has opened."""
    with db.transaction(db.system(browser.SYSTEM)):
        found = _opened()
        together = queries.payable_together(found)
    return render_template("payers/list.html", bills=found, together=together)


@guest_pages.get("/factures/<uuid:bill_id>")
def show(bill_id: UUID) -> str:
    """One bill: what is left, and where it stands."""
    with db.transaction(db.system(browser.SYSTEM)):
        found = _one(bill_id)
        attempts = queries.attempts_of_bill(bill_id)
        waiting = next((attempt for attempt in attempts if attempt.state in IN_PROGRESS), None)
        facts = {
            "found": found,
            "bill": found.bill,
            "source": queries.source_of(found.bill),
            "last": attempts[0] if attempts else None,
            "waiting": waiting,
            "payment_page": _page_to_resume(waiting),
            "obstacle": queries.obstacle(found),
            "again_at": (waiting.page_until or waiting.created_at + ANOTHER_TRY_AFTER) if waiting else None,
            "receipts": _receipts(bill_id),
            "debit_has_gone": proofs.debit_has_gone(found),
        }
    return render_template("payers/show.html", **facts)


def _receipts(bill_id: UUID) -> list[Receipt]:
    """Those about bills that this browser has opened: another one tells what somebody paid besides, and opens not."""
    opened = {each.bill.id for each in _opened()}
    return [each for each in queries.receipts_of_bill(bill_id) if proofs.proof_of_bills(opened, each.id)]


def _page_to_resume(waiting: PaymentAttempt | None) -> str:
    """Of a payment that letters began, all of which this browser has opened: the payment site's page shows what was
    typed there, an email address among it, and every bill that is paid in one go."""
    if waiting is None or waiting.state != "awaiting" or queries.may_try_again(waiting):
        return ""
    opened = {each.bill.id for each in _opened()}
    if waiting.account_id is not None or any(share.bill_id not in opened for share in waiting.shares):
        return ""
    return jobs.payment_page(waiting)


# -- paying ------------------------------------------------------------------------------------------------------


@guest_pages.get("/factures/<uuid:bill_id>/regler")
def pay(bill_id: UUID) -> Answer:
    """Before leaving for the payment site."""
    return _pay_page([bill_id], PayForm(formdata=None))


@guest_pages.post("/factures/<uuid:bill_id>/regler")
def leave_to_pay(bill_id: UUID) -> Answer:
    return _leave([bill_id])


@guest_pages.get("/regler")
def pay_together() -> Answer:
    """Several bills in one go: `facture`, once a bill."""
    return _pay_page(_asked(), PayForm(formdata=None))


@guest_pages.post("/regler")
def leave_to_pay_together() -> Answer:
    return _leave(_asked())


def _asked() -> list[UUID]:
    return request.args.getlist("facture", type=UUID)


def _pay_page(bill_ids: Collection[UUID], form: PayForm, status: int = 200, **facts: bool) -> Answer:
    """The form's redirect leads to the payment site: the page's security policy must allow it."""
    with db.transaction(db.system(browser.SYSTEM)):
        found = _some(bill_ids)
        offered = form.offer(queries.means_for(found)) if found else ()
        stopped = not offered or any(map(queries.obstacle, found))
    if stopped:
        if len(found) > 1:
            flash(_("These bills cannot be paid together: pay them one by one."), "info")
        return redirect(browser.home_of(bill_ids), 303)
    form_targets(*(jobs.means(psp).site for psp in offered))
    total = sum(each.left_cents for each in found)
    page = render_template("payers/pay.html", found=found, total=total, form=form, offered=offered, **facts)
    return make_response(page, status, {"Retry-After": "120"} if status == 503 else {})


def _leave(bill_ids: Collection[UUID]) -> Answer:
    """Off to the payment site, or back to where the bills are with the reason why not."""
    form = PayForm()
    with db.transaction(db.system(browser.SYSTEM)):
        found = _some(bill_ids)
        offered = form.offer(queries.means_for(found)) if found else ()
        waiting = _of_unknown_outcome(found)
    if not offered:
        return redirect(browser.home_of(bill_ids), 303)
    if not form.validate():
        return _pay_page(bill_ids, form, 422)
    db.session.commit()  # whoever is signed in as well: nothing stays open while a provider answers
    for attempt_id in waiting:
        jobs.settle(attempt_id)
    try:
        with db.transaction(db.system(browser.SYSTEM)):
            started = actions.start_payment(
                _some(bill_ids),
                form.means.data or next(iter(offered)),
                email=form.email.data or "",
                locale=str(get_locale()),
            )
        return redirect(jobs.open_payment_page(started, "/factures/retour"), 303)
    except NotPayable as refusal:
        flash(_why_not(refusal.reason), "info")
        return redirect(browser.home_of(bill_ids), 303)
    except PaymentRefused as refusal:
        return _told_why(bill_ids, form, refusal.code)
    except PaymentSiteAway:
        return _pay_page(bill_ids, form, 503, away=True)


def _of_unknown_outcome(found: Sequence[Standing]) -> list[UUID]:
    """Attempts to ask about before another one follows: perhaps they were paid all along."""
    waiting = [attempt for each in found if (attempt := queries.attempt_under_way(each.bill.id))]
    return sorted({attempt.id for attempt in waiting if queries.may_try_again(attempt)})


def _told_why(bill_ids: Collection[UUID], form: PayForm, code: str) -> Answer:
    """The payer can do something about an address, nothing about the rest."""
    if code in _EMAIL_CODES:
        form.email.errors = [_("The payment site does not accept this email address: enter another one")]
        return _pay_page(bill_ids, form, 422)
    return _pay_page(bill_ids, form, 503, refused=True)


def _why_not(reason: str) -> str:
    reasons: dict[str, str] = {
        "under_way": _("A payment of this bill is already under way."),
        "nothing_due": _("There is nothing left to pay on this bill."),
        "not_together": _("These bills cannot be paid together: pay them one by one."),
    }
    return reasons.get(reason) or str(_("This bill cannot be paid online."))


# -- afterwards --------------------------------------------------------------------------------------------------


@guest_pages.post("/factures/<uuid:bill_id>/actualiser")
@limiter.limit("12 per minute")
def ask_again(bill_id: UUID) -> Response:
    """The payer does not want to wait for the clock."""
    with db.transaction(db.system(browser.SYSTEM)):
        _one(bill_id)
        waiting = queries.attempt_under_way(bill_id)
    db.session.commit()
    if waiting and jobs.settle(waiting.id) in IN_PROGRESS:
        flash(_("The bank has not answered yet. You have nothing to do: we keep asking."), "info")
    return redirect(url_for(".show", bill_id=bill_id), 303)


@guest_pages.get("/recus/<uuid:receipt_id>")
def receipt(receipt_id: UUID) -> str:
    """A receipt about these bills alone; it names nobody."""
    found = _proof(receipt_id)
    return render_template(
        "payers/receipt.html", found=found, receipt=found.receipt, entry=found.entry, receipt_words=wording
    )


@guest_pages.get("/recus/<uuid:receipt_id>.pdf")
def receipt_pdf(receipt_id: UUID) -> Response:
    """The same on paper."""
    found = _proof(receipt_id)
    return made_response(document.receipt(found, named=False), f"{_('receipt')}-{found.receipt.label}.pdf")


def _proof(receipt_id: UUID) -> Proof:
    with db.transaction(db.system(browser.SYSTEM)):
        found = proofs.proof_of_bills({each.bill.id for each in _opened()}, receipt_id)
    if found is None:
        abort(404)
    branding.wear_of(found.bill.establishment_id)
    return found


def _opened() -> list[Standing]:
    """Raises NothingOpen."""
    if not (found := guests.opened(browser.token())):
        raise NothingOpen
    return found


def _one(bill_id: UUID) -> Standing:
    return _some([bill_id])[0]


def _some(bill_ids: Collection[UUID]) -> list[Standing]:
    """Those among the bills this browser has opened; one that it has not is not there."""
    found = [each for each in _opened() if each.bill.id in bill_ids]
    if len(found) != len(set(bill_ids)):
        abort(404)
    branding.wear_of_all([each.bill.establishment_id for each in found])
    return found
