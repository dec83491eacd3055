"""The billing agents' side: what waits for somebody, bills with their state, one bill in full, attempts to watch."""

from datetime import date, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin import bills_waiting, queries_figures
from admin.forms_bills import SHORT_KIND_WORDS, BillsForm, CloseBillForm
from auth import guards
from portal import db, kpi
from portal.calendar import to_utc_or_after
from portal.establishments import Establishment
from portal.web.limits import limiter
from services.billing import actions, jobs, queries
from services.billing.actions import NotClosable, UnknownBill
from services.billing.models import PaymentAttempt
from services.billing.office import actions as office_actions
from services.billing.office import queries as office
from services.billing.office.actions import NotClosed
from services.billing.office.queries import Place, Search

billing_tray = guards.staff(
    Blueprint("admin_billing", __name__, url_prefix="/admin/factures", template_folder="templates"), right="billing"
)

_WATCH_AFTER = timedelta(hours=1)


@billing_tray.get("", strict_slashes=False)
def overview() -> str:
    """What waits for somebody, and what came in today."""
    places = guards.establishments("billing")
    today = db.now().astimezone(ZoneInfo(kpi.GROUP_ZONE)).date()
    return render_template(
        "admin/billing/overview.html",
        waiting=bills_waiting.counted(places, db.now() - _WATCH_AFTER),
        takings=office.takings(places, to_utc_or_after(today, time(), ZoneInfo(kpi.GROUP_ZONE))),
        today=today,
    )


# -- the list ----------------------------------------------------------------------------------------------------


@billing_tray.get("/liste")
def bills() -> tuple[str, int]:
    """Filters by address: reference, etat, source, etablissement (FINESS), echeance, montant; apres and avant go from
    one page to the next."""
    mine = _mine()
    form = BillsForm(formdata=request.args).among(mine)
    search = _search(form, mine) if form.validate() else None
    page = office.bills(search) if search else office.Page([], None, None)
    rendered = render_template(
        "admin/billing/bills.html",
        form=form,
        page=page,
        counted=office.count(search) if search else (0, 0),
        counted_to=office.COUNTED_TO,
        several=len(mine) > 1,
        kinds=SHORT_KIND_WORDS,
        previous=_address(avant=_written(page.previous)) if page.previous else "",
        following=_address(apres=_written(page.following)) if page.following else "",
    )
    return rendered, 422 if form.errors else 200


def _search(form: BillsForm, mine: list[Establishment]) -> Search:
    finess = form.chosen("etablissement")
    return Search(
        places=frozenset(place.id for place in mine if finess in ("", place.finess)),
        state=form.chosen("etat"),
        source=form.chosen("source"),
        due_before=form.echeance.data,
        amount_cents=form.montant.data,
        number=form.reference.data or "",
        after=_read(request.args.get("apres", "")),
        until=_read(request.args.get("avant", "")),
    )


def _read(text: str) -> Place | None:
    """A place as the address writes it; None when it is not one."""
    day, _mark, bill_id = text.partition("_")
    try:
        return Place(date.fromisoformat(day), UUID(bill_id))
    except ValueError:
        return None


def _written(place: Place) -> str:
    return f"{place.issued_on.isoformat()}_{place.bill_id}"


def _address(**values: Any) -> str:
    kept: dict[str, Any] = {name: text for name, text in request.args.items() if name not in ("apres", "avant", "lang")}
    return url_for("admin_billing.bills", **kept, **values)


# -- payments to watch -------------------------------------------------------------------------------------------


@billing_tray.get("/a-surveiller")
def watch() -> str:
    found: list[PaymentAttempt] = list(
        queries.attempts_to_watch(guards.establishments("billing"), db.now() - _WATCH_AFTER)
    )
    return render_template("admin/billing/watch.html", attempts=found)


@billing_tray.post("/tentatives/<uuid:attempt_id>/demander")
@limiter.limit("30 per minute")
def ask(attempt_id: UUID) -> Response:
    """Ask the provider about one attempt now."""
    attempt = queries.one_attempt_at(guards.establishments("billing"), attempt_id)
    if attempt is None:
        abort(404)
    bill_id = attempt.shares[0].bill_id
    db.session.commit()  # nothing stays open while the provider answers
    jobs.settle(attempt_id)
    flash(_("The payment provider was asked; its answer is below."), "info")
    return redirect(url_for(".show", bill_id=bill_id), 303)


@billing_tray.post("/tentatives/<uuid:attempt_id>/lever")
def release(attempt_id: UUID) -> Response | tuple[str, int]:
    """After a review: let the bill be paid again."""
    places = guards.establishments("billing")
    try:
        bill_id = actions.release_attempt(places, attempt_id)
    except UnknownBill:
        attempt = queries.one_attempt_at(places, attempt_id)
        return moved(attempt.shares[0].bill_id) if attempt else abort(404)
    flash(_("The bill can be paid again. A payment that arrived late would still be written down."), "success")
    return redirect(url_for(".show", bill_id=bill_id), 303)


# -- one bill ----------------------------------------------------------------------------------------------------


@billing_tray.get("/<uuid:bill_id>")
def show(bill_id: UUID) -> str:
    """Everything about one bill, for a phone call."""
    return _bill_page(bill_id, CloseBillForm())


@billing_tray.get("/<uuid:bill_id>/preuves")
def evidence(bill_id: UUID) -> str:
    """How its attempts went from state to state, and what was asked of the providers and answered."""
    try:
        found = actions.open_bill(guards.establishments("billing"), bill_id)
    except UnknownBill:
        abort(404)
    return render_template(
        "admin/billing/evidence.html",
        bill=found.bill,
        changes=office.changes_of(bill_id),
        exchanges=queries.exchanges_of_bill(bill_id),
    )


@billing_tray.post("/<uuid:bill_id>/clore")
def close(bill_id: UUID) -> Response | tuple[str, int]:
    """Withdraw a bill that was paid elsewhere or cancelled."""
    form = CloseBillForm()
    if not form.validate():
        return _bill_page(bill_id, form), 422
    try:
        actions.close_elsewhere(guards.establishments("billing"), bill_id, form.reason.data, form.note.data or "")
    except UnknownBill:
        abort(404)
    except NotClosable:
        return moved(bill_id)
    flash(_("The bill is closed: it can no longer be paid online."), "success")
    return redirect(url_for(".show", bill_id=bill_id), 303)


@billing_tray.post("/<uuid:bill_id>/rouvrir")
def reopen(bill_id: UUID) -> Response | tuple[str, int]:
    """A bill closed by mistake can be paid again."""
    try:
        office_actions.reopen_bill(guards.establishments("billing"), bill_id)
    except UnknownBill:
        abort(404)
    except NotClosed:
        return moved(bill_id)
    flash(_("The bill is open again: it can be paid online."), "success")
    return redirect(url_for(".show", bill_id=bill_id), 303)


def moved(bill_id: UUID) -> tuple[str, int]:
    """The page of the bill as it is now: something happened since the agent looked."""
    return _bill_page(bill_id, CloseBillForm(formdata=None), has_moved=True), 409


def _bill_page(bill_id: UUID, form: CloseBillForm, *, has_moved: bool = False) -> str:
    try:
        found = actions.open_bill(guards.establishments("billing"), bill_id)
    except UnknownBill:
        abort(404)
    entries, receipts = office.book_of(bill_id)
    return render_template(
        "admin/billing/bill.html",
        found=found,
        bill=found.bill,
        source=queries.source_of(found.bill),
        form=form,
        has_moved=has_moved,
        attempts=office.attempts_of(bill_id),
        entries=entries,
        receipts=receipts,
    )


def _mine() -> list[Establishment]:
    return list(queries_figures.hospitals(guards.establishments("billing")))
