"""What the portal is connected to, and whether its own machinery keeps up: looking, closing, opening, trying."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from werkzeug.wrappers import Response

from admin import actions_connectors as actions
from admin import actions_jobs, connector_words, queries_connectors, queries_figures
from admin.actions_connectors import AlreadyClosed, NeverClosed, NotClosed
from admin.forms_connectors import CloseForm
from admin.queries_connectors import Connector
from auth import bands, franceconnect, guards
from auth.bands import Band
from portal import calendar, db
from portal.catalog import queries as catalog
from portal.config import Settings
from portal.gateways import board
from portal.web.repeated_posts import once
from portal.web.unit_of_work import who
from services.documents.mailboxes import queries as mailboxes
from services.documents.mailboxes import wording as mail_wording
from services.exchanges import queries as exchanges

connector_pages = guards.staff(
    Blueprint("admin_connectors", __name__, url_prefix="/admin/connecteurs", template_folder="templates"),
    right="administration",
)
Answer = str | Response | tuple[str, int]
# Where the rooms show, and tell again, what went wrong behind a door.
_ROOMS: Mapping[str, tuple[tuple[str, Any, str], ...]] = {
    "his": (
        ("admin_appointment_exchanges.deliveries", _l("Appointments that were refused"), "appointments"),
        ("admin_preadmission_exchanges.overview", _l("Exchanges of stays"), "preadmission"),
        ("admin_subscriptions.settings", _l("Settings of the exchanges"), "administration"),
    ),
    "webhooks": (("admin_subscriptions.settings", _l("Subscriptions"), "administration"),),
    "mssante": (
        ("admin_mailboxes.boxes", _l("Secure mailboxes"), "administration"),
        ("admin_transmissions.transmissions", _l("Letters that did not leave"), "documents"),
    ),
    "payments": (
        ("admin_stripe.hospitals", _l("Payment by Stripe"), "administration"),
        ("admin_stripe_events.events", _l("What Stripe told"), "billing"),
    ),
}


def _here() -> dict[str, str]:
    """The hospitals that the agent administers: FINESS number → name."""
    places = queries_figures.hospitals(guards.establishments("administration"))
    return {place.finess: place.short_name or place.name for place in places}


@connector_pages.get("")
def connectors() -> str:
    """Doors as all processes have seen them in a day; ledgers as the database knows them."""
    here = guards.establishments("administration")
    hospitals = _here()
    found = queries_connectors.connectors(hospitals)
    return render_template(
        "admin/connectors/connectors.html",
        connectors=found,
        hospitals=hospitals,
        words=connector_words,
        troubled=[each for each in found if connector_words.state_of(each)[1] in ("danger", "warning")],
        queue=queries_connectors.queue(),
        ledgers=queries_connectors.ledgers(),
        exchanges=exchanges.lines(here),
        boxes=[line for line in mailboxes.boxes_at(here) if line.box.is_open],
        mail_words=mail_wording,
        ending_on=_ending_on(),
    )


def _ending_on() -> date | None:
    """The end of plain FranceConnect for health services, once it is a year away; None where it is not used."""
    settings: Settings = current_app.config["SETTINGS"]
    today = calendar.civil_day(db.now(), calendar.GROUP_ZONE)
    soon = franceconnect.days_left(settings.franceconnect_ends_on, today) is not None
    return settings.franceconnect_ends_on if soon and settings.providers["franceconnect"].enabled else None


# -- one connector -----------------------------------------------------------------------------------------------


@connector_pages.get("/<string:name>")
def show(name: str) -> Answer:
    """One door: how it is, what waits behind it, and what may be done about it."""
    hospitals = _here()
    found = queries_connectors.connector(name, hospitals)
    if found is None and not board.finess_of(name):
        return redirect(url_for(".connectors"), 303)  # a door of the group that no process has used for a day
    return _page(found or abort(404), CloseForm(), hospitals)


def _page(found: Connector, form: CloseForm, hospitals: Mapping[str, str]) -> str:
    return render_template(
        "admin/connectors/connector.html",
        connector=found,
        hospitals=hospitals,
        form=form,
        words=connector_words,
        processes=queries_connectors.seen_by(found.name),
        pauses=queries_connectors.pauses_of(found.name),
        rooms=[(url_for(page), title) for page, title, right in _ROOMS.get(found.family, ())
               if guards.establishments(right)],
        may_act=_may_act(found.name),
    )  # fmt: skip


@connector_pages.post("/<string:name>/fermer")
@once
def close(name: str) -> Answer:
    """Let nothing through for a while."""
    found = _mine(name)
    form = CloseForm()
    if not form.validate():
        return _page(found, form, _here()), 422
    try:
        actions.close(name, form.reason.data or "", form.until())
    except AlreadyClosed:
        flash(_("Somebody closed this connector just before you."), "warning")
    except NeverClosed:
        abort(404)
    else:
        flash(_("The connector is closed. Every process of the portal knows it within a few seconds."), "success")
    return _back(name)


@connector_pages.post("/<string:name>/rouvrir")
def reopen(name: str) -> Response:
    """Let everything through again, what waits first."""
    _mine(name)
    try:
        called = actions.reopen(name)
    except NotClosed:
        flash(_("This connector was open already."), "info")
        return _back(name)
    told = ngettext("One job that waited is done now.", "%(num)d jobs that waited are done now.", called)
    flash(" ".join([_("The connector is open again."), *([told] if called else [])]), "success")
    return _back(name)


@connector_pages.post("/<string:name>/essayer")
def try_now(name: str) -> Response:
    """Have a worker go through this door once."""
    _mine(name)
    actions.ask_test(name)
    flash(_("A worker is trying this connector. Load this page again in a few seconds."), "info")
    return _back(name)


@connector_pages.post("/<string:name>/reprendre")
def retry(name: str) -> Response:
    """Do again what this door stopped: what waits, and what was given up after every try."""
    _mine(name)
    total = actions.call_back(name) + actions_jobs.retry_all(door=name)
    flash(ngettext("One job is done again.", "%(num)d jobs are done again.", total), "success")
    return _back(name)


def _one(name: str) -> Connector:
    return queries_connectors.connector(name, _here()) or abort(404)


def _mine(name: str) -> Connector:
    """One that the agent may act on: their hospital's, or the group's when they administer all of it."""
    found = _one(name)
    if not _may_act(name):
        abort(403)
    return found


def _may_act(name: str) -> bool:
    # A hospital's own door was found among those of the agent's hospitals.
    return bool(board.finess_of(name)) or catalog.administers_all()


def _back(name: str) -> Response:
    return redirect(url_for(".show", name=name), 303)


# -- what agents are told ----------------------------------------------------------------------------------------


def offer_bands() -> None:
    """Say on the pages of the agents concerned that a connector is closed."""
    bands.offer(_bands)


def _bands() -> Iterator[Band]:
    actor = who()
    if actor.kind != "staff" or request.blueprint == connector_pages.name:
        return
    for closed in board.closed():
        rights = (*connector_words.CONCERNED.get(queries_connectors.family(closed.door), db.RIGHTS), "administration")
        if any(actor.may(right, closed.establishment_id) for right in rights):
            href = url_for("admin_connectors.show", name=closed.door) if actor.may("administration") else ""
            yield Band(
                _("%(connector)s: closed for now. %(reason)s", connector=connector_words.label(closed.door),
                  reason=closed.reason),
                "triangle-alert", href=href, link_text=_("See this connector") if href else "",
            )  # fmt: skip
