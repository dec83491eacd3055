"""Discussions of a community, and the moderators' tray."""

from datetime import timedelta
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth.news import actions as news
from portal.web.repeated_posts import once
from services.communities import frame, rights, wording
from services.communities.actions import NotAllowed, NotThere, discussing, moderating
from services.communities.actions.discussing import EDITABLE, TooLate, TopicClosed
from services.communities.forms import AnswerForm, KeepForm, ReasonForm, ReportForm, TopicForm
from services.communities.models import Post
from services.communities.queries import talk
from services.communities.queries.talk import Listed

pages = frame.members_only(Blueprint("community_talk", __name__, url_prefix=frame.PREFIX, template_folder="templates"))
Answer = Response | str | tuple[str, int]


@pages.get("/discussions")
def topics(community_id: UUID) -> str:
    """Discussions, all of them or those of a theme."""
    seat, page = frame.seat(), frame.page_number()
    themes = talk.themes(community_id)
    chosen = next((each for each in themes if str(each.id) == request.args.get("theme", "")), None)
    found = talk.topics(seat, chosen.id if chosen else None, page)
    return render_template(
        "communities/topics.html", found=found[: talk.PAGE], page=page, has_next=len(found) > talk.PAGE,
        themes=themes, chosen=chosen,
    )  # fmt: skip


@pages.route("/discussions/nouvelle", methods=["GET", "POST"])
@once
def open_topic(community_id: UUID) -> Answer:
    frame.require_open(rights.MEMBER)
    form = TopicForm()
    form.offer_themes(talk.themes(community_id))
    wanted = request.args.get("theme", "")
    if request.method == "GET" and form.has_theme(wanted):
        form.theme.data = wanted
    if not form.validate_on_submit():
        return render_template("communities/open_topic.html", form=form), 422 if form.is_submitted() else 200
    try:
        made = discussing.open_topic(frame.seat(), form.title.data or "", form.theme_id, form.body.data or "")
    except NotThere:
        form.theme.errors = [_("This theme has just been archived: choose another one.")]
        return render_template("communities/open_topic.html", form=form), 409
    return redirect(url_for(".topic", community_id=community_id, topic_id=made.id), 303)


@pages.get("/discussions/<uuid:topic_id>")
def topic(community_id: UUID, topic_id: UUID) -> str:
    """A discussion, with what was said; reading it is a mark of one's own."""
    found = _one(topic_id)
    if found.unread:
        discussing.mark_read(frame.seat(), found.topic)
    news.read_page(frame.account_id(), request.path)
    return _topic(found, AnswerForm())


@pages.post("/discussions/<uuid:topic_id>")
@once
def answer(community_id: UUID, topic_id: UUID) -> Answer:
    frame.require_open(rights.MEMBER)
    found, form = _one(topic_id), AnswerForm()
    if not form.validate_on_submit():
        return _topic(found, form), 422
    try:
        made = discussing.answer(frame.seat(), found.topic, form.body.data or "")
    except TopicClosed:
        form.body.errors = [_("A moderator has just closed this discussion. Your text is still here: copy it.")]
        return _topic(found, form), 409
    last = _last_page(found.topic.posts + 1)
    href = url_for(".topic", community_id=community_id, topic_id=topic_id, page=last if last > 1 else None)
    return redirect(f"{href}#message-{made.id}", 303)


@pages.post("/discussions/<uuid:topic_id>/epingler")
def pin(community_id: UUID, topic_id: UUID) -> Response:
    """Keep above the others, or not any more."""
    frame.require_open(rights.MODERATOR)
    discussing.pin(frame.seat(), _one(topic_id).topic, pinned=request.form.get("pinned") == "1")
    return redirect(url_for(".topic", community_id=community_id, topic_id=topic_id), 303)


@pages.post("/discussions/<uuid:topic_id>/clore")
def close(community_id: UUID, topic_id: UUID) -> Response:
    """Let nobody answer any more, or again."""
    frame.require_open(rights.MODERATOR)
    discussing.close(frame.seat(), _one(topic_id).topic, closed=request.form.get("closed") == "1")
    return redirect(url_for(".topic", community_id=community_id, topic_id=topic_id), 303)


# -- one message -----------------------------------------------------------------------------------------------------


@pages.route("/messages/<uuid:post_id>/modifier", methods=["GET", "POST"])
def edit(community_id: UUID, post_id: UUID) -> Answer:
    """Put one's own message right, soon after it was written."""
    frame.require_open(rights.MEMBER)
    post = _post(post_id)
    if post.author_id != frame.account_id() or post.withdrawn_at is not None:
        abort(404)
    form = AnswerForm(body=post.body)
    if not discussing.may_edit(frame.seat(), post):
        return _too_late(post, form)
    if not form.validate_on_submit():
        return render_template("communities/edit.html", form=form, post=post), 422 if form.is_submitted() else 200
    try:
        discussing.edit(frame.seat(), post, form.body.data or "")
    except TooLate:
        return _too_late(post, form)
    return _back_to(post)


@pages.post("/messages/<uuid:post_id>/retirer")
def withdraw(community_id: UUID, post_id: UUID) -> Response:
    """Take one's own message back."""
    post = _post(post_id)
    try:
        discussing.withdraw(frame.seat(), post)
    except NotAllowed:
        abort(404)
    flash(_("Your message was withdrawn. Its place stays in the discussion, without its words."), "success")
    return _back_to(post)


@pages.route("/messages/<uuid:post_id>/signaler", methods=["GET", "POST"])
def report(community_id: UUID, post_id: UUID) -> Answer:
    """Tell moderators of a message."""
    post, form = _post(post_id), ReportForm()
    if post.withdrawn_at is not None:
        flash(_("This message was withdrawn already."), "info")
        return _back_to(post)
    if not form.validate_on_submit():
        return render_template("communities/report.html", form=form, post=post), 422 if form.is_submitted() else 200
    moderating.report(frame.seat(), post, form.kind.data, form.words.data or "")
    flash(_("Thank you. The moderators of the community are told, and answer here."), "success")
    return _back_to(post)


# -- moderators ------------------------------------------------------------------------------------------------------


@pages.get("/moderation")
def tray(community_id: UUID) -> str:
    """What members reported, the oldest first."""
    frame.require(rights.MODERATOR)
    news.read_page(frame.account_id(), request.path)
    found = talk.tray(community_id)
    past = talk.past_of([each.post.id for each in found])
    return render_template(
        "communities/tray.html", found=found, past=past, decided=talk.decided(community_id), wording=wording
    )


@pages.route("/messages/<uuid:post_id>/moderer", methods=["GET", "POST"])
def moderate(community_id: UUID, post_id: UUID) -> Answer:
    """Withdraw a message, reported or not, with a reason that its author reads."""
    frame.require(rights.MODERATOR)
    post, form = _post(post_id), ReasonForm()
    if not form.validate_on_submit():
        return render_template("communities/moderate.html", form=form, post=post), 422 if form.is_submitted() else 200
    try:
        moderating.withdraw(frame.seat(), post, form.reason.data or "")
    except NotThere:
        flash(_("This message was withdrawn already."), "info")
    else:
        flash(_("The message was withdrawn. Its author is told, with your reason."), "success")
    return redirect(url_for(".tray", community_id=community_id), 303)


@pages.post("/messages/<uuid:post_id>/garder")
def keep(community_id: UUID, post_id: UUID) -> Response:
    """The message stays; the reports of it are answered."""
    frame.require(rights.MODERATOR)
    form = KeepForm()
    if not form.validate_on_submit():
        abort(422)
    try:
        moderating.keep(frame.seat(), _post(post_id), form.reason.data or "")
    except NotThere:
        flash(_("Another moderator has just seen to it."), "info")
    else:
        flash(_("The message stays. Whoever reported it reads your answer."), "success")
    return redirect(url_for(".tray", community_id=community_id), 303)


def _topic(found: Listed, form: AnswerForm) -> str:
    seat = frame.seat()
    last = _last_page(found.topic.posts)
    page = min(frame.page_number(), last)
    posts = talk.posts(found.topic.id, page)
    moderates = seat.at_least(rights.MODERATOR)
    return render_template(
        "communities/topic.html", found=found, topic=found.topic, posts=posts, form=form, page=page, last=last,
        moderates=moderates, reported=talk.own_reports(seat, found.topic.id), wording=wording,
        may_edit=lambda post: discussing.may_edit(seat, post), minutes=EDITABLE // timedelta(minutes=1),
    )  # fmt: skip


def _too_late(post: Post, form: AnswerForm) -> Answer:
    minutes = EDITABLE // timedelta(minutes=1)
    form.body.errors = [
        _("A message can be changed for %(minutes)s minutes. You can withdraw it still, or add another one.",
          minutes=minutes)
    ]  # fmt: skip
    return render_template("communities/edit.html", form=form, post=post), 409


def _back_to(post: Post) -> Response:
    return redirect(url_for(".topic", community_id=post.community_id, topic_id=post.topic_id), 303)


def _last_page(count: int) -> int:
    return max(1, -(-count // talk.POSTS))


def _one(topic_id: UUID) -> Listed:
    return talk.topic(frame.seat(), topic_id) or abort(404)


def _post(post_id: UUID) -> Post:
    return talk.post(frame.seat().community.id, post_id) or abort(404)
