"""My account, my hospitals: linked, waiting, or not yet; proving it, or asking the staff."""

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards, sessions
from auth.enrolment import actions, queries
from auth.enrolment.actions import AlreadyLinked, TooManyTries
from auth.enrolment.forms import ProofForm
from auth.enrolment.queries import Standing
from portal import db
from portal.web.limits import limiter

hospital_pages = guards.patients(
    Blueprint("enrolment", __name__, url_prefix="/mon-compte/hopitaux", template_folder="templates"), "account"
)


@hospital_pages.get("")
def hospitals() -> str:
    """Where the signed-in person stands with each hospital."""
    return render_template("enrolment/hospitals.html", standings=queries.standings(_own_id()))


@hospital_pages.route("/<finess>", methods=["GET", "POST"])
@limiter.limit("30 per minute")
def hospital(finess: str) -> Response | tuple[str, int]:
    """Prove to be somebody the hospital knows."""
    standing = _standing(finess)
    form = ProofForm()
    if standing.state != "linked" and form.validate_on_submit():
        return _try(standing, form)
    return _page(standing, form)


@hospital_pages.post("/<finess>/demander")
def ask(finess: str) -> Response:
    """Ask the hospital's staff to look."""
    standing = _standing(finess)
    try:
        actions.ask(_own_id(), standing.hospital.id)
        flash(_("Your request is sent. The hospital will look, and tell you by mail."), "success")
    except AlreadyLinked:
        flash(_("Your account is already linked to this hospital."), "info")
    return redirect(url_for(".hospital", finess=finess), 303)


def _try(standing: Standing, form: ProofForm) -> Response | tuple[str, int]:
    """In transactions of their own: a try counts, and a doubt waits, even though the page answers with an error."""
    hospital_id, mine, me = standing.hospital.id, _own_id(), db.current_actor()
    try:
        with db.transaction(me):
            actions.count_try(hospital_id)
        with db.transaction(me):
            made = actions.prove(mine, hospital_id, form.proof.data or "")
    except TooManyTries:
        form.proof.errors = [_("Too many tries. Come back in an hour, or ask the hospital below.")]
        return _page(standing, form, 429)
    except AlreadyLinked:
        made = None
    if made is None:
        form.proof.errors = [_("This did not let us link you. Check what you typed, or ask the hospital below.")]
        return _page(standing, form)
    flash(_("Your account is linked to %(hospital)s.", hospital=standing.hospital.name), "success")
    return redirect(url_for(".hospitals"), 303)


def _page(standing: Standing, form: ProofForm, status: int = 422) -> tuple[str, int]:
    page = render_template("enrolment/hospital.html", standing=standing, form=form)
    return page, status if form.errors else 200


def _standing(finess: str) -> Standing:
    return queries.standing(_own_id(), finess) or abort(404)


def _own_id() -> UUID:
    """The person themselves: nobody is linked in somebody else's name from here."""
    current = sessions.signed_in()
    return (current.own_id if current else None) or abort(403)
