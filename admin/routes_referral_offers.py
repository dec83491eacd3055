"""What the units of my hospitals take by referral: rules listed, written, closed, seen as practitioners see them."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin.forms_referral_offers import OfferForm, data_of, shown_levels, without
from auth import guards, held_forms
from portal.establishments import Unit
from portal.web.repeated_posts import once
from services.offer import specialities
from services.questionnaires import queries as questionnaires
from services.referrals import definition, queries, wording
from services.referrals.actions import offers as actions
from services.referrals.models import ReferralOffer

RIGHT = "administration"
offer_pages = guards.staff(
    Blueprint("admin_referral_offers", __name__, url_prefix="/admin/orientations/offres", template_folder="templates"),
    right=RIGHT,
)
Answer = str | Response | tuple[str, int]


def _here() -> frozenset[UUID]:
    return guards.establishments(RIGHT)


def _one(offer_id: UUID) -> ReferralOffer:
    return queries.offer_at(_here(), offer_id) or abort(404)


@offer_pages.get("")
def offers() -> str:
    """By hospital and unit, those that are closed too."""
    return render_template("admin/referrals/offers.html", offers=queries.offers_at(_here()), words=wording)


@offer_pages.route("/nouvelle", methods=["GET", "POST"])
@once
def new() -> Answer:
    """A unit takes something more."""
    form = _form(None)
    units = _prepared(form)
    if _is_sent(form) and form.validate() and (draft := form.draft()):
        made = actions.open_offer(next(each for each in units if str(each.id) == form.unit_id.data), draft)
        flash(_("Practitioners may ask for it from now on."), "success")
        return redirect(url_for(".preview", offer_id=made.id), 303)
    return _page(form, None)


@offer_pages.route("/<uuid:offer_id>", methods=["GET", "POST"])
@once
def edit(offer_id: UUID) -> Answer:
    """Other rules, for what is sent from now on."""
    offer = _one(offer_id)
    form = _form(offer)
    _prepared(form, offer)
    if _is_sent(form) and form.validate() and (draft := form.draft(offer.position)):
        actions.change_offer(offer, draft)
        flash(_("The rules are kept, for what is sent from now on."), "success")
        return redirect(url_for(".preview", offer_id=offer_id), 303)
    return _page(form, offer)


@offer_pages.get("/<uuid:offer_id>/apercu")
def preview(offer_id: UUID) -> str:
    """As practitioners read it."""
    offer = _one(offer_id)
    asked = next((each for each in questionnaires.to_send(_here()) if each.code == offer.questionnaire), None)
    return render_template(
        "admin/referrals/offer_preview.html",
        offer=offer,
        asked=asked,
        speciality=specialities.words_of(offer.speciality),
        words=wording,
    )


@offer_pages.post("/<uuid:offer_id>/ouverture")
def open_or_close(offer_id: UUID) -> Response:
    """Take nothing more, or take again; what came before is still answered."""
    offer = _one(offer_id)
    actions.open_or_close(offer, is_open=not offer.is_open)
    flash(_("Open again.") if offer.is_open else _("Closed: what came before is still answered."), "success")
    return redirect(url_for(".offers"), 303)


# -- the form ------------------------------------------------------------------------------------------------------


def _form(offer: ReferralOffer | None) -> OfferForm:
    """As posted, one line more or less; as it was before the session expired; or as the rules are."""
    if request.method == "POST":
        rows, _sep, rank = request.form.get("remove", "").partition(":")
        if rows in ("levels", "files") and rank.isdecimal():
            return OfferForm(formdata=without(request.form, rows, int(rank)))
        return OfferForm()
    if held := held_forms.take():
        return OfferForm(formdata=held)
    if offer is not None:
        return OfferForm(data=data_of(offer))
    return OfferForm(data={"levels": shown_levels(definition.USUAL_LEVELS), "age_from": 0, "age_to": 130})


def _prepared(form: OfferForm, offer: ReferralOffer | None = None) -> Sequence[Unit]:
    units = [offer.unit] if offer else questionnaires.units_at(_here())
    form.offer(units, questionnaires.to_send(_here()))
    if offer is not None:
        form.unit_id.data = str(offer.unit_id)
    return units


def _is_sent(form: OfferForm) -> bool:
    """Whether it is to be kept: the other buttons add or take off a line, and keep all that was typed."""
    return bool(form.is_submitted()) and not ({"more", "remove"} & set(request.form))


def _page(form: OfferForm, offer: ReferralOffer | None) -> Answer:
    form.grow()
    if request.method == "POST" and not _is_sent(form):
        # Nothing was done yet: what is sent from this page is another post.
        form.once.data = str(uuid4())
    page = render_template("admin/referrals/offer.html", form=form, offer=offer)
    return page, 422 if _is_sent(form) else 200
