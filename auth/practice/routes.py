"""Practitioners' pages about their work: the site of the day, and who may act in whose stead."""

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask import session as cookie
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards, held_forms, sessions, tries
from auth.addresses import inside
from auth.models import Delegation
from auth.practice import actions, queries, wording
from auth.practice.actions import CodeRefused, EndsInThePast, MayNotDelegate, NotDelegated, UnknownSite
from auth.practice.forms import DelegationForm, SiteForm
from portal import db
from portal.web.repeated_posts import once

site_pages = guards.professionals(
    Blueprint("practice", __name__, url_prefix="/pro/lieu", template_folder="templates"), at_work=False
)
delegation_pages = guards.professionals(
    Blueprint("delegations", __name__, url_prefix="/pro/delegations", template_folder="templates"), at_work=False
)
Answer = Response | tuple[str, int]
_CODE = "delegation_code"
"""In the signed cookie of the browser that made it, so that its page can show it until it is used."""


# -- where one works today -----------------------------------------------------------------------------------------


@site_pages.route("", methods=["GET", "POST"])
def sites() -> Answer:
    """The sites of Pro Santé Connect, and the one of this session."""
    current, mine = _session(), queries.sites_of(_account_id())
    form = SiteForm()
    form.offer(mine)
    wanted = inside(request.args.get("next", ""))
    if form.validate_on_submit():
        try:
            actions.choose_site(current.session_id, form.site.data)
        except UnknownSite:
            form.site.errors = [_("Choose where you work today.")]
        else:
            return redirect(wanted or url_for("documents.professional_home"), 303)
    page = render_template(
        "practice/sites.html", form=form, sites=mine, current=current, me=queries.me(), words=wording, next=wanted
    )
    return page, 422 if form.errors else 200


# -- who may act in whose stead ------------------------------------------------------------------------------------


@delegation_pages.get("")
def overview() -> str:
    """Delegations given and received, and the code to receive one."""
    me = queries.me()
    code = queries.code_until(me.id)
    kept = cookie.get(_CODE, "")
    return render_template(
        "practice/delegations.html",
        me=me,
        may_delegate=actions.may_delegate(me) and db.current_actor().on_behalf_of is None,
        given=queries.given_by(me.id),
        received=queries.received_by(me.id),
        past=queries.past_of(me.id),
        code=kept if code and actions.digest(kept) == code.digest else "",
        code_until=code,
    )


@delegation_pages.post("/code")
def make_code() -> Response:
    """A new code to read out."""
    cookie[_CODE] = actions.make_code()
    return redirect(url_for(".overview"), 303)


@delegation_pages.route("/nouvelle", methods=["GET", "POST"])
@once
def give() -> Answer:
    """Let the person who reads out a code act in my stead."""
    me = queries.me()
    if not actions.may_delegate(me) or db.current_actor().on_behalf_of is not None:
        abort(403)
    held = held_forms.take()
    form = DelegationForm(formdata=held) if held else DelegationForm()
    if form.validate_on_submit() and (given := _given(form)):
        flash(_("%(name)s may now act in your stead.", name=given.delegate_name), "success")
        return redirect(url_for(".overview"), 303)
    page = render_template("practice/give.html", form=form)
    return page, 422 if form.errors else 200


def _given(form: DelegationForm) -> Delegation | None:
    counter = tries.of_account(_account_id(), "delegation code", limit=10)
    try:
        tries.spend(counter)
        given = actions.allow(form.code.data or "", form.ends_on.data)
    except tries.TooManyTries:
        form.code.errors = [_("Too many wrong codes: wait ten minutes, then try again.")]
    except CodeRefused:
        form.code.errors = [_("This code does not work: ask for a new one, and check each sign.")]
    except EndsInThePast:
        form.ends_on.errors = [_("This day is over: choose another one, or leave the date empty.")]
    except MayNotDelegate:
        abort(403)
    else:
        return given
    return None


@delegation_pages.post("/<uuid:delegation_id>/retirer")
def withdraw(delegation_id: UUID) -> Response:
    """Take a delegation back, at once."""
    delegation = _one(delegation_id)
    try:
        actions.withdraw(delegation)
    except NotDelegated:
        abort(404)
    flash(_("%(name)s may no longer act in your stead, from now on.", name=delegation.delegate_name), "success")
    return redirect(url_for(".overview"), 303)


@delegation_pages.post("/<uuid:delegation_id>/rendre")
def give_back(delegation_id: UUID) -> Response:
    """No longer act for this practitioner."""
    delegation = _one(delegation_id)
    try:
        actions.give_back(delegation)
    except NotDelegated:
        abort(404)
    flash(_("You no longer act for %(name)s.", name=delegation.professional_name), "success")
    return redirect(url_for(".overview"), 303)


@delegation_pages.post("/<uuid:delegation_id>/agir")
def act_for(delegation_id: UUID) -> Response:
    """Act in this practitioner's stead."""
    try:
        actions.act_for(_session().session_id, _one(delegation_id))
    except NotDelegated:
        abort(404)
    return redirect(url_for("documents.professional_home"), 303)


@delegation_pages.post("/en-mon-nom")
def act_for_myself() -> Response:
    """Act in my own name again."""
    actions.act_for_oneself(_session().session_id)
    return redirect(url_for("documents.professional_home"), 303)


@delegation_pages.post("/<uuid:delegation_id>/vu")
def acknowledge(delegation_id: UUID) -> Response:
    """I have read that this delegation changed."""
    actions.acknowledge(_one(delegation_id))
    return redirect(url_for("documents.professional_home"), 303)


def _one(delegation_id: UUID) -> Delegation:
    return queries.concerned(queries.me().id, delegation_id) or abort(404)


def _session() -> sessions.SignedIn:
    return sessions.signed_in() or abort(403)


def _account_id() -> UUID:
    return _session().account_id
