"""My account, my contact details: mail, mobile, language and channels."""

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards
from auth.contact import actions, queries
from auth.contact.actions import NeedsMobile, TooManyCodes
from auth.contact.forms import ChoiceForm, CodeForm, MailForm, MobileForm
from auth.factors.routes import prove_first
from portal import db
from portal.web.limits import limiter

contact_pages = guards.patients(
    Blueprint("contact", __name__, url_prefix="/mon-compte/coordonnees", template_folder="templates"), "account"
)
_FORMS: dict[str, type[MailForm] | type[MobileForm]] = {"mail": MailForm, "mobile": MobileForm}


@contact_pages.route("", methods=["GET", "POST"])
def show() -> Response | tuple[str, int]:
    """What is known, and how one is told."""
    contact = queries.mine()
    form = ChoiceForm(locale=contact.account.locale, channels=contact.account.channels)
    if form.validate_on_submit():
        try:
            actions.choose(form.locale.data or "", form.channels.data or [])
            flash(_("Your choices are kept."), "success")
            return redirect(url_for(".show"), 303)
        except NeedsMobile:
            form.channels.errors = [_("Add your mobile number first: without it, no text message can reach you")]
    page = render_template("contact/show.html", contact=contact, form=form)
    return page, 422 if form.errors else 200


@contact_pages.route("/<any(mail, mobile):kind>", methods=["GET", "POST"])
@limiter.limit("20 per minute")
def change(kind: str) -> Response | tuple[str, int]:
    """Give another address or number: a code goes there."""
    if stale := prove_first():
        return stale
    form = _FORMS[kind]()
    if form.validate_on_submit():
        try:
            point = actions.ask_code(kind, form.given)
            return redirect(url_for(".code", point_id=point.id), 303)
        except TooManyCodes:
            form.value.errors = [_("Too many codes were sent. Come back in an hour.")]
    page = render_template("contact/change.html", form=form, kind=kind)
    return page, 422 if form.errors else 200


@contact_pages.post("/mobile/retirer")
def remove_mobile() -> Response:
    """No number any more."""
    if stale := prove_first():
        return stale
    actions.remove_mobile()
    flash(_("The number is removed. Messages come by mail."), "success")
    return redirect(url_for(".show"), 303)


@contact_pages.route("/code/<uuid:point_id>", methods=["GET", "POST"])
@limiter.limit("20 per minute")
def code(point_id: UUID) -> Response | tuple[str, int]:
    """Type the code that arrived."""
    point = queries.waiting(point_id) or abort(404)
    form = CodeForm()
    if form.validate_on_submit():
        if _confirm(point_id, form.code.data or ""):
            flash(_("It is confirmed, and used from now on."), "success")
            return redirect(url_for(".show"), 303)
        form.code.errors = [_("This code is wrong or too old. After five tries, ask for another one.")]
    page = render_template("contact/code.html", form=form, point=point)
    return page, 422 if form.errors else 200


def _confirm(point_id: UUID, typed: str) -> bool:
    """In a transaction of its own: a wrong try counts, though the page is an error."""
    with db.transaction(db.current_actor()):
        point = queries.waiting(point_id)
        return point is not None and actions.confirm(point, typed)
