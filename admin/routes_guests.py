"""Invitations of guests: an agent of the room sends a single-use link about one file or one appointment."""

from typing import NamedTuple
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards
from auth.factors.forms import mobile_of
from auth.guests import actions, objects, queries
from auth.guests.actions import NoMobile, NotOffered
from auth.guests.forms import InviteForm
from auth.guests.models import GuestInvitation
from auth.models import Patient
from portal import db
from portal.db import session
from portal.web.repeated_posts import once

guest_pages = guards.staff(
    Blueprint("admin_guests", __name__, url_prefix="/admin/identites/invitations", template_folder="templates")
)
Answer = Response | tuple[str, int]
_KINDS = "<any(appointment, preadmission):kind>"


class Asked(NamedTuple):
    """What an agent invites to, for whom, and how the hospital can reach them."""

    kind: objects.Kind
    facts: objects.Facts
    patient: Patient
    mobile: str | None


@guest_pages.route(f"/{_KINDS}/<uuid:object_id>", methods=["GET", "POST"])
@once
def invite(kind: str, object_id: UUID) -> Answer:
    """The invitations to this object, and a new one."""
    asked = _asked(kind, object_id)
    form = InviteForm()
    if form.validate_on_submit():
        try:
            actions.invite(asked.kind, object_id, form.channel.data, asked.mobile)
        except NotOffered:
            abort(404)
        except NoMobile:
            form.channel.errors = [_("The hospital holds no mobile number, or no e-mail, to send this to.")]
        else:
            flash(_("The link is on its way. It works once, until the end of the stay."), "success")
            return redirect(url_for(".invite", kind=kind, object_id=object_id), 303)
    page = render_template(
        "admin/guests/invite.html",
        form=form,
        asked=asked,
        object_id=object_id,
        invitations=queries.standing(kind, object_id),
        is_usable=queries.is_usable,
    )
    return page, 422 if form.errors else 200


@guest_pages.post("/<uuid:invitation_id>/retirer")
def withdraw(invitation_id: UUID) -> Response:
    """Make a link useless, for a guest who is inside too."""
    invitation = queries.one(invitation_id) or abort(404)
    _may(objects.kind(invitation.object_kind), invitation)
    actions.withdraw(invitation)
    flash(_("The invitation is withdrawn: its link no longer opens anything."), "success")
    return redirect(url_for(".invite", kind=invitation.object_kind, object_id=invitation.object_id), 303)


def _asked(code: str, object_id: UUID) -> Asked:
    kind = objects.kind(code) or abort(404)
    facts = kind.find(object_id)
    if facts is None or not db.current_actor().may(kind.right, facts.establishment_id):
        abort(404)
    if not actions.is_offered(facts.establishment_id):
        abort(404)
    patient = session.get_one(Patient, facts.patient_id)
    return Asked(kind, facts, patient, mobile_of(patient.mobile) if patient.mobile else None)


def _may(kind: objects.Kind | None, invitation: GuestInvitation) -> None:
    if kind is None or not db.current_actor().may(kind.right, invitation.establishment_id):
        abort(404)


def link_to_invite(kind: str, object_id: UUID, establishment_id: UUID) -> str:
    """For templates of the rooms' staff: where to invite a guest, "" where the hospital does not offer it."""
    if not actions.is_offered(establishment_id):
        return ""
    return url_for("admin_guests.invite", kind=kind, object_id=object_id)
