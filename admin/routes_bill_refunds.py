"""Money given back: what waits for a second person or a transfer, one refund, and bills that received too much."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from admin.forms_bill_refunds import OBSTACLE_WORDS, REASON_WORDS, CameBackForm, RefundForm, TransferForm
from auth import guards
from auth.factors.routes import prove_before_a_grave_act
from portal import audit, db
from portal.web.repeated_posts import once
from portal.web.ui import euros, short_day
from services.billing import queries as billing
from services.billing.disputes import queries as disputes
from services.billing.queries import Standing
from services.billing.refunds import actions, overpaid_file, queries
from services.billing.refunds.actions import NotRefundable, SamePerson, TooLate, UnknownRefund
from services.billing.refunds.models import Refund
from services.billing.refunds.queries import TRAYS, Held

refund_pages = guards.staff(
    Blueprint("admin_bill_refunds", __name__, url_prefix="/admin/factures", template_folder="templates"),
    right="billing",
)

_LAST_PAGE = 10_000
_MEANS_WORDS = {"payfip": "PayFiP", "stripe": "Stripe"}


def _page() -> int:
    return min(max(request.args.get("page", 1, type=int), 1), _LAST_PAGE)


# -- trays -------------------------------------------------------------------------------------------------------


@refund_pages.get("/remboursements")
def tray() -> str:
    """By address: etat, one of `queries.TRAYS`; page."""
    places, chosen, page = guards.establishments("billing"), request.args.get("etat", ""), _page()
    name = chosen if chosen in TRAYS else TRAYS[0]
    found = queries.tray(places, name, page)
    return render_template(
        "admin/bill_refunds/tray.html",
        refunds=found[: queries.PAGE_SIZE],
        tray=name,
        trays=TRAYS,
        counts=queries.counts(places),
        page=page,
        has_next=len(found) > queries.PAGE_SIZE,
        me=db.current_actor().account_id,
        reasons=REASON_WORDS,
    )


@refund_pages.get("/trop-percus")
def overpaid() -> str:
    page = _page()
    found = queries.overpaid_at(guards.establishments("billing"), page)
    return render_template(
        "admin/bill_refunds/overpaid.html",
        bills=found[: queries.PAGE_SIZE],
        page=page,
        has_next=len(found) > queries.PAGE_SIZE,
        counts=queries.counts(guards.establishments("billing")),
    )


@refund_pages.get("/trop-percus.csv")
def overpaid_csv() -> Response:
    """Every overpaid bill of the agent's hospitals, for the accountant."""
    places = guards.establishments("billing")
    for place in places:
        audit.record("refund.exported", establishment_id=place)
    content = overpaid_file.written(_every_page(places))
    return Response(
        content,
        mimetype="text/csv",
        headers={"Content-Disposition": 'attachment; filename="trop-percus.csv"', "Cache-Control": "no-store"},
    )


def _every_page(places: frozenset[UUID]) -> Iterator[queries.Overpaid]:
    for page in range(1, _LAST_PAGE):
        found = queries.overpaid_at(places, page)
        yield from found[: queries.PAGE_SIZE]
        if len(found) <= queries.PAGE_SIZE:
            return


# -- asking ------------------------------------------------------------------------------------------------------


@refund_pages.route("/<uuid:bill_id>/rembourser", methods=["GET", "POST"])
@once
def ask(bill_id: UUID) -> Answer | tuple[str, int]:
    """Ask that some of what a bill received be given back."""
    places = guards.establishments("billing")
    found = billing.one_at(places, bill_id)
    if found is None:
        abort(404)
    if stale := prove_before_a_grave_act():
        return stale
    held = queries.held_of(found)
    free = [each for each in held if each.best_cents]
    form = RefundForm(data=_first(found, free)).among(free, [_label(each) for each in free])
    if free and form.validate_on_submit():
        try:
            refund = actions.ask(
                places,
                UUID(form.payment.data),
                bill_id,
                form.amount.data or 0,
                form.reason.data,
                form.note.data or "",
                by_transfer=bool(form.by_transfer.data),
            )
        except NotRefundable as refused:
            form.tell(refused, euros(refused.most_cents))
        else:
            flash(_asked(refund), "success")
            return redirect(url_for(".show", refund_id=refund.id), 303)
    rendered = render_template(
        "admin/bill_refunds/ask.html",
        found=found,
        bill=found.bill,
        form=form,
        held=held,
        free=free,
        obstacles=OBSTACLE_WORDS,
        threshold_cents=queries.threshold_cents(found.bill.establishment_id),
    )
    return rendered, 422 if request.method == "POST" else 200


def _first(found: Standing, free: Sequence[Held]) -> dict[str, Any]:
    """The likeliest: what is too much, of the newest payment that holds it; or of the one chosen in the address."""
    if not free:
        return {}
    chosen = next((each for each in free if str(each.entry.id) == request.args.get("paiement")), None)
    best = chosen or max(free, key=lambda each: (each.most_cents["overpaid"], each.entry.booked_at))
    reason = "overpaid" if best.most_cents["overpaid"] else "cancelled_care"
    return {"payment": str(best.entry.id), "amount": best.most_cents[reason], "reason": reason}


def _label(held: Held) -> str:
    entry = held.entry
    words = _(
        "%(amount)s through %(means)s on %(day)s – still holds %(held)s",
        amount=euros(entry.amount_cents),
        means=_MEANS_WORDS.get(entry.psp, entry.psp),
        day=short_day(entry.moved_at or entry.booked_at),
        held=euros(held.holds_cents),
    )
    return str(words)


def _asked(refund: Refund) -> str:
    if refund.state == "asked":
        return str(_("The refund is asked for. Another agent must approve it before anything leaves."))
    if refund.is_by_transfer:
        return str(_("The refund is ready: record the public accountant’s transfer here once it is made."))
    return str(_("The refund is on its way to Stripe."))


# -- one refund --------------------------------------------------------------------------------------------------


@refund_pages.get("/remboursements/<uuid:refund_id>")
def show(refund_id: UUID) -> str:
    return _refund_page(refund_id, TransferForm(), CameBackForm())


def _refund_page(refund_id: UUID, transfer: TransferForm, back: CameBackForm) -> str:
    refund = queries.one_at(guards.establishments("billing"), refund_id)
    if refund is None:
        abort(404)
    if refund.state in ("asked", "approved") and not queries.is_still_owed(refund):
        flash(str(OBSTACLE_WORDS["too_much"]), "warning")
    return render_template(
        "admin/bill_refunds/refund.html",
        refund=refund,
        bill=refund.bill,
        changes=queries.changes_of(refund_id),
        transfer=transfer,
        back=back,
        is_mine=refund.asked_by == db.current_actor().account_id,
        reasons=REASON_WORDS,
        threshold_cents=queries.threshold_cents(refund.establishment_id),
    )


@refund_pages.post("/remboursements/<uuid:refund_id>/approuver")
def approve(refund_id: UUID) -> Answer | tuple[str, int]:
    if stale := prove_before_a_grave_act(url_for(".show", refund_id=refund_id)):
        return stale

    def gesture(places: frozenset[UUID]) -> None:
        refund = actions.approve(places, refund_id)
        flash(_asked(refund), "success")

    return _done(refund_id, gesture)


@refund_pages.post("/remboursements/<uuid:refund_id>/renoncer")
def cancel(refund_id: UUID) -> Answer | tuple[str, int]:
    def gesture(places: frozenset[UUID]) -> None:
        actions.cancel(places, refund_id)
        flash(_("The refund is given up: nothing leaves."), "success")

    return _done(refund_id, gesture)


@refund_pages.post("/remboursements/<uuid:refund_id>/virement")
def transferred(refund_id: UUID) -> Answer | tuple[str, int]:
    form = TransferForm()
    if not form.validate():
        return _refund_page(refund_id, form, CameBackForm()), 422
    moved_on = form.moved_on.data
    assert moved_on is not None, "a day is required"

    def gesture(places: frozenset[UUID]) -> None:
        actions.record_transfer(places, refund_id, form.reference.data or "", moved_on)
        flash(_("The transfer is recorded, and the payer is told that a refund is on its way."), "success")

    return _done(refund_id, gesture)


@refund_pages.post("/remboursements/<uuid:refund_id>/revenu")
def came_back(refund_id: UUID) -> Answer | tuple[str, int]:
    form = CameBackForm()
    if not form.validate():
        return _refund_page(refund_id, TransferForm(), form), 422

    def gesture(places: frozenset[UUID]) -> None:
        actions.came_back(places, refund_id, form.note.data or "")
        flash(_("The return is recorded: the bill holds this money again."), "success")

    return _done(refund_id, gesture)


def _done(refund_id: UUID, gesture: Callable[[frozenset[UUID]], None]) -> Answer | tuple[str, int]:
    """Do it, or say in the page why it was not done."""
    try:
        gesture(guards.establishments("billing"))
    except UnknownRefund:
        abort(404)
    except SamePerson:
        flash(_("You asked for this refund: another agent must approve it."), "warning")
    except NotRefundable as refused:
        flash(str(OBSTACLE_WORDS[refused.reason]), "warning")
    except TooLate:
        flash(_("Somebody was quicker: look at where this refund is now."), "warning")
    else:
        return redirect(url_for(".show", refund_id=refund_id), 303)
    return _refund_page(refund_id, TransferForm(), CameBackForm()), 409


# -- on the page of one bill -------------------------------------------------------------------------------------


def money_back(found: Standing) -> dict[str, Any]:
    """What the page of a bill says of refunds and disputes: for a bill that has received something."""
    if not found.paid_cents and not found.refunded_cents:
        return {"held": [], "refunds": [], "disputes": [], "most_cents": 0}
    held = queries.held_of(found)
    return {
        "held": held,
        "refunds": queries.of_bill(found.bill.id),
        "disputes": disputes.of_entries([each.entry.id for each in held]),
        "most_cents": max((each.best_cents for each in held), default=0),
    }
