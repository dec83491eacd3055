"""Reviews of rights: every six months each right of each agent is kept or withdrawn by an administrator."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from admin import actions_audit, queries_figures
from admin.forms_oversight import DecisionForm
from admin.forms_staff import RIGHT_HINTS, RIGHT_TITLES
from auth import guards
from auth.oversight import actions, queries
from auth.oversight.actions import OwnRights, ReviewClosed, ReviewUnderWay
from auth.oversight.campaigns import every
from auth.oversight.models import AccessReview
from auth.oversight.queries import Reviewed
from auth.rights import LastAdministrator, OwnLastAdministration, UnknownAgent
from portal import db
from portal.web.spreadsheets import csv_response

review_pages = guards.staff(
    Blueprint("admin_access_reviews", __name__, url_prefix="/admin/revues-des-droits", template_folder="templates"),
    right="administration",
)
Answer = AnyResponse | tuple[str, int]


@review_pages.get("")
def overview() -> str:
    """The reviews under way at my hospitals, the former ones, and where one may be opened now."""
    found = queries.reviews(guards.establishments("administration"))
    busy = {each.review.establishment_id for each in found if each.review.closed_at is None}
    mine = queries_figures.hospitals(guards.establishments("administration"))
    return render_template(
        "admin/oversight/reviews.html",
        reviews=found,
        free=[each for each in mine if each.id not in busy],
        delays={each.id: every(each) for each in mine},
    )


@review_pages.post("/ouvrir/<finess>")
def open_review(finess: str) -> AnyResponse:
    """Begin a review now."""
    mine = queries_figures.hospitals(guards.establishments("administration"))
    hospital = next((each for each in mine if each.finess == finess), None) or abort(404)
    try:
        review = actions.open_review(hospital)
    except ReviewUnderWay:
        flash(_("A review is under way at this hospital already."), "info")
        return redirect(url_for(".overview"), 303)
    flash(_("The review is open, and the administrators are told."), "success")
    return redirect(url_for(".one", review_id=review.id), 303)


@review_pages.get("/<uuid:review_id>")
def one(review_id: UUID) -> str:
    """The agents of a review: who waits, and what was decided."""
    review = _review(review_id)
    return render_template(
        "admin/oversight/review.html",
        review=review,
        agents=queries.agents_of(review),
        titles=RIGHT_TITLES,
        me=db.current_actor().account_id,
    )


@review_pages.route("/<uuid:review_id>/<uuid:account_id>", methods=["GET", "POST"])
def agent(review_id: UUID, account_id: UUID) -> Answer:
    """One agent: each of their rights is kept or withdrawn."""
    review = _review(review_id)
    reviewed = next(iter(queries.agents_of(review, account_id)), None) or abort(404)
    form = DecisionForm()
    choice = {line.right: request.form.get(f"right-{line.right}", "") for line in reviewed.waiting}
    trouble = ""
    if form.validate_on_submit():
        if all(each in ("keep", "remove") for each in choice.values()):
            trouble = _decide(review, reviewed, [right for right, each in choice.items() if each == "keep"])
            if not trouble:
                return redirect(url_for(".one", review_id=review.id), 303)
        else:
            trouble = _("Choose an answer for each right")
    page = render_template(
        "admin/oversight/review_agent.html", form=form, review=review, reviewed=reviewed, titles=RIGHT_TITLES,
        hints=RIGHT_HINTS, choice=choice, trouble=trouble, is_mine=account_id == db.current_actor().account_id,
    )  # fmt: skip
    return page, 422 if trouble else 200


def _decide(review: AccessReview, reviewed: Reviewed, kept: list[str]) -> str:
    """Why it could not be, or nothing."""
    try:
        actions.decide(review, reviewed.account.id, kept)
    except OwnRights:
        abort(403)
    except (LastAdministrator, OwnLastAdministration):
        return str(_("Somebody must go on administering this hospital: give this right to another agent first"))
    except (ReviewClosed, UnknownAgent):
        flash(_("This review was closed meanwhile, or the agent left: nothing was changed."), "info")
        return ""
    flash(_("The rights of %(name)s are reviewed.", name=reviewed.account.name), "success")
    return ""


@review_pages.route("/<uuid:review_id>/clore", methods=["GET", "POST"])
def close(review_id: UUID) -> Answer:
    """End a review although some rights wait; they stay written as not reviewed."""
    review, form = _review(review_id), DecisionForm()
    if form.validate_on_submit():
        try:
            actions.close_review(review)
        except ReviewClosed:
            flash(_("This review was closed already."), "info")
        else:
            flash(_("The review is closed."), "success")
        return redirect(url_for(".overview"), 303)
    left = sum(len(each.waiting) for each in queries.agents_of(review))
    return render_template("admin/oversight/review_close.html", form=form, review=review, left=left), 200


@review_pages.get("/<uuid:review_id>/rapport")
def report(review_id: UUID) -> Response:
    """The review as CSV, for whoever audits the hospital."""
    review = _review(review_id)
    headers = (_("Agent"), _("Right"), _("Given on"), _("Decision"), _("Decided by"), _("Decided on"))
    rows = [row for each in queries.agents_of(review) for row in _rows(each)]
    actions_audit.export_review(review)
    return csv_response(f"revue-{review.establishment.finess}-{review.opened_at:%Y-%m-%d}", headers, rows)


def _rows(reviewed: Reviewed) -> list[tuple[Any, ...]]:
    return [
        (
            reviewed.account.name,
            str(RIGHT_TITLES.get(line.right, line.right)),
            f"{line.granted_at:%Y-%m-%d}",
            str(_decisions()[line.decision]),
            line.decider.name if line.decider else "",
            f"{line.decided_at:%Y-%m-%d}" if line.decided_at else "",
        )
        for line in reviewed.lines
    ]


def _decisions() -> dict[str, str]:
    """Decision → words."""
    return {"": _("not reviewed"), "kept": _("kept"), "removed": _("withdrawn"), "gone": _("withdrawn meanwhile")}


def _review(review_id: UUID) -> AccessReview:
    return queries.one_review(guards.establishments("administration"), review_id) or abort(404)
