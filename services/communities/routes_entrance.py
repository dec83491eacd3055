"""Before a community: those one is in, invitations, the charter."""

from uuid import UUID

from flask import Blueprint, abort, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards
from auth.models import Professional
from portal import audit, db
from portal.db import session
from portal.web.limits import limiter
from portal.web.repeated_posts import once
from services.communities import frame, queries, wording
from services.communities.actions import CommunityClosed, groups, inviting, membership
from services.communities.actions.inviting import InvitationOver
from services.communities.actions.membership import LastAnimator
from services.communities.forms import CharterForm, JoinForm
from services.communities.queries import entrance, own
from services.communities.queries.entrance import Offered

pages = frame.professionals_only(
    Blueprint("communities", __name__, url_prefix="/communautes", template_folder="templates")
)
links = guards.public(
    Blueprint("community_links", __name__, url_prefix="/communautes/invitation", template_folder="templates")
)
Answer = Response | str | tuple[str, int]


@pages.get("")
def mine() -> str:
    """The communities of whoever is signed in, and the invitations to their number."""
    account_id = frame.account_id()
    seats = queries.seats(account_id)
    inside = {each.community.id for each in seats}
    invitations = [row for row in entrance.invitations_to(_rpps()) if row[1].id not in inside]
    news = entrance.news_of(account_id, inside) if inside else {}
    return render_template("communities/mine.html", seats=seats, invitations=invitations, news=news, wording=wording)


# -- an invitation to the number one has proved ----------------------------------------------------------------------


@pages.get("/invitations/<uuid:invitation_id>")
def invitation(invitation_id: UUID) -> Answer:
    """What somebody invited may know, before they say yes or no."""
    offered = entrance.offered_to(frame.account_id(), _rpps(), invitation_id) or abort(404)
    return _show(
        offered,
        JoinForm(),
        url_for(".accept", invitation_id=invitation_id),
        url_for(".decline", invitation_id=invitation_id),
    )


@pages.post("/invitations/<uuid:invitation_id>/accepter")
@once
def accept(invitation_id: UUID) -> Answer:
    offered = entrance.offered_to(frame.account_id(), _rpps(), invitation_id) or abort(404)
    return _join(
        offered, None, url_for(".accept", invitation_id=invitation_id), url_for(".decline", invitation_id=invitation_id)
    )


@pages.post("/invitations/<uuid:invitation_id>/decliner")
def decline(invitation_id: UUID) -> Response:
    if entrance.offered_to(frame.account_id(), _rpps(), invitation_id) is None:
        abort(404)
    return _decline(invitation_id, None)


# -- an invitation by a link -----------------------------------------------------------------------------------------


@links.get("/<string(maxlength=64):token>")
@limiter.limit("30 per minute")
def follow(token: str) -> Answer:
    """The link shows nothing before one has signed in as a professional; then what somebody invited may know."""
    if not _may_join():
        return render_template("communities/door.html")
    digest = inviting.digest_of(token)
    offered = entrance.offered_by_link(digest)
    if offered is None:
        return render_template("communities/over.html"), 410
    return _show(offered, JoinForm(), url_for(".take", token=token), url_for(".refuse", token=token))


@links.post("/<string(maxlength=64):token>/accepter")
@limiter.limit("30 per minute")
def take(token: str) -> Answer:
    if not _may_join():
        return guards.to_the_door("professional")
    taken: Answer = _take(token=token)
    return taken


@once
def _take(token: str) -> Answer:
    digest = inviting.digest_of(token)
    offered = entrance.offered_by_link(digest)
    if offered is None:
        return render_template("communities/over.html"), 410
    return _join(offered, digest, url_for(".take", token=token), url_for(".refuse", token=token))


@links.post("/<string(maxlength=64):token>/decliner")
@limiter.limit("30 per minute")
def refuse(token: str) -> Answer:
    if not _may_join():
        return guards.to_the_door("professional")
    digest = inviting.digest_of(token)
    offered = entrance.offered_by_link(digest)
    if offered is None:
        return render_template("communities/over.html"), 410
    return _decline(offered.invitation_id, digest)


# -- the charter -----------------------------------------------------------------------------------------------------


@pages.get("/<uuid:community_id>/charte")
def charter(community_id: UUID) -> Answer:
    """The charter, to accept before anything else, or to read again."""
    seat = queries.seat(frame.account_id(), community_id) or abort(404)
    form = CharterForm(version=str(seat.community.charter_version))
    return render_template("communities/charter.html", seat=seat, form=form)


@pages.post("/<uuid:community_id>/charte")
@once
def accept_charter(community_id: UUID) -> Answer:
    seat = queries.seat(frame.account_id(), community_id) or abort(404)
    form = CharterForm()
    if not form.validate_on_submit():
        return render_template("communities/charter.html", seat=seat, form=form), 422
    if not groups.accept_charter(seat, _number(form.version.data)):
        flash(_("The charter has just changed. Read it as it is now."), "warning")
        return redirect(url_for(".charter", community_id=community_id), 303)
    return redirect(url_for("community_news.home", community_id=community_id), 303)


@pages.post("/<uuid:community_id>/quitter")
def leave(community_id: UUID) -> Response:
    """Go of oneself, whether or not one accepts the charter as it is now."""
    seat = queries.seat(frame.account_id(), community_id) or abort(404)
    name = seat.community.name
    try:
        membership.leave(seat)
    except LastAnimator:
        flash(_("Somebody must run the community: name another animator first."), "warning")
        return redirect(url_for("community_members.place", community_id=community_id), 303)
    flash(_("You left “%(name)s”. What you wrote there stays, with your name.", name=name), "success")
    return redirect(url_for(".mine"), 303)


@pages.get("/mes-ecrits.json")
def own_data() -> Response:
    """What the portal holds of the signed-in member in communities, theirs to keep (RGPD, articles 15 and 20)."""
    account_id = frame.account_id()
    audit.record("community_data.downloaded", object_kind="account", object_id=account_id)
    response = jsonify(own.everything(account_id))
    response.headers["Content-Disposition"] = 'attachment; filename="communautes.json"'
    response.headers["Cache-Control"] = "no-store"
    return response


# -- what both invitations share -------------------------------------------------------------------------------------


def _show(offered: Offered, form: JoinForm, accept_href: str, decline_href: str, status: int = 200) -> Answer:
    if request.method == "GET":
        form.version.data = str(offered.charter_version)
    page = render_template(
        "communities/invitation.html", offered=offered, form=form, wording=wording, accept_href=accept_href,
        decline_href=decline_href,
    )  # fmt: skip
    return page, status


def _join(offered: Offered, digest: bytes | None, accept_href: str, decline_href: str) -> Answer:
    form = JoinForm()
    if not form.validate_on_submit():
        return _show(offered, form, accept_href, decline_href, 422)
    if _number(form.version.data) != offered.charter_version:
        form.agreed.errors = [_("The charter has just changed. Read it as it is now, then accept it.")]
        form.version.data = str(offered.charter_version)
        return _show(offered, form, accept_href, decline_href, 409)
    try:
        community_id = inviting.join(offered.invitation_id, digest, form.calling.data or "")
    except (InvitationOver, CommunityClosed):
        return render_template("communities/over.html"), 410
    flash(_("Welcome to “%(name)s”.", name=offered.name), "success")
    return redirect(url_for("community_news.home", community_id=community_id), 303)


def _decline(invitation_id: UUID, digest: bytes | None) -> Response:
    try:
        inviting.decline(invitation_id, digest)
    except InvitationOver:
        flash(_("This invitation was over already."), "info")
    else:
        flash(_("You declined the invitation. Nobody will write to you about it again."), "success")
    return redirect(url_for("communities.mine"), 303)


def _may_join() -> bool:
    return db.current_actor().kind in frame.AUDIENCES


def _rpps() -> str:
    """The number that the signed-in practitioner proved with Pro Santé Connect; "" for anybody else."""
    actor = db.current_actor()
    found = session.get(Professional, actor.professional_id) if actor.professional_id else None
    return found.rpps if found is not None and found.account_id == actor.account_id else ""


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 9 else 0
