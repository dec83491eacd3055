"""What people say of services: results for administrators, comments for the agents of each service, and the tray in
which comments are screened first."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from admin.forms_opinions import ScreeningForm
from auth import guards
from portal import calendar, db, kpi
from services.satisfaction import actions, queries, screening, wording
from services.satisfaction.actions import AlreadyDecided, NotTheirWords
from services.satisfaction.models import OpinionComment

pages = guards.staff(
    Blueprint("admin_satisfaction", __name__, url_prefix="/admin/satisfaction", template_folder="templates")
)
comment_pages = guards.staff(
    Blueprint("admin_opinions", __name__, url_prefix="/admin/satisfaction/commentaires", template_folder="templates"),
    right=queries.RIGHT,
)
Answer = str | Response | tuple[str, int]
DAYS: Final = 90
_LAST_PAGE: Final = 10_000


@pages.get("")
def overview() -> str:
    """Results of ninety days for administrators; comments let through, of the services whose agent one is.

    By address: service, page.
    """
    reach = queries.reach(db.current_actor().rights)
    mine = guards.establishments(queries.RIGHT)
    last = calendar.civil_day(db.now(), ZoneInfo(kpi.GROUP_ZONE))
    wanted, page = _service(reach), _page()
    found = queries.published(reach, service=wanted, page=page)
    return render_template(
        "admin/satisfaction/overview.html",
        results=queries.results(mine, last - timedelta(days=DAYS - 1), last) if mine else (),
        administers=bool(mine),
        waiting=queries.count_waiting(mine) if mine else 0,
        opinions=found[: queries.PAGE_SIZE],
        has_next=len(found) > queries.PAGE_SIZE,
        services=[service for service, places in reach.places.items() if places],
        wanted=wanted,
        page=page,
        days=DAYS,
        words=wording,
    )


def _service(reach: queries.Reach) -> str:
    wanted = request.args.get("service", "")
    return wanted if reach.places.get(wanted) else ""


def _page() -> int:
    return min(max(request.args.get("page", 1, type=int), 1), _LAST_PAGE)


@comment_pages.get("")
def comments() -> str:
    """Comments to screen, the most urgent first; `etat=lus` for those that were. No word of them is shown here."""
    waiting, page = request.args.get("etat") != "lus", _page()
    found = queries.comments(guards.establishments(queries.RIGHT), waiting=waiting, page=page)
    return render_template(
        "admin/satisfaction/comments.html",
        comments=found[: queries.PAGE_SIZE],
        has_next=len(found) > queries.PAGE_SIZE,
        waiting=waiting,
        page=page,
        words=wording,
        now=db.now(),
    )


@comment_pages.post("/suivant")
def next_one() -> Response:
    """The most urgent comment."""
    found = queries.next_comment(guards.establishments(queries.RIGHT))
    if found is None:
        flash(_("No comment waits to be screened."), "success")
        return redirect(url_for(".comments"), 303)
    return redirect(url_for(".show", opinion_id=found), 303)


@comment_pages.route("/<uuid:opinion_id>", methods=["GET", "POST"])
def show(opinion_id: UUID) -> Answer:
    """A comment as it was typed, what the rules found in it, and what becomes of it."""
    comment = queries.comment(guards.establishments(queries.RIGHT), opinion_id) or abort(404)
    form = ScreeningForm()
    if form.validate_on_submit():
        return _decided(comment, form)
    if not form.is_submitted():
        form = ScreeningForm(MultiDict(), words=screening.masked(comment.text))
        actions.open_comment(comment)
    return _shown(comment, form)


def _decided(comment: OpinionComment, form: ScreeningForm) -> Answer:
    try:
        _act(comment, form)()
    except AlreadyDecided:
        flash(_("Somebody screened this comment meanwhile: nothing of yours was done."), "warning")
        return redirect(url_for(".show", opinion_id=comment.opinion_id), 303)
    except NotTheirWords:
        form.words.errors = [_("These are not the person’s own words: leave passages out, and add nothing")]
        return _shown(comment, form)
    flash(_("Done."), "success")
    return redirect(url_for(".comments"), 303)


def _act(comment: OpinionComment, form: ScreeningForm) -> Callable[[], None]:
    if form.decision.data == "publish":
        return lambda: actions.publish(comment, form.words.data or "")
    return lambda: actions.remove(comment, form.reason.data)


def _shown(comment: OpinionComment, form: ScreeningForm) -> Answer:
    page = render_template(
        "admin/satisfaction/comment.html",
        comment=comment,
        form=form,
        pieces=screening.pieces(comment.text),
        words=wording,
    )
    return page, 422 if form.errors else 200
