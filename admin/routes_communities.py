"""The hospital's side of communities: they are created, given an animator, closed. What is said in them is not read."""

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards
from portal import establishments
from portal.web.fields import choices
from portal.web.repeated_posts import once
from services.communities import wording
from services.communities.actions import CommunityClosed, groups, inviting
from services.communities.forms import AnimatorForm, NewCommunityForm
from services.communities.models import Community
from services.communities.queries import hosted

community_pages = guards.staff(
    Blueprint("admin_communities", __name__, url_prefix="/admin/communautes", template_folder="templates"),
    right="administration",
)
Answer = Response | str | tuple[str, int]


def _here() -> frozenset[UUID]:
    return guards.establishments("administration")


@community_pages.get("")
def overview() -> str:
    """The communities that the agent's hospitals host, with how many members each has."""
    return render_template(
        "admin/communities/list.html", found=hosted.communities(_here()), names=_hospital_names(), wording=wording
    )


@community_pages.route("/nouvelle", methods=["GET", "POST"])
@once
def create() -> Answer:
    """A community, its charter, and whom the invitation to run it goes to."""
    form = NewCommunityForm()
    form.establishment.choices = choices([(str(each), name) for each, name in _hospital_names().items()])
    if not form.validate_on_submit():
        return render_template("admin/communities/create.html", form=form), 422 if form.is_submitted() else 200
    made = groups.create(
        UUID(form.establishment.data), form.name.data or "", form.kind.data, form.purpose.data or "",
        form.charter.data or "",
    )  # fmt: skip
    inviting.invite_animator(made, (form.email.data or "").lower())
    flash(_("The community is created, and its first animator is invited."), "success")
    return redirect(url_for(".show", community_id=made.id), 303)


@community_pages.get("/<uuid:community_id>")
def show(community_id: UUID) -> str:
    """One community: its purpose, how many are in it, who runs it."""
    return _show(_one(community_id), AnimatorForm())


@community_pages.post("/<uuid:community_id>/animateurs")
@once
def name_animator(community_id: UUID) -> Answer:
    """Invite somebody to run it, for instance when the last animator has left the region."""
    found, form = _one(community_id), AnimatorForm()
    if not form.validate_on_submit():
        return _show(found, form), 422
    try:
        inviting.invite_animator(found, (form.email.data or "").lower())
    except CommunityClosed:
        form.email.errors = [_("The community is closed: open it again first.")]
        return _show(found, form), 409
    flash(_("The invitation is sent."), "success")
    return redirect(url_for(".show", community_id=community_id), 303)


@community_pages.post("/<uuid:community_id>/fermer")
def close(community_id: UUID) -> Response:
    """Members read on; nothing more is written."""
    try:
        groups.close(_one(community_id))
    except CommunityClosed:
        flash(_("The community was closed already."), "info")
    else:
        flash(_("The community is closed. Its members can still read it."), "success")
    return redirect(url_for(".show", community_id=community_id), 303)


@community_pages.post("/<uuid:community_id>/rouvrir")
def reopen(community_id: UUID) -> Response:
    """Members may write again."""
    groups.reopen(_one(community_id))
    flash(_("The community is open again."), "success")
    return redirect(url_for(".show", community_id=community_id), 303)


def _show(found: Community, form: AnimatorForm) -> str:
    return render_template(
        "admin/communities/show.html", community=found, size=hosted.size(found.id),
        animators=hosted.animators(found.id), waiting=hosted.invited_animators(found.id), form=form, wording=wording,
        hospital=_hospital_names().get(found.establishment_id, ""),
    )  # fmt: skip


def _one(community_id: UUID) -> Community:
    return hosted.community(community_id, _here()) or abort(404)


def _hospital_names() -> dict[UUID | None, str]:
    here = _here()
    return {each.id: each.name for each in establishments.establishments() if each.id in here}
