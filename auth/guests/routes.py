"""A guest's pages: the link (looking at it does nothing), the birth date, the code, then one object and no other.

Nobody is signed in here. Each post acts in a transaction of its own, as the system, so that a mistake is counted
even though its page is refused.
"""

from flask import Blueprint, current_app, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards, tries
from auth.guests import actions, objects, queries
from auth.guests.actions import CodeWrong, LinkDead
from auth.guests.forms import BirthForm, CodeForm
from auth.guests.models import GuestInvitation
from portal import db
from portal.establishments import establishments
from portal.web.limits import limiter

guest_pages = guards.public(Blueprint("guests", __name__, url_prefix="/invitation", template_folder="templates"))
Answer = Response | tuple[str, int]
_COOKIE = "parvis_guest"
_PER_RANGE = 60
"""Mistakes of one address range in ten minutes: a hospital's hall shares one address."""


@guest_pages.route("/<string:token>", methods=["GET", "POST"])
@limiter.limit("30 per minute")
def birth(token: str) -> Answer:
    """Whose birth date? A GET shows the hospital's name and acts on nothing: mail scanners open links."""
    invitation = _invitation(token)
    if invitation is None:
        return _dead()
    form = BirthForm()
    if form.validate_on_submit():
        assert form.birth_on.data is not None, "the form is valid"
        try:
            _spend()
            with db.transaction(db.system("guests.ask_code")):
                actions.ask_code(token, form.birth_on.data)
        except tries.TooManyTries:
            form.birth_on.errors = [_("Too many tries from here: wait ten minutes.")]
        except LinkDead:
            return _dead()
        else:
            return redirect(url_for(".code", token=token), 303)
    page = render_template("guests/birth.html", form=form, place=invitation.establishment)
    return page, 422 if form.errors else 200


@guest_pages.route("/<string:token>/code", methods=["GET", "POST"])
@limiter.limit("30 per minute")
def code(token: str) -> Answer:
    """The code, whatever birth date was typed: the page says neither."""
    invitation = _invitation(token)
    if invitation is None:
        return _dead()
    form = CodeForm()
    if form.validate_on_submit():
        try:
            _spend()
            return _entered(_enter(token, form.code.data or ""))
        except tries.TooManyTries:
            form.code.errors = [_("Too many tries from here: wait ten minutes.")]
        except LinkDead:
            return _dead()
        except CodeWrong:
            if _invitation(token) is None:
                return _dead()
            form.code.errors = [_("The birth date or the code is not right, or the code is too old.")]
    page = render_template("guests/code.html", form=form, place=invitation.establishment, token=token)
    return page, 422 if form.errors else 200


@guest_pages.get("/dossier")
def show() -> Answer:
    """What the guest was invited to."""
    with db.transaction(db.system("guests.show")):
        invitation = queries.of_session(request.cookies.get(_name(), ""))
        kind = objects.kind(invitation.object_kind) if invitation else None
        if invitation is None or kind is None:
            return _dead()
        shown = kind.shown(invitation.object_id, invitation.patient_id, invitation.establishment_id)
        if shown is None:
            return _dead()
        actions.look(invitation)
    # Outside: the page is nobody's, and its frame must not take the system for somebody.
    return render_template(kind.template, invitation=invitation, **shown), 200


@guest_pages.post("/quitter")
def leave() -> Response:
    """Close the guest's session, on the server too."""
    with db.transaction(db.system("guests.leave")):
        if invitation := queries.of_session(request.cookies.get(_name(), "")):
            actions.leave(invitation)
    response = make_response(redirect(url_for("pages.home"), 303))
    response.delete_cookie(_name(), path="/", secure=_secure(), httponly=True, samesite="Lax")
    return response


def _enter(token: str, typed: str) -> str:
    """The token of the session. A mistake is counted, and committed, before it is told."""
    with db.transaction(db.system("guests.enter")):
        try:
            return actions.enter(token, typed)
        except CodeWrong as mistake:
            wrong = mistake
    raise wrong


def _entered(opened: str) -> Response:
    response = redirect(url_for(".show"), 303)
    response.set_cookie(_name(), opened, httponly=True, secure=_secure(), samesite="Lax", path="/")
    return response


def _invitation(token: str) -> GuestInvitation | None:
    with db.transaction(db.system("guests.look")):
        return queries.usable(token)


def _dead() -> tuple[str, int]:
    """One page for every link that does not work: nobody learns why."""
    return render_template("guests/dead.html", hospitals=establishments()), 404


def _spend() -> None:
    tries.spend(tries.of_range(request.remote_addr or "", "guest", limit=_PER_RANGE))


def _secure() -> bool:
    """Whether the portal's own address is https, as for the sessions' cookie."""
    return bool(current_app.config["SESSION_COOKIE_SECURE"])


def _name() -> str:
    return f"__Host-{_COOKIE}" if _secure() else _COOKIE
