"""The patient's bills: see them, pay one or several, print the receipt."""

from collections.abc import Sequence
from uuid import UUID

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards, held_forms
from portal import db
from portal.web import branding
from portal.web.limits import limiter
from portal.web.security import form_targets
from services.billing import actions, jobs, queries, wording
from services.billing.actions import NotPayable
from services.billing.forms import PayForm
from services.billing.jobs import PaymentRefused, PaymentSiteAway
from services.billing.models import IN_PROGRESS, PaymentAttempt
from services.billing.queries import Standing
from services.billing.questions import queries as questions
from services.billing.questions import wording as question_words
from services.billing.receipts import queries as proofs
from services.billing.receipts import wording as receipt_words
from services.billing.states import ANOTHER_TRY_AFTER

patient_pages = guards.patients(
    Blueprint("billing", __name__, url_prefix="/factures", template_folder="templates"), "billing"
)

_EMAIL_CODES = ("A1", "A2", "email_invalid")
_MOST_AT_ONCE = 50
_MANY = 8
"""Bills beyond which filters are of use."""
_GROUPS = {
    "a-payer": queries.TO_PAY,
    "en-cours": ("in_progress", "debit_accepted"),
    "reglees": ("paid", "overpaid", "closed_elsewhere", "debit_accepted"),
}


@patient_pages.get("", strict_slashes=False)
def my_bills() -> str:
    """Filters by address, offered when the bills are many: etat, annee, etablissement (FINESS)."""
    every = queries.bills_of_patient(guards.patient_id())
    found = _sifted(every)
    to_pay = [each for each in every if each.state in queries.TO_PAY]
    return render_template(
        "billing/list.html",
        bills=found,
        is_long=len(every) > _MANY,
        is_empty=not every,
        years=sorted({each.bill.issued_on.year for each in every}, reverse=True),
        places=sorted({(each.bill.establishment.name, each.bill.establishment.finess) for each in every}),
        to_pay=to_pay,
        left_cents=sum(each.left_cents for each in to_pay),
        together=queries.payable_together(found),
        asked=questions.under_way_of_patient(guards.patient_id()),
        question_words=question_words,
    )


def _sifted(every: Sequence[Standing]) -> Sequence[Standing]:
    """What the address asks to see; what it does not understand filters nothing."""
    states = _GROUPS.get(request.args.get("etat", ""))
    year = request.args.get("annee", type=int)
    place = request.args.get("etablissement", "")
    return [
        each
        for each in every
        if (states is None or each.state in states)
        and (year is None or each.bill.issued_on.year == year)
        and (not place or each.bill.establishment.finess == place)
    ]


@patient_pages.get("/<uuid:bill_id>")
def show(bill_id: UUID) -> str:
    found = _bill(bill_id)
    attempts = queries.attempts_of_bill(bill_id)
    waiting = next((attempt for attempt in attempts if attempt.state in IN_PROGRESS), None)
    source = queries.source_of(found.bill)
    return render_template(
        "billing/show.html",
        found=found,
        bill=found.bill,
        source=source,
        contact=wording.contact_of(found.bill, source),
        last=attempts[0] if attempts else None,
        waiting=waiting,
        payment_page=_page_to_resume(waiting),
        obstacle=queries.obstacle(found),
        again_at=(waiting.page_until or waiting.created_at + ANOTHER_TRY_AFTER) if waiting else None,
        receipts=queries.receipts_of_bill(bill_id),
        attestation=proofs.attestation_of(found),
        debit_has_gone=proofs.debit_has_gone(found),
        story=wording.story(found.bill, attempts, queries.entries_of_bill(bill_id)),
        asked=questions.of_bill(bill_id),
        wording=wording,
        question_words=question_words,
        receipt_words=receipt_words,
    )


def _page_to_resume(waiting: PaymentAttempt | None) -> str:
    """The payment site's page of an attempt under way: PayFiP's opens once, in the first quarter of an hour."""
    if waiting is None or waiting.state != "awaiting" or queries.may_try_again(waiting):
        return ""
    if waiting.account_id is None and sum(share.amount_cents for share in waiting.shares) != waiting.amount_cents:
        return ""  # somebody with letters pays other people's bills with this one: their page names them
    return jobs.payment_page(waiting)


# -- paying ------------------------------------------------------------------------------------------------------


@patient_pages.get("/<uuid:bill_id>/payer")
def pay(bill_id: UUID) -> str | Response:
    found = _bill(bill_id)
    if queries.obstacle(found):
        return redirect(url_for(".show", bill_id=bill_id), 303)
    return _pay_page([found], _asked())


@patient_pages.post("/<uuid:bill_id>/payer")
def leave_to_pay(bill_id: UUID) -> str | Response:
    return _leave([_bill(bill_id)], url_for(".show", bill_id=bill_id))


@patient_pages.get("/regler")
def pay_together() -> str | Response:
    """Several bills in one go: `facture`, once a bill."""
    found = _bills()
    if not found or not queries.means_for(found) or any(map(queries.obstacle, found)):
        flash(_("These bills cannot be paid together: pay them one by one."), "info")
        return redirect(url_for(".my_bills"), 303)
    return _pay_page(found, _asked())


@patient_pages.post("/regler")
def leave_to_pay_together() -> str | Response:
    return _leave(_bills(), url_for(".my_bills"))


def _bills() -> list[Standing]:
    """The patient's bills that the address names; a bill that is not theirs is not there."""
    asked = request.args.getlist("facture", type=UUID)[:_MOST_AT_ONCE]
    found = queries.some_of_patient(guards.patient_id(), asked)
    if len(found) != len(set(asked)):
        abort(404)
    branding.wear_of_all([each.bill.establishment_id for each in found])
    return found


def _asked() -> PayForm:
    held = held_forms.take()
    return PayForm(formdata=held) if held else PayForm(data={"email": queries.email_of_payer()})


def _leave(found: Sequence[Standing], bill_page: str) -> str | Response:
    """Off to the payment site, or back to where the bills are with the reason why not."""
    if not found:
        return redirect(bill_page, 303)
    form = PayForm()
    offered = form.offer(queries.means_for(found))
    if not form.validate():
        return make_response(_pay_page(found, form), 422)
    _hear_of_the_last_attempts(found)
    try:
        started = actions.start_payment(
            queries.some_of_patient(guards.patient_id(), [each.bill.id for each in found]),
            form.means.data or next(iter(offered), ""),
            email=form.email.data or "",
            locale=str(get_locale()),
        )
    except NotPayable as refusal:
        flash(_why_not(refusal.reason), "info")
        return redirect(bill_page, 303)
    db.session.commit()  # on record before the provider hears of it; nothing stays open while it answers
    try:
        return redirect(jobs.open_payment_page(started, "/factures/retour"), 303)
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


def _bill(bill_id: UUID) -> Standing:
    found = queries.one_of_patient(guards.patient_id(), bill_id) or abort(404)
    branding.wear_of(found.bill.establishment_id)
    return found


def _pay_page(found: Sequence[Standing], form: PayForm, away: bool = False, refused: bool = False) -> str:
    """The form's redirect leads to the payment site: the page's security policy must allow it."""
    offered = form.offer(queries.means_for(found))
    form_targets(*(jobs.means(psp).site for psp in offered))
    total = sum(each.left_cents for each in found)
    return render_template(
        "billing/pay.html", found=found, total=total, form=form, offered=offered, away=away, refused=refused
    )


def _hear_of_the_last_attempts(found: Sequence[Standing]) -> None:
    """Before a second attempt, ask what became of the first: it may have been paid all along."""
    waiting = [attempt for each in found if (attempt := queries.attempt_under_way(each.bill.id))]
    asked = {attempt.id for attempt in waiting if queries.may_try_again(attempt)}
    if asked:
        db.session.commit()
    for attempt_id in sorted(asked):
        jobs.settle(attempt_id)


def _told_why(found: Sequence[Standing], form: PayForm, code: str) -> Response:
    """The provider refused: the payer can do something about an address, nothing about the rest."""
    if code in _EMAIL_CODES:
        form.email.errors = [_("The payment site does not accept this email address: enter another one")]
        return make_response(_pay_page(found, form), 422)
    return make_response(_pay_page(found, form, refused=True), 503)


def _why_not(reason: str) -> str:
    reasons: dict[str, str] = {
        "under_way": _("A payment of this bill is already under way."),
        "nothing_due": _("There is nothing left to pay on this bill."),
        "not_together": _("These bills cannot be paid together: pay them one by one."),
    }
    return reasons.get(reason) or str(_("This bill cannot be paid online."))
