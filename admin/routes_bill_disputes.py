"""Payments that the payer's bank disputes, and what to do about them at Stripe's site."""

from datetime import timedelta
from uuid import UUID

from flask import Blueprint, abort, render_template, request

from auth import guards
from portal import db
from services.billing.disputes import actions, queries
from services.billing.disputes.actions import UnknownDispute

dispute_pages = guards.staff(
    Blueprint("admin_bill_disputes", __name__, url_prefix="/admin/factures/contestations", template_folder="templates"),
    right="billing",
)

_DASHBOARD = "https://dashboard.stripe.com/{test}disputes/{name}"
_URGENT = timedelta(days=3)
_LAST_PAGE = 10_000


@dispute_pages.get("")
def disputes() -> str:
    """By address: etat=closes for those that have ended; page."""
    is_open = request.args.get("etat") != "closes"
    page = min(max(request.args.get("page", 1, type=int), 1), _LAST_PAGE)
    found = queries.at(guards.establishments("billing"), is_open=is_open, page=page)
    shown = found[: queries.PAGE_SIZE]
    return render_template(
        "admin/bill_disputes/list.html",
        found=shown,
        bills={each.id: ", ".join(bill.reference for bill in bills) for each, bills in queries.with_bills(shown)},
        is_open=is_open,
        page=page,
        has_next=len(found) > queries.PAGE_SIZE,
        soon=db.now() + _URGENT,
    )


@dispute_pages.get("/<uuid:dispute_id>")
def show(dispute_id: UUID) -> str:
    try:
        found = actions.open_dispute(guards.establishments("billing"), dispute_id)
    except UnknownDispute:
        abort(404)
    ((_same, bills),) = queries.with_bills([found])
    is_test = bool(found.entry and found.entry.is_test)
    return render_template(
        "admin/bill_disputes/dispute.html",
        dispute=found,
        bills=bills,
        entries=queries.entries_of(found.psp_ref),
        changes=queries.changes_of(dispute_id),
        dashboard=_DASHBOARD.format(test="test/" if is_test else "", name=found.psp_ref),
    )
