"""The Stripe account of a hospital: opened by its administrator, with the public accountant's agreement."""

from datetime import date

from flask import Blueprint, abort, current_app, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin import queries_figures
from admin.forms_bill_sources import StripeForm
from auth import guards
from portal import db, establishments
from portal.establishments import Establishment
from portal.web.limits import limiter
from services.billing.forms import MEANS_WORDS
from services.billing.sources import actions, queries, settings, trials
from services.billing.sources.actions import StripeUnfit

stripe_pages = guards.staff(
    Blueprint("admin_stripe", __name__, url_prefix="/admin/stripe", template_folder="templates"),
    right="administration",
)


@stripe_pages.get("")
def hospitals() -> str:
    """The hospitals that one administers, and whether Stripe is open there."""
    return render_template("admin/billing/stripe/list.html", accounts=[_account(place) for place in _mine()])


@stripe_pages.route("/<finess>", methods=["GET", "POST"])
def change(finess: str) -> Response | tuple[str, int]:
    """Open or close it, type its keys. Secrets typed are not kept with a held form: they are typed again."""
    place = _one(finess)
    account = _account(place)
    form = StripeForm(data={name: account[name] for name in ("enabled", "accountant", "agreed_on")})
    if form.validate_on_submit():
        try:
            actions.set_stripe(place.id, form.draft())
        except StripeUnfit as unfit:
            form.tell(unfit)
        else:
            flash(_("Saved. Try the connection, then a small payment."), "success")
            return redirect(url_for(".hospitals"), 303)
    page = render_template("admin/billing/stripe/change.html", form=form, account=account, webhook_url=_webhook_url())
    return page, 422 if form.errors else 200


@stripe_pages.post("/<finess>/essai")
@limiter.limit("20 per minute")
def trial(finess: str) -> str:
    """Ask Stripe whose account the key opens."""
    place = _one(finess)
    place_id, name = place.id, place.name
    db.session.commit()  # nothing stays open while Stripe answers
    found = trials.of_counter(place_id, "stripe", "", "")
    actions.note_trial(place_id, "stripe", found.outcome)
    return render_template(
        "admin/billing/sources/trial.html",
        trial=found,
        title=name,
        means=MEANS_WORDS["stripe"],
        back=url_for(".hospitals"),
    )


def _account(place: Establishment) -> dict[str, object]:
    """What may be shown of a hospital's account: never its keys."""
    agreed_on = establishments.setting(place.id, settings.AGREED_ON)
    key = establishments.setting(place.id, settings.KEY)
    return {
        "place": place,
        "enabled": queries.stripe_open_at(place.id),
        "accountant": establishments.setting(place.id, settings.ACCOUNTANT),
        "agreed_on": date.fromisoformat(agreed_on) if agreed_on else None,
        "mode": ("test" if settings.is_test_key(key) else "live") if key else "",
        "knows_secrets": bool(establishments.setting(place.id, settings.SECRETS)),
    }


def _webhook_url() -> str:
    """What Stripe must be told to call."""
    return f"{current_app.config['SETTINGS'].base_url}/callbacks/stripe"


def _mine() -> list[Establishment]:
    return list(queries_figures.hospitals(guards.establishments("administration")))


def _one(finess: str) -> Establishment:
    return next((each for each in _mine() if each.finess == finess), None) or abort(404)
