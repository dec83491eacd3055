"""A payment notice to print for somebody without an account: what to pay, where, and a key drawn for it."""

from urllib.parse import quote
from uuid import UUID

from flask import Blueprint, abort, flash, render_template
from flask_babel import gettext as _

from admin import routes_billing
from auth import guards
from auth.factors.totp import picture
from portal.web.limits import limiter
from portal.web.security import public_url
from services.billing import queries
from services.billing.actions import NotPayable, UnknownBill
from services.billing.guests import actions

notice_pages = guards.staff(
    Blueprint("admin_payment_notices", __name__, url_prefix="/admin/factures", template_folder="templates"),
    right="billing",
)


@notice_pages.post("/<uuid:bill_id>/avis")
@limiter.limit("30 per minute")
def print_notice(bill_id: UUID) -> str | tuple[str, int]:
    """The page to print. It cannot be shown again: of its key, the digest alone is kept."""
    try:
        found, key = actions.draw_key(guards.establishments("billing"), bill_id)
    except UnknownBill:
        abort(404)
    except NotPayable:
        flash(
            _("No notice can be printed: nothing is left to pay, or these bills are not paid without an account."),
            "info",
        )
        return routes_billing.moved(bill_id)
    address = public_url("billing_letters.find")
    return render_template(
        "admin/payment_notices/notice.html",
        found=found,
        bill=found.bill,
        source=queries.source_of(found.bill),
        key=f"{key[:5]}-{key[5:]}",
        address=address,
        picture=picture(f"{address}#{quote(found.bill.reference, safe='')};{key}"),
    )
