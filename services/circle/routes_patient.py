"""The patient's pages: who is around me, what each may see, who looked, who asks."""

import io
from typing import Any
from uuid import UUID

import segno
from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask import session as cookie
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.wrappers import Response

from auth import guards, held_forms
from auth.practice import national
from auth.practice.national import Answer as Found
from portal import notifications
from portal.web.limits import limiter
from portal.web.repeated_posts import once
from services.circle import actions, queries, states, units, wording
from services.circle.actions import AlreadyThere, NothingShared, Sharing, Somebody
from services.circle.actions.codes import digest
from services.circle.forms import BY_HAND, AddForm, AnswerForm, CodeForm, LookForm, SharingForm, in_a_year, last_day
from services.circle.models import CircleMember
from services.circle.states import NotPossible

pages = guards.patients(
    Blueprint("circle", __name__, url_prefix="/mon-compte/cercle-de-soins", template_folder="templates"), "documents"
)
Answer = str | Response | tuple[str, int]
_CODE = "circle_code"
"""In the signed cookie of the browser that made it, so that its page can show it until it is used."""


@pages.get("")
def overview() -> str:
    """My treating doctor, my team, those I allowed, the units that have me in care, who looked."""
    patient_id = guards.patient_id()
    circle = queries.circle(patient_id)
    return render_template(
        "circle/overview.html",
        circle=circle,
        lookers=queries.lookers(patient_id),
        by_account={str(each.account_id): each for each in circle.members if each.account_id},
        units=units.of(patient_id),
        last_day=last_day,
        words=wording,
    )


# -- adding somebody -----------------------------------------------------------------------------------------------


@pages.get("/ajouter")
def look() -> str:
    """Look for somebody. `traitant` in the address: for the treating doctor."""
    form = LookForm(formdata=None)
    return render_template("circle/add.html", form=form, adding=None, found=None, treating=_treating(), words=wording)


@pages.post("/ajouter/chercher")
@limiter.limit("60 per hour")
def found() -> Answer:
    """Those of the national directory whose name begins so."""
    form = LookForm()
    if not form.validate():
        return _adding(form, None, None), 422
    answer = national.search(form.name.data or "", form.place.data or "")
    adding = AddForm(formdata=None)
    adding.name.data, adding.place.data = form.name.data, form.place.data
    adding.standing.data = states.TEAM if _treating() else None
    adding.role.data = states.TREATING if _treating() else ""
    return _adding(form, adding, answer)


@pages.post("/ajouter")
@once
def add() -> Answer:
    """Put somebody around me."""
    form = AddForm()
    answer = national.search(form.name.data or "", form.place.data or "")
    form.offer(answer.people)
    if not form.validate() or (who := _who(form, answer)) is None:
        look_form = LookForm(formdata=None, name=form.name.data, place=form.place.data)
        return _adding(look_form, form, answer), 422
    try:
        member = actions.add(guards.patient_id(), who, form.role.data, form.standing.data)
    except AlreadyThere as there:
        flash(_("%(name)s is already here.", name=there.member.name), "info")
        return redirect(url_for(".member", member_id=there.member.id), 303)
    flash(_("%(name)s is in your circle.", name=member.name), "success")
    outside = member.standing == states.OUTSIDE and member.identity
    return redirect(url_for(".sharing" if outside else ".member", member_id=member.id), 303)


def _who(form: AddForm, answer: Found) -> Somebody | None:
    """The chosen one: read again in the directory, never taken from the form."""
    if form.identity.data == BY_HAND:
        return Somebody("", (form.named.data or "").strip())
    known = next((each for each in answer.people if each.identity == form.identity.data), None)
    if known is None:
        form.identity.errors = [_("Choose the professional.")]
        return None
    return Somebody(known.identity, known.name, known.occupation, next(iter(known.places), ""))


def _adding(form: LookForm, adding: AddForm | None, answer: Found | None) -> str:
    if adding is not None and answer is not None:
        adding.offer(answer.people)
    return render_template(
        "circle/add.html", form=form, adding=adding, found=answer, treating=_treating(), words=wording, by_hand=BY_HAND
    )


def _treating() -> bool:
    return bool(request.args.get("traitant"))


@pages.post("/sans-medecin-traitant")
def none() -> Response:
    """I have no treating doctor."""
    actions.say_none(guards.patient_id())
    flash(_("It is written that you have no treating doctor."), "success")
    return redirect(url_for(".overview"), 303)


# -- one of them ---------------------------------------------------------------------------------------------------


@pages.get("/<uuid:member_id>")
def member(member_id: UUID) -> str:
    """Since when, why, what they may see, until when, what they looked at, and how to end it."""
    one = _mine(member_id)
    return render_template(
        "circle/member.html",
        member=one,
        changes=queries.changes_of(one),
        looks=queries.looks_of(one),
        last_day=last_day,
        words=wording,
    )


@pages.route("/<uuid:member_id>/partage", methods=["GET", "POST"])
def sharing(member_id: UUID) -> Answer:
    """What they may see."""
    one = _mine(member_id)
    if one.state != states.ACTIVE or not one.identity:
        return redirect(url_for(".member", member_id=one.id), 303)
    form = _sharing_form(one)
    if form.validate_on_submit():
        actions.share(one, form.sharing)
        flash(_("Your choice is written down, and holds from now on."), "success")
        return redirect(url_for(".member", member_id=one.id), 303)
    page = render_template("circle/sharing.html", member=one, form=form, words=wording)
    return (page, 422) if form.errors else page


def _sharing_form(one: CircleMember) -> SharingForm:
    is_agreement = one.standing == states.OUTSIDE
    until = last_day(one.until_at) or (in_a_year() if is_agreement else None)
    kept: dict[str, Any] = {"scopes": list(one.scopes), "until_on": until}
    held = held_forms.take()
    form = SharingForm(formdata=held) if held else SharingForm(data=kept)
    form.is_agreement = is_agreement
    return form


@pages.route("/<uuid:member_id>/reponse", methods=["GET", "POST"])
def answer(member_id: UUID) -> Answer:
    """Somebody asks to be in my circle."""
    one = _mine(member_id)
    if one.state != states.ASKED:
        return redirect(url_for(".member", member_id=one.id), 303)
    held = held_forms.take()
    form = AnswerForm(formdata=held) if held else AnswerForm(data={"until_on": in_a_year()})
    if form.validate_on_submit():
        try:
            actions.accept(one, form.standing.data, form.sharing)
        except NotPossible:
            return redirect(url_for(".member", member_id=one.id), 303)
        flash(_("%(name)s is in your circle.", name=one.name), "success")
        return redirect(url_for(".member", member_id=one.id), 303)
    page = render_template("circle/answer.html", member=one, form=form, words=wording)
    return (page, 422) if form.errors else page


@pages.post("/<uuid:member_id>/<any(refuser, objecter, lever, terminer):gesture>")
def change(member_id: UUID, gesture: str) -> Response:
    """Refuse who asks; object to sharing, or no longer; end somebody's place: one gesture each."""
    one = _mine(member_id)
    act, said = _GESTURES[gesture]
    try:
        act(one)
    except NotPossible:
        flash(_("This was already done, or can no longer be."), "info")
    else:
        flash(said(one.name), "success")
    return redirect(url_for(".overview" if gesture == "refuser" else ".member", member_id=one.id), 303)


_GESTURES: dict[str, tuple[Any, Any]] = {
    "refuser": (actions.refuse, lambda name: _("%(name)s sees nothing, and is not told that you refused.", name=name)),
    "objecter": (actions.object_to, lambda name: _("%(name)s sees nothing any more, from now on.", name=name)),
    "lever": (actions.lift, lambda name: _("%(name)s sees again what you left to them.", name=name)),
    "terminer": (actions.end, lambda name: _("%(name)s has left your circle and sees nothing any more.", name=name)),
}


def _mine(member_id: UUID) -> CircleMember:
    return queries.member_of(guards.patient_id(), member_id) or abort(404)


# -- the code that one shows ---------------------------------------------------------------------------------------


@pages.route("/code", methods=["GET", "POST"])
@limiter.limit("30 per hour", methods=["POST"])
def code() -> Answer:
    """A code to show in the consultation: what its reader will be, and see."""
    waiting, kept = queries.code_of(guards.patient_id()), str(cookie.get(_CODE, ""))
    shown = kept if waiting is not None and kept and digest(kept) == waiting.digest else ""
    held = held_forms.take()
    form = CodeForm(formdata=held) if held else CodeForm(data={"until_on": in_a_year()})
    if form.validate_on_submit():
        cookie[_CODE] = _made(form)
        return redirect(url_for(".code"), 303)
    page = render_template(
        "circle/code.html", form=form, code=shown, waiting=waiting, drawn=_drawn(shown) if shown else "", words=wording
    )
    return (page, 422) if form.errors else page


def _made(form: CodeForm) -> str:
    is_team = form.standing.data == states.TEAM or form.role.data == states.TREATING
    sharing = Sharing(form.sharing.scopes, None) if is_team else form.sharing
    try:
        return actions.make_code(guards.patient_id(), form.role.data, form.standing.data, sharing)
    except NothingShared:
        abort(400)


def _drawn(shown: str) -> Markup:
    """The code as a square to photograph. After `#`: no server, no log and no history of servers holds it."""
    made = io.BytesIO()
    address = notifications.address(f"{url_for('circle_patients.join')}#{shown}")
    segno.make(address, error="m").save(
        made, kind="svg", scale=5, border=4, xmldecl=False, svgclass=None, lineclass=None
    )
    return Markup(made.getvalue().decode())  # noqa: S704 - drawn here, from a code of ours
