"""The invitation of a new agent, and of another way in for one we know."""

from uuid import UUID

from flask import abort, current_app, flash, redirect, render_template, request, url_for
from flask import session as cookie
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin import queries_staff
from admin.forms_staff import PROVIDER_HINTS, RIGHT_HINTS, DoorForm, InviteForm
from admin.routes_staff import hospital, mine, one_agent, staff_pages, unit_choices
from auth import held_forms, rights
from auth.agents import actions, employers
from auth.agents.actions import Draft, UnknownInvitation
from auth.agents.roles import offered, role
from auth.rights import NoAddress
from portal.establishments import Establishment
from portal.web.fields import choices
from portal.web.repeated_posts import once

_LINK = "invitation_link"
"""In the browser's own signed cookie, until the page that shows it once."""


@staff_pages.route("/inviter", methods=["GET", "POST"])
@once
def invite() -> Response | tuple[str, int]:
    """Invite a new agent; `?role=` ticks the rights of a function."""
    hospitals = mine()
    roles = offered([each.id for each in hospitals])
    held, chosen = held_forms.take(), role(request.args.get("role", ""), roles)
    form = InviteForm(formdata=held) if held else InviteForm(rights=list(chosen.rights) if chosen else [])
    form.establishment.choices = choices((each.finess, each.name) for each in hospitals)
    form.units.choices = unit_choices(queries_staff.units([each.id for each in hospitals]), several=len(hospitals) > 1)
    form.sirets = _sirets(form, hospitals)
    if form.validate_on_submit():
        return _invite(form, hospital(form.establishment.data))
    page = render_template(
        "admin/staff/invite.html",
        form=form,
        hints=RIGHT_HINTS,
        provider_hints=PROVIDER_HINTS,
        roles=roles,
        chosen=chosen,
        sirets=employers.sirets_of([each.id for each in hospitals]),
    )
    return page, 422 if form.errors else 200


def _sirets(form: InviteForm, hospitals: list[Establishment]) -> tuple[str, ...]:
    chosen = [each.id for each in hospitals if each.finess == form.establishment.data]
    return tuple(employers.sirets_of(chosen)) if chosen else ()


def _invite(form: InviteForm, place: Establishment) -> Response:
    draft = _draft(form, place, form.rights.data or [], [UUID(unit_id) for unit_id in form.units.data or []])
    if form.provider.data == "local":
        rights.open_local_account(draft, (form.name.data or "").strip())
        flash(_("The account is open. The link to set it up is sent to %(email)s.", email=draft.email), "success")
        return redirect(url_for("admin_staff.agents"), 303)
    token = rights.invite_agent(draft)
    cookie[_LINK] = rights.invitation_path(draft.provider, token)
    return redirect(url_for("admin_staff.invitation"), 303)


def _draft(form: DoorForm, place: Establishment, wanted: list[str], unit_ids: list[UUID]) -> Draft:
    return Draft(
        (form.email.data or "").strip(),
        wanted,
        place.id,
        form.provider.data,
        form.siret.data or "",
        form.subject_name_id.data or "",
        unit_ids,
    )


@staff_pages.get("/invitation")
def invitation() -> str:
    """The link of the invitation that was just made, once: it is kept nowhere."""
    path = cookie.pop(_LINK, None)
    base = current_app.config["SETTINGS"].base_url.rstrip("/")
    return render_template("admin/staff/invitation.html", link=f"{base}{path}" if path else "")


@staff_pages.post("/invitations/<uuid:invitation_id>/retirer")
def withdraw_invitation(invitation_id: UUID) -> Response:
    """Make an invitation useless."""
    try:
        actions.withdraw(invitation_id)
    except UnknownInvitation:
        abort(404)
    flash(_("The invitation is withdrawn: its link no longer opens anything."), "success")
    return redirect(url_for("admin_staff.agents"), 303)


@staff_pages.route("/<uuid:account_id>/<finess>/porte", methods=["GET", "POST"])
@once
def another_door(account_id: UUID, finess: str) -> Response | tuple[str, int]:
    """Send an agent the link that adds another way in to their account."""
    place, agent = hospital(finess), one_agent(account_id)
    held = held_forms.take()
    form = DoorForm(formdata=held) if held else DoorForm(email=agent.account.email)
    form.sirets = tuple(employers.sirets_of([place.id]))
    if form.validate_on_submit():
        draft = _draft(form, place, [], [])
        try:
            rights.send_another_door(Draft(draft.email, (), place.id, draft.provider, draft.siret,
                                           draft.subject_name_id, account_id=agent.account.id))  # fmt: skip
        except NoAddress:
            form.email.errors = [_("We know no e-mail of this agent, to send them the link")]
        else:
            flash(_("The link is sent to %(email)s.", email=agent.account.email), "success")
            return redirect(url_for("admin_staff.agent_rights", account_id=account_id, finess=finess), 303)
    page = render_template(
        "admin/staff/door.html", form=form, agent=agent, hospital=place, provider_hints=PROVIDER_HINTS
    )
    return page, 422 if form.errors else 200
