"""The page of a link in a message: when and where, and what one may do. Nobody is signed in here.

A GET shows and does nothing: mail scanners and previews open links. Posts act in a transaction of their own, as the
link's holder. Whatever does not work is the same 404.
"""

from collections.abc import Sequence
from datetime import timedelta

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from auth import guards, tries
from portal import db
from portal.establishments import establishments
from portal.web.limits import limiter
from services.appointments import queries as offer
from services.appointments import wording
from services.appointments.actions import (
    AlreadyOver,
    NotBookable,
    PatientBusy,
    SlotTaken,
    TooLateToCancel,
)
from services.appointments.forms import CancelForm, day_asked
from services.appointments.links import actions, queries
from services.appointments.links.models import AppointmentLink
from services.appointments.models import Appointment, Reason
from services.appointments.slots import FreeSlot, Slot

pages = guards.public(
    Blueprint("appointment_links", __name__, url_prefix="/rendez-vous/lien", template_folder="templates")
)
Answer = AnyResponse | str | tuple[str, int]
_PER_RANGE = 60
"""Links that do not work, from one address range in ten minutes: a hospital's hall shares one address."""


@pages.after_request
def keep_private(response: Response) -> Response:
    """No search engine lists it, no other site learns its address."""
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@pages.get("/<string:token>")
@limiter.limit("60 per minute")
def show(token: str) -> Answer:
    link = _usable(token)
    return _dead() if link is None else render_template("links/show.html", link=link, token=token)


@pages.post("/<string:token>/je-viens")
@limiter.limit("20 per minute")
def come(token: str) -> Answer:
    """They say that they come."""
    link = _usable(token)
    if link is None:
        return _dead()
    try:
        actions.come(link)
    except AlreadyOver:
        return _dead()
    flash(_("Thank you: the hospital knows that you come."), "success")
    return redirect(url_for(".show", token=token), 303)


@pages.route("/<string:token>/annuler", methods=["GET", "POST"])
@limiter.limit("20 per minute")
def cancel(token: str) -> Answer:
    """Why, then give the time back."""
    link = _to_act(token)
    if not isinstance(link, AppointmentLink):
        return link
    form, late = CancelForm(), False
    if form.validate_on_submit():
        try:
            actions.cancel(link, form.why.data)
        except TooLateToCancel:
            late = True
        except AlreadyOver:
            return _dead()
        else:
            flash(_("Your appointment is cancelled. Thank you: somebody else can have this time."), "success")
            return redirect(url_for(".show", token=token), 303)
    page = render_template("links/cancel.html", link=link, token=token, form=form)
    return page, 409 if late else 422 if form.errors else 200


@pages.route("/<string:token>/deplacer", methods=["GET", "POST"])
@limiter.limit("40 per minute")
def move(token: str) -> Answer:
    """Other times, as days and hours and nothing else, then one of them."""
    link = _to_act(token)
    if not isinstance(link, AppointmentLink):
        return link
    if request.method == "GET":
        return _times(link, token)
    try:
        slot = Slot.parse(request.form.get("slot", ""))
    except ValueError:
        return _times(link, token, error=_("Choose a time")), 422
    try:
        actions.move(link, slot)
    except (SlotTaken, PatientBusy, NotBookable):
        return _times(link, token, error=_("This time has just been taken. Choose another one.")), 409
    except TooLateToCancel:
        return redirect(url_for(".show", token=token), 303)
    except AlreadyOver:
        return _dead()
    flash(_("Your appointment is at another time. A new message confirms it."), "success")
    return redirect(_new_page(link), 303)


def _times(link: AppointmentLink, token: str, error: str = "") -> str:
    """Times of any practitioner who gives this consultation, when the patient is free: neither their names nor the
    unit's are shown."""
    tz = link.appointment.tz
    today = db.now().astimezone(tz).date()
    asked_day = day_asked(request.args.get("from", ""))
    with db.transaction(db.system("appointments.link")):
        page = offer.next_times(_asking(link.appointment), max(asked_day or today, today))
    others = [slot for day in page.days.values() for slot in _each_once(day) if slot.at != link.start_at]
    days = wording.picker(others, tz, with_names=False)
    return render_template(
        "links/move.html", link=link, token=token, days=days, next_day=page.next_day, error=error, later=asked_day
    )


def _asking(appointment: Appointment) -> offer.Asking:
    reason = db.session.merge(appointment.reason)
    window = reason.window("web", db.now())
    until = window.latest + timedelta(days=1)
    own = offer.busy(appointment.patient_id, window.earliest, until, but=[appointment.id])
    return offer.Asking({reason.id: window}, [reason], busy=own)


def _each_once(found: Sequence[FreeSlot]) -> list[FreeSlot]:
    """One of each time, whoever receives."""
    return list({each.at: each for each in reversed(found)}.values())[::-1]


def _to_act(token: str) -> AppointmentLink | Answer:
    """The link when its appointment may still be moved or cancelled here; else the page that says why not."""
    link = _usable(token)
    if link is None:
        return _dead()
    if not link.appointment.may_be_cancelled:
        return redirect(url_for(".show", token=token), 303)
    return link


def _new_page(link: AppointmentLink) -> str:
    """The page of the same appointment at its new time: the former link is dead."""
    with db.transaction(db.system("appointments.link")):
        return actions.path_to(db.session.get_one(type(link.appointment), link.appointment_id))


def _usable(token: str) -> AppointmentLink | None:
    """None for what does not work, once it is counted; 429 for whoever tries many."""
    with db.transaction(db.system("appointments.link")):
        link = queries.usable(token)
        if link is not None:
            assert isinstance(link.appointment.reason, Reason), "read here: pages are rendered when this is over"
    if link is None:
        try:
            tries.spend(tries.of_range(request.remote_addr or "", "appointment link", limit=_PER_RANGE))
        except tries.TooManyTries:
            abort(429)
    return link


def _dead() -> tuple[str, int]:
    """One page for every link that does not work: nobody learns why."""
    return render_template("links/dead.html", hospitals=establishments()), 404
