"""What Stripe sent to the hospital's bank: payments whole, fees apart, difference zero."""

from uuid import UUID

from flask import Blueprint, abort, render_template, request

from auth import guards
from services.billing.payouts import queries

payout_pages = guards.staff(
    Blueprint("admin_bill_payouts", __name__, url_prefix="/admin/factures/versements", template_folder="templates"),
    right="billing",
)

_LAST_PAGE = 10_000


@payout_pages.get("")
def payouts() -> str:
    places = guards.establishments("billing")
    page = min(max(request.args.get("page", 1, type=int), 1), _LAST_PAGE)
    found = queries.at(places, page)
    return render_template(
        "admin/bill_payouts/list.html",
        payouts=found[: queries.PAGE_SIZE],
        clearing=queries.on_clearing_cents(places),
        page=page,
        has_next=len(found) > queries.PAGE_SIZE,
    )


@payout_pages.get("/<uuid:payout_id>")
def show(payout_id: UUID) -> str:
    found = queries.one_at(guards.establishments("billing"), payout_id)
    if found is None:
        abort(404)
    return render_template("admin/bill_payouts/payout.html", found=found, bills=queries.bills_of(found.payout))
