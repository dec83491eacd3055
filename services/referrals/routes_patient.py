"""The patient's pages: which doctor asked which unit for what, where it stands, and how to object."""

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response
from wtforms import RadioField
from wtforms.validators import Optional

from auth import guards
from portal.web import branding
from portal.web.fields import choices
from portal.web.forms import OnceForm
from services.referrals import objecting, patient_words, queries, states
from services.referrals.actions import answering
from services.referrals.models import ReferralTarget
from services.referrals.states import NotPossibleNow

pages = guards.patients(
    Blueprint("my_referrals", __name__, url_prefix="/orientations", template_folder="templates"), "documents"
)
Answer = str | Response | tuple[str, int]


class ObjectionForm(OnceForm):
    """Why, if they want to say so."""

    reason = RadioField(
        _l("Why? You need not say"),
        [Optional()],
        choices=choices([*patient_words.WHY.items(), ("", _l("I would rather not say"))]),
        default="",
    )


@pages.get("")
def mine() -> str:
    """Requests about me, latest first."""
    targets = queries.of_patient(guards.patient_id())
    return render_template("referrals/patient/list.html", targets=targets, words=patient_words)


@pages.get("/<uuid:target_id>")
def show(target_id: UUID) -> str:
    """One request at one unit. Reading the answer here is being told of it."""
    target = _one(target_id)
    if target.told_at is None and target.state in states.ANSWERED:
        answering.patient_told(target, "account")
    return render_template(
        "referrals/patient/show.html", target=target, words=patient_words, may_object=objecting.is_possible(target)
    )


@pages.route("/<uuid:target_id>/opposition", methods=["GET", "POST"])
def refuse(target_id: UUID) -> Answer:
    """I do not want it."""
    target = _one(target_id)
    if not objecting.is_possible(target):
        return redirect(url_for(".show", target_id=target.id), 303)
    form = ObjectionForm()
    if form.validate_on_submit():
        _stop(target, form.reason.data or "")
        return redirect(url_for(".show", target_id=target.id), 303)
    page = render_template("referrals/patient/object.html", target=target, form=form, words=patient_words)
    return (page, 422) if form.errors else page


def _stop(target: ReferralTarget, reason: str) -> None:
    try:
        objecting.object_(target, reason)
    except NotPossibleNow:
        flash(_("This request is over already."), "info")
    else:
        flash(_("The unit stops, and your practitioner is told."), "success")


@pages.post("/<uuid:target_id>/reprendre")
def agree(target_id: UUID) -> Response:
    """I agree after all."""
    target = _one(target_id)
    try:
        objecting.take_back(target)
    except NotPossibleNow:
        flash(_("This can no longer be taken back: ask your practitioner for a new request."), "warning")
    else:
        flash(_("The unit takes the request up again."), "success")
    return redirect(url_for(".show", target_id=target.id), 303)


def _one(target_id: UUID) -> ReferralTarget:
    return branding.of(queries.one_of_patient(guards.patient_id(), target_id) or abort(404))
