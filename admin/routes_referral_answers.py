"""What a unit answers to a request: more is asked, an opinion, a refusal, another unit; and who has it in charge."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin import actions_referrals
from admin.forms_referrals import AskForm, OpinionForm, RecogniseForm, RedirectForm, RefuseForm
from admin.routes_referrals import Answer, facts, one, pages
from auth import held_forms
from auth.enrolment import queries as identities
from auth.enrolment.actions import AlreadyLinked, NumberHeld, UnknownNumber
from auth.identity import wording as identity_words
from portal import db
from portal.web.fields import choices
from portal.web.forms import Form
from portal.web.repeated_posts import once
from services.documents.forms import identifier
from services.documents.inbox import queries as inbox
from services.referrals import queries
from services.referrals.actions import answering
from services.referrals.actions.answering import TOLD_BY, AdviceMissing, SameOffer
from services.referrals.models import ReferralOffer, ReferralTarget
from services.referrals.states import NotPossibleNow

_TOLD_BY_HAND = tuple(each for each in TOLD_BY if each != "account")


def form_page(target: ReferralTarget, form: Form, template: str, status: int = 0, **more: Any) -> Answer:
    """A page where one answers, with the request beside it."""
    page = render_template(f"admin/referrals/{template}.html", form=form, **facts(target), **more)
    return page, status or (422 if form.errors else 200)


def restored(kind: type[Form]) -> Any:
    """What was typed before the session expired, or a new form."""
    held = held_forms.take() if request.method == "GET" else None
    return kind(formdata=held) if held else kind()


def answered(target_id: UUID, said: str) -> Response:
    """Back to the request, where the next one is a key away."""
    flash(said, "success")
    return redirect(url_for("admin_referrals.show", target_id=target_id), 303)


def too_late(target: ReferralTarget) -> Answer:
    """Somebody was quicker, or the request is over: it is shown as it is, and nothing was done."""
    return render_template("admin/referrals/too_late.html", **facts(target)), 409


# -- answers in words ----------------------------------------------------------------------------------------------


@pages.route("/<uuid:target_id>/demander", methods=["GET", "POST"])
@once
def ask(target_id: UUID) -> Answer:
    """Ask the practitioner for more: the clock stops until they answer."""
    target, form = one(target_id), restored(AskForm)
    if form.validate_on_submit():
        joined = form.take_upload(needed=False)
        if not form.errors:
            return _try(
                target,
                lambda: answering.ask(target, form.text.data, file_ids=_ids(joined)),
                _("Your question is sent."),
            )
    return form_page(target, form, "ask")


@pages.route("/<uuid:target_id>/avis", methods=["GET", "POST"])
@once
def give_opinion(target_id: UUID) -> Answer:
    """Say what the unit thinks: the request is over."""
    target, form = one(target_id), restored(OpinionForm)
    if form.validate_on_submit():
        joined, words = form.take_upload(needed=False), form.text.data or ""
        if not (joined or words.strip() or form.errors):
            form.text.errors = [_("Write your opinion, or join a letter.")]
        if not form.errors:
            give = lambda: answering.give_opinion(target, words, file_ids=_ids(joined))  # noqa: E731 - what is tried
            return _try(target, give, _("Your opinion is sent."))
    return form_page(target, form, "opinion")


def _ids(joined: Any) -> list[UUID]:
    return [joined.id] if joined else []


@pages.route("/<uuid:target_id>/refuser", methods=["GET", "POST"])
@once
def refuse(target_id: UUID) -> Answer:
    """Say why not, and what to do instead."""
    target, form = one(target_id), restored(RefuseForm)
    texts = inbox.texts_for(target.establishment_id, target.unit_id)
    if request.method == "POST" and "inserting" in request.form:
        chosen = identifier(request.form.get("insert"))
        found = next((each.text for each in texts if each.id == chosen), "")
        form.advice.data = "\n".join(filter(None, ((form.advice.data or "").strip(), found)))
        return form_page(target, form, "refuse", texts=texts)
    if form.validate_on_submit():
        try:
            return _try(
                target, lambda: answering.refuse(target, form.why.data, form.advice.data), _("Your refusal is sent.")
            )
        except AdviceMissing:
            form.advice.errors = [_("Write what the practitioner may do instead.")]
    return form_page(target, form, "refuse", texts=texts)


@pages.route("/<uuid:target_id>/autre-unite", methods=["GET", "POST"])
@once
def name_another(target_id: UUID) -> Answer:
    """Name another unit of the group; the practitioner decides."""
    target, form = one(target_id), restored(RedirectForm)
    offers = [each for each in queries.open_offers(target.referral.kind) if each.id != target.offer_id]
    form.offer_id.choices = choices((str(each.id), _named(each)) for each in offers)
    if form.validate_on_submit():
        chosen = next((each for each in offers if str(each.id) == form.offer_id.data), None)
        if chosen is None:
            form.offer_id.errors = [_("Choose a unit.")]
            return form_page(target, form, "redirect", offers=offers)
        try:
            return _try(target, lambda: answering.redirect(target, chosen, form.text.data), _("The unit is named."))
        except SameOffer:
            form.offer_id.errors = [_("This unit does not take requests any more.")]
    return form_page(target, form, "redirect", offers=offers)


def _named(offer: ReferralOffer) -> str:
    return f"{offer.establishment.short_name or offer.establishment.name} – {offer.unit.name} – {offer.name}"


def _try(target: ReferralTarget, act: Callable[[], None], said: str) -> Answer:
    target_id = target.id
    try:
        act()
    except NotPossibleNow:
        return too_late(target)
    return answered(target_id, said)


# -- the life of a request -----------------------------------------------------------------------------------------


@pages.post("/<uuid:target_id>/rouvrir")
def reopen(target_id: UUID) -> Answer:
    """A refusal is taken back, or what was agreed no longer holds."""
    target = one(target_id)
    return _try(target, lambda: answering.reopen(target), _("The request is open again: your unit owes an answer."))


@pages.post("/<uuid:target_id>/terminer")
def complete(target_id: UUID) -> Answer:
    """The patient was seen, or the stay has begun."""
    target = one(target_id)
    return _try(target, lambda: answering.complete(target), _("Written down: it is done."))


@pages.post("/<uuid:target_id>/patient-prevenu")
def patient_told(target_id: UUID) -> Answer:
    """Somebody told the patient of the answer."""
    target, by = one(target_id), request.form.get("by", "")
    if by not in _TOLD_BY_HAND:
        abort(400)
    return _try(target, lambda: answering.patient_told(target, by), _("Written down: the patient knows."))


# -- who has it in charge ------------------------------------------------------------------------------------------


@pages.post("/<uuid:target_id>/prendre")
def take(target_id: UUID) -> Answer:
    """It is mine; or nobody's any more."""
    target, me = one(target_id), db.current_actor()
    is_mine = target.assigned_id == me.account_id
    answering.assign(target, None if is_mine else me.account_id, "" if is_mine else me.name)
    return answered(target_id, _("Nobody has it in charge any more.") if is_mine else _("You have it in charge."))


@pages.route("/<uuid:target_id>/confier", methods=["GET", "POST"])
def give(target_id: UUID) -> Answer:
    """Give it to a colleague who answers at the same hospital."""
    colleagues = queries.colleagues(one(target_id).establishment_id)
    target = one(target_id)
    if request.method == "POST":
        chosen = identifier(request.form.get("agent")) or abort(400)
        answering.assign(target, chosen, colleagues.get(chosen) or abort(400))
        return answered(target_id, _("%(name)s has it in charge.", name=target.assigned_name))
    return render_template("admin/referrals/give.html", colleagues=colleagues, **facts(target))


# -- who it is about -----------------------------------------------------------------------------------------------


@pages.route("/<uuid:target_id>/identite", methods=["GET", "POST"])
def recognise(target_id: UUID) -> Answer:
    """Known people who resemble whom the practitioner describes. Only who holds identities says that they are one."""
    target, form = one(target_id), restored(RecogniseForm)
    decides = db.current_actor().may("identity", target.establishment_id)
    if request.method == "POST" and not decides:
        abort(403)
    if form.validate_on_submit() and _recognise(target, form):
        return answered(target_id, _("Written down: they are one person, and the request is about them."))
    person = target.patient or abort(404)
    found = identities.candidates(target.establishment_id, person) if decides else []
    return form_page(
        target, form, "recognise", candidates=found, decides=decides, person=person, identity_words=identity_words
    )


def _recognise(target: ReferralTarget, form: RecogniseForm) -> bool:
    try:
        actions_referrals.recognise(target, (form.ipp.data or "").strip())
    except UnknownNumber:
        form.ipp.errors = [_("The hospital gave this number to nobody here.")]
    except AlreadyLinked:
        form.ipp.errors = [_("This person already has a number at this hospital.")]
    except NumberHeld:
        form.ipp.errors = [_("Another account holds this number: settle it on the identity screens first.")]
    else:
        return True
    return False
