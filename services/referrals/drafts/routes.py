"""Preparing a request, step by step: each one is kept, and may be come back to."""

from typing import Any
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards, held_forms
from auth.models import Professional
from portal.db import session
from portal.files import FileNotReadable
from portal.web.limits import limiter
from portal.web.repeated_posts import once
from services.offer import specialities
from services.referrals import queries as referrals
from services.referrals import wording
from services.referrals.actions.sending import ByPhoneOnly, FileMissing, NobodyAsked, OfferClosed
from services.referrals.drafts import actions, checking, choosing, queries
from services.referrals.drafts.choosing import DELAYS, Sieve
from services.referrals.drafts.content import GESTURES, MOST_UNITS, Content, TooMany
from services.referrals.drafts.forms import PatientForm, SendForm, WishForm
from services.referrals.drafts.models import ReferralDraft
from services.referrals.models import ReferralOffer
from services.sent_patients import sources

pages = guards.professionals(
    Blueprint("referral_drafts", __name__, url_prefix="/pro/orientations", template_folder="../templates")
)
_NARROWED = ("specialite", "etablissement", "ville", "delai", "fauteuil")
Answer = str | Response | tuple[str, int]


def drawn(template: str, **told: Any) -> str:
    return render_template(f"referrals/pro/{template}.html", words=wording, **told)


def mine(draft_id: UUID, *, to_change: bool = False) -> ReferralDraft:
    return queries.draft_of(guards.professional_id(), draft_id, to_change=to_change) or abort(404)


@pages.get("/telephoner")
def call() -> str:
    """What cannot wait is never written: every number, by speciality."""
    offers = referrals.open_offers()
    numbers = choosing.numbers(offers)
    found: dict[tuple[str, str, str], list[ReferralOffer]] = {}
    for each in offers:
        found.setdefault((specialities.words_of(each.speciality), each.unit.name, numbers[each.id]), []).append(each)
    rows = sorted(found.items(), key=lambda each: each[0])
    return drawn("call", rows=[(*key, same) for key, same in rows if key[2]])


# -- 1. the patient ------------------------------------------------------------------------------------------------


@pages.route("/nouvelle", methods=["GET", "POST"])
@limiter.limit("120 per hour", methods=["POST"])
def begin() -> Answer:
    """Who it is about: somebody named before, or traits that are typed; those look for nobody."""
    form = PatientForm(formdata=held) if (held := held_forms.take()) else PatientForm()
    known = sources.known_to(guards.professional_id())
    if form.is_submitted():
        if form.validate():
            done: Response = _begin(form=form)
            return done
    elif held is None and (chosen := next((each for each in known if each.key == request.args.get("de")), None)):
        form.show(
            Content(chosen.birth_name, chosen.first_name, chosen.birth_on, chosen.sex, chosen.mobile, chosen.email)
        )
    page = drawn("patient", form=form, known=known, draft=None)
    return (page, 422) if form.errors else page


@once
def _begin(form: PatientForm) -> Response:
    draft = actions.begin(guards.professional_id(), form.fill(Content()))
    return redirect(url_for(".wish", draft_id=draft.id), 303)


@pages.route("/brouillons/<uuid:draft_id>/patient", methods=["GET", "POST"])
def patient(draft_id: UUID) -> Answer:
    """Correct what was typed of the patient."""
    draft = mine(draft_id)
    form = PatientForm(formdata=held) if (held := held_forms.take()) else PatientForm()
    if form.is_submitted():
        if form.validate():
            draft = mine(draft_id, to_change=True)
            actions.keep(draft, form.fill(draft.content))
            return redirect(url_for(".wish", draft_id=draft.id), 303)
    elif held is None:
        form.show(draft.content)
    page = drawn("patient", form=form, known=(), draft=draft)
    return (page, 422) if form.errors else page


# -- 2. what is wanted ---------------------------------------------------------------------------------------------


@pages.route("/brouillons/<uuid:draft_id>/demande", methods=["GET", "POST"])
def wish(draft_id: UUID) -> Answer:
    """What the practitioner needs, and why. Another kind of request is taken by other units."""
    draft = mine(draft_id)
    form = WishForm(formdata=held) if (held := held_forms.take()) else WishForm()
    if form.is_submitted():
        if form.validate():
            draft = mine(draft_id, to_change=True)
            actions.want(draft, form.kind.data, form.question.data or "")
            return redirect(url_for(".units", draft_id=draft.id), 303)
    elif held is None:
        form.kind.process_data(draft.content.kind or None)
        form.question.process_data(draft.content.question)
    page = drawn("wish", form=form, draft=draft)
    return (page, 422) if form.errors else page


# -- 3. units, by preference ---------------------------------------------------------------------------------------


@pages.get("/brouillons/<uuid:draft_id>/services")
def units(draft_id: UUID) -> Answer:
    """Units that take it, and the practitioner's list."""
    draft = mine(draft_id)
    told = draft.content
    if not told.kind or told.birth_on is None:
        return redirect(url_for(".wish", draft_id=draft.id), 303)
    sieve = _sieve()
    listed = choosing.listed(told.kind, told.birth_on, sieve)
    chosen = queries.offers(told.offers)
    return drawn(
        "units",
        draft=draft,
        listed=listed,
        sieve=sieve,
        chosen=chosen,
        numbers=choosing.numbers([*listed.suiting, *chosen]),
        delays=DELAYS,
        most=MOST_UNITS,
        again=_again(),
        speciality=specialities.words_of,
    )


def _sieve() -> Sieve:
    asked = request.args
    days = asked.get("delai", "")
    return Sieve(
        asked.get("specialite", "")[:10],
        asked.get("etablissement", "")[:9],
        asked.get("ville", "")[:100],
        int(days) if days in map(str, DELAYS) else 0,
        asked.get("fauteuil") == "oui",
    )


@pages.post("/brouillons/<uuid:draft_id>/services")
def arrange(draft_id: UUID) -> Response:
    """One gesture on the list: add a unit, take it off, ask it sooner or later."""
    draft = mine(draft_id, to_change=True)
    gesture, offer = request.form.get("gesture", ""), referrals.offer(_uuid(request.form.get("offer")))
    if gesture not in GESTURES or (offer is None and gesture == "add"):
        abort(404)
    try:
        actions.arrange(draft, gesture, _uuid(request.form.get("offer")))
    except TooMany:
        flash(_("Five units at most: take one off your list first."), "warning")
    if request.form.get("to") == "check":
        return redirect(url_for(".check", draft_id=draft.id), 303)
    return redirect(url_for(".units", draft_id=draft.id, _anchor="list", **_again()), 303)


def _again() -> dict[str, Any]:
    """What narrows the list, to come back to the same one."""
    return {name: request.args[name][:100] for name in _NARROWED if request.args.get(name)}


def _uuid(text: str | None) -> UUID:
    try:
        return UUID(text or "")
    except ValueError:
        abort(404)


# -- 5. check and send ---------------------------------------------------------------------------------------------


@pages.get("/brouillons/<uuid:draft_id>/verifier")
def check(draft_id: UUID) -> Answer:
    """Everything once more, and what still keeps it from leaving."""
    draft = mine(draft_id)
    if (left := checking.first_step_left(draft.content)) is not None:
        return redirect(url_for(f".{left}", draft_id=draft.id), 303)
    return _checked(draft)


def _checked(draft: ReferralDraft) -> str:
    told = draft.content
    looked = checking.look(told)
    return drawn(
        "check", draft=draft, told=told, looked=looked, form=SendForm(), numbers=choosing.numbers(looked.offers)
    )


@pages.post("/brouillons/<uuid:draft_id>/envoyer")
@limiter.limit("60 per hour")
@once
def send(draft_id: UUID) -> Answer:
    """The request leaves for the first unit; the others are kept for the case where it cannot."""
    draft = mine(draft_id, to_change=True)
    if (left := checking.first_step_left(draft.content)) is not None:
        return redirect(url_for(f".{left}", draft_id=draft.id), 303)
    try:
        sent = actions.send(draft, session.get_one(Professional, guards.professional_id()))
    except (OfferClosed, ByPhoneOnly, FileMissing, FileNotReadable, NobodyAsked, KeyError):
        return _checked(mine(draft_id)), 409
    flash(_("Your request is sent: the unit has it."), "success")
    return redirect(url_for("referrals.show", referral_id=sent.id), 303)


@pages.post("/brouillons/<uuid:draft_id>/effacer")
def discard(draft_id: UUID) -> Response:
    """Throw the draft away, with its files."""
    actions.discard(mine(draft_id, to_change=True))
    flash(_("What you had prepared is erased."), "success")
    return redirect(url_for("referrals.mine"), 303)
