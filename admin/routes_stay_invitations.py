"""Whom my hospitals invite to prepare a stay: who was reached, what is to be printed, what moved or is over."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.wrappers import Response

from auth import guards
from auth.factors import totp
from portal import notifications
from portal.web.repeated_posts import once
from services.preadmission import queries as preadmissions
from services.preadmission import wording
from services.preadmission.actions import RIGHT, StayInThePast, UnitNotOpen
from services.preadmission.invitations import actions, mails, queries
from services.preadmission.invitations.forms import EndForm, InviteForm
from services.preadmission.invitations.models import StayInvitation
from services.preadmission.invitations.states import InvitationOver
from services.preadmission.invitations.wording import GROUPS, SOURCES, STATES

pages = guards.staff(
    Blueprint(
        "admin_stay_invitations", __name__, url_prefix="/admin/invitations-aux-sejours", template_folder="templates"
    ),
    right=RIGHT,
)
Answer = str | Response | tuple[str, int]


@pages.get("")
def invitations() -> str:
    """Those whom nobody has reached first."""
    group = request.args.get("groupe", "waiting")
    group = group if group in queries.GROUPS else "waiting"
    page = max(1, request.args.get("page", 1, type=int))
    return _list(group, page)


@pages.post("/recherche")
def search() -> str:
    """By the beginning of a name, or a visit number: a post, so that names stay out of addresses and of logs."""
    return _list("", words=request.form.get("q", "").strip()[:100].replace("\0", ""))


def _list(group: str, page: int = 1, words: str = "") -> str:
    found = queries.at(guards.establishments(RIGHT), group, words, page)
    actions.list_read(guards.establishments(RIGHT))
    return render_template(
        "admin/stay_invitations/list.html", found=found, group=group, page=page, words=words, groups=GROUPS,
        states=STATES, file_words=wording, to_print=len(queries.to_print(guards.establishments(RIGHT))),
    )  # fmt: skip


@pages.route("/inviter", methods=["GET", "POST"])
@once
def invite() -> Answer:
    """One stay, typed by an agent."""
    form = InviteForm()
    units = [unit for unit in preadmissions.units_on_offer() if unit.establishment_id in guards.establishments(RIGHT)]
    form.offer(units)
    if form.validate_on_submit():
        try:
            made, done = actions.invite(form.stay(UUID(form.unit_id.data)), form.expected())
        except StayInThePast:
            form.planned_on.errors = [*form.planned_on.errors, _("This day has passed: write a day to come.")]
        except actions.VisitOfAnother:
            words = _("This number belongs to another patient of the portal: nothing was changed.")
            form.visit_number.errors = [*form.visit_number.errors, words]
        except UnitNotOpen:
            form.unit_id.errors = [*form.unit_id.errors, _("This unit does not take files online any more.")]
        else:
            flash(_DONE[done](), "success")
            return redirect(url_for(".show", invitation_id=made.id), 303)
    return render_template("admin/stay_invitations/invite.html", form=form), 422 if form.errors else 200


@pages.get("/<uuid:invitation_id>")
def show(invitation_id: UUID) -> str:
    """One invitation, its history, and what may be done."""
    found = _one(invitation_id)
    return render_template(
        "admin/stay_invitations/show.html", invitation=found, history=queries.history(found.id), states=STATES,
        sources=SOURCES, words=wording, end=EndForm(),
    )  # fmt: skip


@pages.post("/<uuid:invitation_id>/lettre")
def letter(invitation_id: UUID) -> Answer:
    """A letter with a new code, shown once: it is kept nowhere."""
    found = _one(invitation_id)
    try:
        letters = [_letter(found)]
    except InvitationOver:
        return _over(found)
    return render_template("admin/stay_invitations/letters.html", letters=letters)


@pages.post("/lettres")
def waiting_letters() -> str:
    """All the letters that wait, one a page."""
    letters = [_letter(each) for each in queries.to_print(guards.establishments(RIGHT))]
    return render_template("admin/stay_invitations/letters.html", letters=letters)


@pages.post("/<uuid:invitation_id>/renvoyer")
def send_again(invitation_id: UUID) -> Response:
    found = _one(invitation_id)
    return _do(found, lambda: actions.send_again(found), _("A new code leaves by mail; the former one is dead."))


@pages.post("/<uuid:invitation_id>/retirer")
def withdraw(invitation_id: UUID) -> Response:
    found, form = _one(invitation_id), EndForm()
    reason = (form.reason.data or "")[:300]
    return _do(found, lambda: actions.withdraw(found, reason), _("The invitation is taken back."))


@pages.post("/<uuid:invitation_id>/annuler")
def cancel(invitation_id: UUID) -> Response:
    found, form = _one(invitation_id), EndForm()
    reason = (form.reason.data or "")[:300]
    return _do(found, lambda: actions.cancel(found, reason), _("The stay is cancelled; whoever had begun is told."))


_DONE: dict[str, Callable[[], str]] = {
    "made": lambda: str(_("Invited.")),
    "moved": lambda: str(_("This visit was known: its day or unit has changed, and the file follows.")),
    "same": lambda: str(_("This visit was invited already: nothing has changed.")),
}


def _letter(invitation: StayInvitation) -> dict[str, Any]:
    """What a letter says; the square leads to the page where the code is typed."""
    code, address = actions.new_code(invitation), notifications.address(mails.PATH)
    picture: Markup = totp.picture(address)
    return {"invitation": invitation, "code": code, "address": address, "picture": picture}


def _one(invitation_id: UUID) -> StayInvitation:
    return queries.one_at(guards.establishments(RIGHT), invitation_id) or abort(404)


def _do(found: StayInvitation, act: Callable[[], None], done: str) -> Response:
    invitation_id = found.id
    try:
        act()
    except InvitationOver:
        return _over(found)
    flash(done, "success")
    return redirect(url_for(".show", invitation_id=invitation_id), 303)


def _over(found: StayInvitation) -> Response:
    flash(_("This invitation cannot be changed like this any more: somebody used or ended it."), "info")
    return redirect(url_for(".show", invitation_id=found.id), 303)
