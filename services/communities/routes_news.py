"""News of a community: announcements, and the themes that they are sent to."""

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth.news import actions as news
from portal.web.repeated_posts import once
from services.communities import frame, rights, wording
from services.communities.actions import CommunityClosed, NotAllowed, NotThere, announcing, themes
from services.communities.actions.themes import NameTaken
from services.communities.forms import AnnouncementForm, ThemeForm
from services.communities.queries import Seat, talk
from services.communities.queries.talk import Announced

pages = frame.members_only(Blueprint("community_news", __name__, url_prefix=frame.PREFIX, template_folder="templates"))
Answer = Response | str | tuple[str, int]


@pages.get("")
def home(community_id: UUID) -> str:
    """Announcements, pinned ones first, and what the community is for."""
    seat, page = frame.seat(), frame.page_number()
    found = talk.announcements(seat, page)
    return render_template(
        "communities/news.html", found=found[: talk.PAGE], page=page, has_next=len(found) > talk.PAGE,
        has_themes=bool(talk.themes(community_id)), recent=talk.topics(seat)[:3], wording=wording,
    )  # fmt: skip


@pages.route("/annonces/nouvelle", methods=["GET", "POST"])
@once
def publish(community_id: UUID) -> Answer:
    """Write an announcement, for all members or for the subscribers of a theme."""
    frame.require_open(rights.CONTRIBUTOR)
    form = AnnouncementForm()
    form.offer_themes(talk.themes(community_id))
    if not form.validate_on_submit():
        return render_template("communities/announce.html", form=form), 422 if form.is_submitted() else 200
    try:
        made = announcing.publish(
            frame.seat(), form.title.data or "", form.body.data or "", form.theme_id,
            starts_on=form.starts_on.data, ends_on=form.ends_on.data,
            pinned=form.pinned.data and frame.seat().at_least(rights.MODERATOR),
        )  # fmt: skip
    except NotThere:
        form.theme.errors = [_("This theme has just been archived: choose another one.")]
        return render_template("communities/announce.html", form=form), 409
    flash(_("Published. Those whom it is for are told that something waits, without its content."), "success")
    return redirect(url_for(".announcement", community_id=community_id, announcement_id=made.id), 303)


@pages.get("/annonces/<uuid:announcement_id>")
def announcement(community_id: UUID, announcement_id: UUID) -> str:
    """One announcement; to read it is a mark that moderators count."""
    seat, found = frame.seat(), _one(announcement_id)
    if found.unread:
        announcing.mark_read(seat, found.announcement)
    news.read_page(frame.account_id(), request.path)
    count = talk.read_count(announcement_id) if seat.at_least(rights.MODERATOR) else None
    return render_template("communities/announcement.html", found=found, count=count)


@pages.post("/annonces/<uuid:announcement_id>/retirer")
def withdraw(community_id: UUID, announcement_id: UUID) -> Response:
    try:
        announcing.withdraw(frame.seat(), _one(announcement_id).announcement)
    except NotAllowed:
        abort(403)
    flash(_("The announcement was withdrawn: nobody sees it any more."), "success")
    return redirect(url_for(".home", community_id=community_id), 303)


@pages.post("/annonces/<uuid:announcement_id>/epingler")
def pin(community_id: UUID, announcement_id: UUID) -> Response:
    """Keep at the top, or not any more."""
    frame.require_open(rights.MODERATOR)
    announcing.pin(frame.seat(), _one(announcement_id).announcement, pinned=request.form.get("pinned") == "1")
    return redirect(url_for(".announcement", community_id=community_id, announcement_id=announcement_id), 303)


# -- themes ----------------------------------------------------------------------------------------------------------


@pages.get("/themes")
def theme_list(community_id: UUID) -> str:
    """The themes, which ones I follow, and how many do."""
    return _themes(ThemeForm())


@pages.post("/themes")
@once
def add_theme(community_id: UUID) -> Answer:
    frame.require_open(rights.MODERATOR)
    form = ThemeForm()
    if not form.validate_on_submit():
        return _themes(form), 422
    try:
        themes.add(frame.seat(), form.name.data or "", form.description.data or "")
    except NameTaken:
        form.name.errors = [_("There is a theme of this name already.")]
        return _themes(form), 409
    return redirect(url_for(".theme_list", community_id=community_id), 303)


@pages.post("/themes/<uuid:theme_id>/suivre")
def follow(community_id: UUID, theme_id: UUID) -> Response:
    return _change(community_id, themes.subscribe, theme_id)


@pages.post("/themes/<uuid:theme_id>/ne-plus-suivre")
def unfollow(community_id: UUID, theme_id: UUID) -> Response:
    return _change(community_id, themes.unsubscribe, theme_id)


@pages.post("/themes/<uuid:theme_id>/archiver")
def archive(community_id: UUID, theme_id: UUID) -> Response:
    """Put a theme in the archive, or take it out."""
    frame.require_open(rights.MODERATOR)
    try:
        themes.archive(frame.seat(), theme_id, archived=request.form.get("archived") == "1")
    except (CommunityClosed, NotThere):
        abort(404)
    return redirect(url_for(".theme_list", community_id=community_id), 303)


def _change(community_id: UUID, act: Callable[[Seat, UUID], None], theme_id: UUID) -> Response:
    try:
        act(frame.seat(), theme_id)
    except NotThere:
        abort(404)
    return redirect(url_for(".theme_list", community_id=community_id), 303)


def _themes(form: ThemeForm) -> str:
    seat = frame.seat()
    moderates = seat.at_least(rights.MODERATOR)
    return render_template(
        "communities/themes.html", form=form, themes=talk.themes(seat.community.id, archived=moderates),
        subscribed=talk.subscribed(seat), moderates=moderates,
        subscribers=talk.subscribers(seat.community.id) if moderates else {},
    )  # fmt: skip


def _one(announcement_id: UUID) -> Announced:
    return talk.announcement(frame.seat(), announcement_id) or abort(404)
