"""My calendar: its address, what it tells, another address, none any more."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards
from portal import db
from portal.web.security import public_url
from services.appointments.feed import actions, queries
from services.appointments.feed.forms import FeedForm

pages = guards.patients(
    Blueprint("calendar_feed", __name__, url_prefix="/rendez-vous/calendrier", template_folder="templates"),
    "appointments",
)


@pages.get("")
def show() -> str:
    feed = queries.mine()
    form = FeedForm(obj=feed) if feed else FeedForm()
    end = actions.address_of(feed) if feed else ""
    address = public_url("calendar.read", name=end) if end else ""
    return render_template(
        "feed/show.html",
        feed=feed,
        form=form,
        address=address,
        webcal=address.replace("https:", "webcal:", 1).replace("http:", "webcal:", 1),
        acts_for_others=len(db.current_actor().people("administrative")) > 1,
    )


@pages.post("/ouvrir")
def open_feed() -> Response:
    actions.open_feed()
    flash(_("Your calendar has an address. Keep it to yourself: whoever has it sees your appointments."), "success")
    return redirect(url_for(".show"), 303)


@pages.post("/choix")
def choose() -> Response:
    feed, form = queries.mine(), FeedForm()
    if feed is not None and form.validate():
        actions.choose(feed, with_details=form.with_details.data, with_proxied=form.with_proxied.data)
        flash(_("Your choice is kept. Calendars show it the next time they read the address."), "success")
    return redirect(url_for(".show"), 303)


@pages.post("/renouveler")
def renew() -> Response:
    if actions.renew() is not None:
        flash(_("Here is another address. The former one no longer works: subscribe again with this one."), "success")
    return redirect(url_for(".show"), 303)


@pages.post("/fermer")
def close() -> Response:
    actions.close()
    flash(_("The address no longer works. Remove the calendar from your telephone or computer too."), "success")
    return redirect(url_for(".show"), 303)
