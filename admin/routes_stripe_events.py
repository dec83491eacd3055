"""What Stripe told of its own accord: how far its news were read, and those that somebody should look at."""

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards
from portal import establishments
from services.billing.stripe_events import actions, queries
from services.billing.stripe_events.actions import NothingToAsk

stripe_news = guards.staff(
    Blueprint("admin_stripe_events", __name__, url_prefix="/admin/factures/stripe", template_folder="templates"),
    right="billing",
)

_LAST_PAGE = 10_000
_FILTERS = ("", "to_review", "waiting", "ignored")


@stripe_news.get("")
def events() -> str:
    places = guards.establishments("billing")
    state = request.args.get("state", "")
    state = state if state in _FILTERS else ""
    page = min(max(request.args.get("page", 1, type=int), 1), _LAST_PAGE)
    found = queries.events_at(places, state=state, page=page)
    return render_template(
        "admin/stripe_events/list.html",
        events=found[: queries.PAGE_SIZE],
        state=state,
        filters=_FILTERS,
        page=page,
        has_next=len(found) > queries.PAGE_SIZE,
        sweeps=queries.sweeps_at(places),
        names={place.id: place.short_name or place.name for place in establishments.establishments()},
    )


@stripe_news.post("/<uuid:event_id>/reprendre")
def ask_again(event_id: UUID) -> Response:
    """After a key or a right was put right at Stripe."""
    try:
        actions.ask_again(guards.establishments("billing"), event_id)
    except NothingToAsk:
        abort(404)
    flash(_("Stripe is being asked again about this event."), "success")
    return redirect(url_for(".events"), 303)
