"""Agents of the hospitals that one administers: who may do what, and the invitation of new ones."""

from uuid import UUID

from flask import Blueprint, abort, current_app, flash, redirect, render_template, url_for
from flask import session as cookie
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin import queries_figures, queries_staff
from admin.forms_staff import RIGHT_HINTS, RIGHT_TITLES, InviteForm, RightsForm
from admin.queries_staff import Agent
from auth import guards, held_forms, rights
from auth.rights import LastAdministrator, NotAdministrator, OwnLastAdministration, UnknownAgent, UnknownInvitation
from portal import db
from portal.establishments import Establishment
from portal.web.fields import choices
from portal.web.repeated_posts import once

staff_pages = guards.staff(
    Blueprint("admin_staff", __name__, url_prefix="/admin/agents", template_folder="templates"),
    right="administration",
)

_LINK = "invitation_link"
"""In the browser's own signed cookie, until the page that shows it once."""


@staff_pages.get("")
def agents() -> str:
    """Everybody who may do something at my hospitals, and the invitations under way."""
    mine = guards.establishments("administration")
    return render_template(
        "admin/staff/agents.html",
        hospitals={hospital.id: hospital for hospital in queries_figures.hospitals(mine)},
        agents=queries_staff.agents(mine),
        invitations=queries_staff.invitations(mine),
        titles=RIGHT_TITLES,
        me=db.current_actor().account_id,
    )


@staff_pages.route("/<uuid:account_id>/<finess>", methods=["GET", "POST"])
def agent_rights(account_id: UUID, finess: str) -> Response | tuple[str, int]:
    """What one agent may do at one hospital."""
    hospital, agent = _hospital(finess), _agent(account_id)
    held = held_forms.take()
    form = RightsForm(formdata=held) if held else RightsForm(rights=agent.rights.get(hospital.id, []))
    if form.validate_on_submit():
        return _change(agent, hospital, form)
    return _rights_page(agent, hospital, form)


@staff_pages.route("/inviter", methods=["GET", "POST"])
@once
def invite() -> Response | tuple[str, int]:
    """Invite a new agent; the link is shown on the next page, once."""
    held = held_forms.take()
    form = InviteForm(formdata=held) if held else InviteForm()
    hospitals = _mine()
    form.establishment.choices = choices((hospital.finess, hospital.name) for hospital in hospitals)
    if form.validate_on_submit():
        token = rights.invite_agent(
            form.email.data or "", _hospital(form.establishment.data).id, form.rights.data or []
        )
        cookie[_LINK] = token
        return redirect(url_for("admin_staff.invitation"), 303)
    page = render_template("admin/staff/invite.html", form=form, hints=RIGHT_HINTS)
    return page, 422 if form.errors else 200


@staff_pages.get("/invitation")
def invitation() -> str:
    """The link of the invitation that was just made, once: it is kept nowhere."""
    token = cookie.pop(_LINK, None)
    start = url_for("auth.start", provider="proconnect", invitation=token) if token else ""
    base = current_app.config["SETTINGS"].base_url.rstrip("/")
    return render_template("admin/staff/invitation.html", link=f"{base}{start}" if token else "")


@staff_pages.post("/invitations/<uuid:invitation_id>/retirer")
def withdraw_invitation(invitation_id: UUID) -> Response:
    """Make an invitation useless."""
    try:
        rights.withdraw_invitation(invitation_id)
    except UnknownInvitation:
        abort(404)
    flash(_("The invitation is withdrawn: its link no longer opens anything."), "success")
    return redirect(url_for("admin_staff.agents"), 303)


def _change(agent: Agent, hospital: Establishment, form: RightsForm) -> Response | tuple[str, int]:
    try:
        rights.change_rights(agent.account.id, hospital.id, form.rights.data or [])
    except (NotAdministrator, UnknownAgent):
        abort(403)
    except LastAdministrator:
        form.rights.errors = [
            _("Somebody must go on administering this hospital: give this right to another agent first")
        ]
    except OwnLastAdministration:
        form.rights.errors = [_("You cannot withdraw your own last administration right: ask another administrator")]
    else:
        flash(_("The rights of %(name)s are changed, from their next page on.", name=agent.account.name), "success")
        return redirect(url_for("admin_staff.agents"), 303)
    return _rights_page(agent, hospital, form)


def _rights_page(agent: Agent, hospital: Establishment, form: RightsForm) -> tuple[str, int]:
    page = render_template(
        "admin/staff/rights.html", form=form, agent=agent, hospital=hospital, hospitals=_mine(), hints=RIGHT_HINTS
    )
    return page, 422 if form.errors else 200


def _mine() -> list[Establishment]:
    return list(queries_figures.hospitals(guards.establishments("administration")))


def _hospital(finess: str) -> Establishment:
    """One of my hospitals; 404 for another."""
    return next((hospital for hospital in _mine() if hospital.finess == finess), None) or abort(404)


def _agent(account_id: UUID) -> Agent:
    """Somebody who may do something at my hospitals; 404 for another."""
    return queries_staff.agent(account_id, guards.establishments("administration")) or abort(404)
