"""The billing agents' side: bills with their state, one bill's ledger and attempts, attempts to watch."""

from datetime import timedelta
from uuid import UUID

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards
from portal import db, establishments
from portal.web.limits import limiter
from services.billing import actions, jobs, queries
from services.billing.actions import NotClosable, UnknownBill
from services.billing.forms import CloseForm
from services.billing.models import BILL_STATES, PaymentAttempt

billing_tray = guards.staff(
    Blueprint("admin_billing", __name__, url_prefix="/admin/factures", template_folder="templates"), right="billing"
)

_WATCH_AFTER = timedelta(hours=1)
_LAST_PAGE = 10_000


@billing_tray.get("", strict_slashes=False)
def bills() -> str:
    """Filters by address: etat, etablissement (FINESS), reference, page."""
    places = _places()
    chosen = {place.id for place in places if place.finess == request.args.get("etablissement")}
    state = request.args.get("etat", "")
    page = min(max(request.args.get("page", 1, type=int), 1), _LAST_PAGE)
    found = queries.bills_at(
        chosen or {place.id for place in places},
        state=state if state in BILL_STATES else "",
        reference=request.args.get("reference", "").replace("\x00", "").strip(),
        page=page,
    )
    return render_template(
        "admin/billing/bills.html",
        bills=found[: queries.PAGE_SIZE],
        places=places,
        page=page,
        has_next=len(found) > queries.PAGE_SIZE,
        states=BILL_STATES,
        watched=len(_to_watch()),
    )


@billing_tray.get("/a-surveiller")
def watch() -> str:
    return render_template("admin/billing/watch.html", attempts=_to_watch())


@billing_tray.get("/<uuid:bill_id>")
def show(bill_id: UUID) -> str:
    return _bill_page(bill_id, CloseForm())


@billing_tray.post("/<uuid:bill_id>/clore")
def close(bill_id: UUID) -> str | Response:
    form = CloseForm()
    if not form.validate():
        return make_response(_bill_page(bill_id, form), 422)
    try:
        actions.close_elsewhere(guards.establishments("billing"), bill_id, form.reason.data)
        flash(_("The bill is closed: it can no longer be paid online."), "success")
    except UnknownBill:
        abort(404)
    except NotClosable:
        flash(_("This bill cannot be closed: a payment has arrived, or may arrive any minute."), "warning")
    return redirect(url_for(".show", bill_id=bill_id), 303)


@billing_tray.post("/tentatives/<uuid:attempt_id>/demander")
@limiter.limit("30 per minute")
def ask(attempt_id: UUID) -> Response:
    """Ask the provider about one attempt now."""
    attempt = queries.one_attempt_at(guards.establishments("billing"), attempt_id)
    if attempt is None:
        abort(404)
    db.session.commit()  # nothing stays open while the provider answers
    jobs.settle(attempt_id)
    flash(_("The payment provider was asked; its answer is below."), "info")
    return redirect(url_for(".show", bill_id=attempt.shares[0].bill_id), 303)


@billing_tray.post("/tentatives/<uuid:attempt_id>/lever")
def release(attempt_id: UUID) -> Response:
    """After a review: let the bill be paid again."""
    try:
        bill_id = actions.release_attempt(guards.establishments("billing"), attempt_id)
    except UnknownBill:
        abort(404)
    flash(_("The bill can be paid again. A payment that arrived late would still be written down."), "success")
    return redirect(url_for(".show", bill_id=bill_id), 303)


def _bill_page(bill_id: UUID, form: CloseForm) -> str:
    try:
        found = actions.open_bill(guards.establishments("billing"), bill_id)
    except UnknownBill:
        abort(404)
    return render_template(
        "admin/billing/bill.html",
        found=found,
        bill=found.bill,
        form=form,
        attempts=queries.attempts_of_bill(bill_id),
        entries=queries.entries_of_bill(bill_id),
        receipts=queries.receipts_of_bill(bill_id),
        exchanges=queries.exchanges_of_bill(bill_id),
    )


def _places() -> list[establishments.Establishment]:
    held = guards.establishments("billing")
    return [place for place in establishments.establishments() if place.id in held]


def _to_watch() -> list[PaymentAttempt]:
    return list(queries.attempts_to_watch(guards.establishments("billing"), db.now() - _WATCH_AFTER))
