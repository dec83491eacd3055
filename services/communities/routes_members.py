"""Who is in a community: members, roles, invitations, one's own place."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from portal.web.limits import limiter
from portal.web.repeated_posts import once
from portal.web.spreadsheets import csv_response
from services.communities import frame, rights, traces, wording
from services.communities.actions import NotThere, inviting, membership
from services.communities.actions.inviting import InvitationOver, Invitee
from services.communities.actions.membership import LastAnimator
from services.communities.forms import InviteForm, PlaceForm, RoleForm
from services.communities.models import CommunityMember
from services.communities.queries import people, talk
from services.directory import queries as directory

pages = frame.members_only(
    Blueprint("community_members", __name__, url_prefix=frame.PREFIX, template_folder="templates")
)
Answer = Response | str | tuple[str, int]


@pages.get("/membres")
def members(community_id: UUID) -> str:
    """Members by name, and for animators the invitations that wait."""
    seat, asked = frame.seat(), request.args.get("q", "").strip()[:80]
    animates = seat.at_least(rights.ANIMATOR)
    return render_template(
        "communities/members.html", found=people.members(community_id, asked), asked=asked, animates=animates,
        invitations=people.invitations(community_id) if animates else (), wording=wording,
    )  # fmt: skip


@pages.get("/membres.csv")
def download(community_id: UUID) -> Response:
    """The members as a file, for animators: what they may read on the page already."""
    frame.require(rights.ANIMATOR)
    community = frame.seat().community
    traces.record(
        community.id, "community_members.downloaded", object_kind="community", object_id=community.id,
        establishment_id=community.establishment_id,
    )  # fmt: skip
    headers = [_("Name"), _("What they do"), _("Role in the community"), _("Joined"), _("Charter accepted, version")]
    rows = [
        [each.name, each.calling, str(wording.ROLES[each.role]), _day(each), each.charter_version]
        for each in people.members(community_id)
    ]
    return csv_response(f"{community.slug}-membres", headers, rows)


@pages.get("/membres/<uuid:member_id>")
def member(community_id: UUID, member_id: UUID) -> str:
    """One member, for animators: their role, and the way out."""
    frame.require(rights.ANIMATOR)
    found = _one(member_id)
    return render_template("communities/member.html", member=found, form=RoleForm(role=found.role), wording=wording)


@pages.post("/membres/<uuid:member_id>/role")
def change_role(community_id: UUID, member_id: UUID) -> Answer:
    frame.require_open(rights.ANIMATOR)
    found, form = _one(member_id), RoleForm()
    if not form.validate_on_submit():
        return render_template("communities/member.html", member=found, form=form, wording=wording), 422
    try:
        membership.change_role(frame.seat(), member_id, form.role.data)
    except LastAnimator:
        form.role.errors = [_last()]
        return render_template("communities/member.html", member=found, form=form, wording=wording), 409
    flash(_("%(name)s is now: %(role)s.", name=found.name, role=wording.ROLES[found.role]), "success")
    return redirect(url_for(".members", community_id=community_id), 303)


@pages.post("/membres/<uuid:member_id>/retirer")
def remove(community_id: UUID, member_id: UUID) -> Response:
    """The member sees nothing of the community any more."""
    frame.require(rights.ANIMATOR)
    found = _one(member_id)
    if found.account_id == frame.account_id():
        return redirect(url_for(".place", community_id=community_id), 303)
    try:
        membership.remove(frame.seat(), member_id)
    except (LastAnimator, NotThere):
        flash(_last(), "warning")
    else:
        flash(_("%(name)s is no longer a member, and sees nothing more.", name=found.name), "success")
    return redirect(url_for(".members", community_id=community_id), 303)


# -- invitations -----------------------------------------------------------------------------------------------------


@pages.route("/membres/inviter", methods=["GET", "POST"])
@limiter.limit("20 per hour", methods=["POST"])
@once
def invite(community_id: UUID) -> Answer:
    """Invite people by address or RPPS number. Nothing is told of whether they are known here."""
    frame.require_open(rights.ANIMATOR)
    form = InviteForm()
    if not form.validate_on_submit():
        page = render_template("communities/invite.html", form=form, wording=wording)
        return page, 422 if form.is_submitted() else 200
    count = inviting.invite(frame.seat(), _named(form.invitees()), form.role.data)
    flash(ngettext("%(num)d invitation sent.", "%(num)d invitations sent.", count), "success")
    return redirect(url_for(".members", community_id=community_id), 303)


@pages.post("/invitations/<uuid:invitation_id>/retirer")
def withdraw_invitation(community_id: UUID, invitation_id: UUID) -> Response:
    frame.require(rights.ANIMATOR)
    try:
        inviting.withdraw(frame.seat(), invitation_id)
    except InvitationOver:
        flash(_("This invitation was over already."), "info")
    else:
        flash(_("The invitation was taken back: its link no longer works."), "success")
    return redirect(url_for(".members", community_id=community_id), 303)


# -- one's own place -------------------------------------------------------------------------------------------------


@pages.route("/ma-place", methods=["GET", "POST"])
def place(community_id: UUID) -> Answer:
    """What I am told of, how others read what I do, what became of my reports, the way out."""
    seat = frame.seat()
    form = PlaceForm(calling=seat.member.calling, notify=seat.member.notify)
    if form.validate_on_submit():
        membership.choose(seat, form.notify.data, form.calling.data or "")
        flash(_("Your choices are kept."), "success")
        return redirect(url_for(".place", community_id=community_id), 303)
    page = render_template("communities/place.html", form=form, reports=talk.own_answers(seat), wording=wording)
    return page, 422 if form.is_submitted() else 200


def _named(invitees: Sequence[Invitee]) -> list[Invitee]:
    """With the name that the public directory gives to each number."""
    return [replace(each, name=_directory_name(each.rpps)) if each.rpps else each for each in invitees]


def _directory_name(rpps: str) -> str:
    found = directory.person(f"8{rpps}")
    return found.full_name if found else ""


def _one(member_id: UUID) -> CommunityMember:
    return people.member(frame.seat().community.id, member_id) or abort(404)


def _day(member: CommunityMember) -> str:
    return f"{member.joined_at:%Y-%m-%d}" if member.joined_at else ""


def _last() -> str:
    return str(_("Somebody must run the community: name another animator first."))
