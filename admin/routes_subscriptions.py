"""The administrators' side of exchanges about appointments: the hospital's system, and who subscribes to events."""

from uuid import UUID

from flask import Blueprint, abort, current_app, flash, redirect, render_template, url_for
from flask import session as cookie
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin import queries_figures
from admin.forms_exchanges import HisForm, SubscriptionForm, offer_hospitals
from auth import guards, held_forms
from portal import establishments
from portal.config import Settings
from portal.establishments import Establishment
from portal.web.repeated_posts import once
from services.appointments.exchanges.wording import EVENTS
from services.exchanges import actions, dialect, queries, states, subjects, wording
from services.exchanges.models import Follower
from services.exchanges.queries import Which
from services.preadmission.exchanges import queries as stays
from services.preadmission.exchanges.actions import change_format
from services.referrals import followers

pages = guards.staff(
    Blueprint("admin_subscriptions", __name__, url_prefix="/admin/echanges-agenda", template_folder="templates"),
    right="administration",
)
Answer = str | Response | tuple[str, int]
_SECRET = "subscription_secret"  # noqa: S105 the name of a place, not a secret
"""In the browser's own signed cookie, until the page that shows it once."""


def _here() -> frozenset[UUID]:
    return guards.establishments("administration")


@pages.get("/reglages")
def settings() -> str:
    """Each hospital's system, and every subscription."""
    hospitals = queries_figures.hospitals(_here())
    return render_template(
        "admin/appointment_exchanges/settings.html",
        hospitals=hospitals,
        addresses=queries.his_addresses(),
        lines=[line for line in queries.lines(_here()) if line.follower.kind == states.WEBHOOK],
        words=wording,
        takes_part=bool(guards.establishments("appointments")),
    )


@pages.route("/reglages/<string:finess>", methods=["GET", "POST"])
def his(finess: str) -> Answer:
    """Where a hospital's system listens, and its codes."""
    place = _hospital(finess)
    known = {
        "url": establishments.setting(place.id, dialect.ADDRESS, "none:"),
        "codes": establishments.setting(place.id, dialect.SETTING),
        "stays": stays.format_of(place.id),
    }
    held = held_forms.take()
    form = HisForm(formdata=held, data=known) if held else HisForm(data=known)
    if form.validate_on_submit():
        if form.url.data != known["url"]:
            actions.change_his(place.id, form.url.data or "")
        if form.codes.data != known["codes"]:
            actions.change_dialect(place.id, form.codes.data or "")
        if form.stays.data != known["stays"]:
            change_format(place.id, form.stays.data)
        flash(_("The settings are saved. The state of the exchange is on the list in a few seconds."), "success")
        return redirect(url_for(".settings"), 303)
    page = render_template("admin/appointment_exchanges/his.html", form=form, place=place)
    return page, 422 if form.errors else 200


def _hospital(finess: str) -> Establishment:
    return next((each for each in queries_figures.hospitals(_here()) if each.finess == finess), None) or abort(404)


# -- subscriptions -----------------------------------------------------------------------------------------------


@pages.route("/abonnements/ajouter", methods=["GET", "POST"])
@once
def add() -> Answer:
    """Let a system be told; the secret that signs is shown on the next page, once."""
    held = held_forms.take()
    form = SubscriptionForm(formdata=held) if held else SubscriptionForm()
    hospitals = queries_figures.hospitals(_here())
    offer_hospitals(form, hospitals)
    form.anywhere = _anywhere()
    if form.validate_on_submit():
        place = next(each for each in hospitals if each.finess == form.establishment.data)
        made, secret = actions.subscribe(
            place.id, form.name.data or "", form.url.data or "", form.events.data or [], anywhere=_anywhere()
        )
        cookie[_SECRET] = [str(made.id), secret]
        return redirect(url_for(".show", follower_id=made.id), 303)
    page = render_template("admin/appointment_exchanges/subscribe.html", form=form)
    return page, 422 if form.errors else 200


def _anywhere() -> bool:
    current: Settings = current_app.config["SETTINGS"]
    return not current.is_production


@pages.get("/abonnements/<uuid:follower_id>")
def show(follower_id: UUID) -> str:
    """One subscription: how it goes, and its secret, once."""
    found = _one(follower_id)
    of, secret = cookie.pop(_SECRET, None) or ("", "")
    told = queries.deliveries(_here(), Which(follower_id=found.id))[:20]
    return render_template(
        "admin/appointment_exchanges/subscription.html",
        follower=found,
        secret=secret if of == str(found.id) else "",
        deliveries=told,
        references=subjects.references(told),
        words=wording,
        events={**EVENTS, **followers.WORDS},
    )


@pages.post("/abonnements/<uuid:follower_id>/essayer")
def try_out(follower_id: UUID) -> Response:
    """Send an event that says nothing but that the connection works."""
    actions.try_out(_one(follower_id))
    flash(_("A test is on its way: its outcome is in the list below in a few seconds."), "info")
    return _back(follower_id)


@pages.post("/abonnements/<uuid:follower_id>/secret")
def rotate(follower_id: UUID) -> Response:
    """Give it another secret."""
    cookie[_SECRET] = [str(follower_id), actions.rotate(_one(follower_id))]
    return _back(follower_id)


@pages.post("/abonnements/<uuid:follower_id>/arreter")
def stop(follower_id: UUID) -> Response:
    """Tell it nothing for now."""
    actions.stop(_one(follower_id))
    flash(_("This system is told nothing until you start it again. What happens meanwhile waits for it."), "success")
    return _back(follower_id)


@pages.post("/abonnements/<uuid:follower_id>/reprendre")
def resume(follower_id: UUID) -> Response:
    """Tell it again, what waits first."""
    actions.resume(_one(follower_id))
    flash(_("This system is told again, beginning with what waits."), "success")
    return _back(follower_id)


@pages.post("/abonnements/<uuid:follower_id>/supprimer")
def unsubscribe(follower_id: UUID) -> Response:
    """End the subscription."""
    actions.unsubscribe(_one(follower_id))
    flash(_("The subscription is ended."), "success")
    return redirect(url_for(".settings"), 303)


def _back(follower_id: UUID) -> Response:
    return redirect(url_for(".show", follower_id=follower_id), 303)


def _one(follower_id: UUID) -> Follower:
    found = queries.follower(follower_id, _here())
    return found if found is not None and found.kind == states.WEBHOOK else abort(404)
