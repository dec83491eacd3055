"""The one question, for whoever has just done something: a patient, somebody who acts for one, a practitioner."""

from uuid import UUID

from flask import Blueprint, abort, current_app, redirect, render_template, url_for
from werkzeug.wrappers import Response

from auth import guards
from portal import db
from portal.web.limits import limiter
from portal.web.repeated_posts import once
from services.satisfaction import actions, asking, wording
from services.satisfaction.actions import AlreadySaid, NotAsked
from services.satisfaction.asking import Shown
from services.satisfaction.forms import OpinionForm

pages = guards.signed_in(Blueprint("opinions", __name__, url_prefix="/avis", template_folder="templates"))
COMPLAINT = "reclamation"
"""The request to which a hospital answers in writing (`services.documents.requests`)."""


def question() -> Shown | None:
    """For the pages on which something ends (`satisfaction/card.html`): the question to show, when there is one."""
    return actions.show(marking=not current_app.config["SETTINGS"].read_only)


@pages.route("/<uuid:turn_id>", methods=["GET", "POST"])
@limiter.limit("30 per hour", methods=["POST"])
@once
def ask(turn_id: UUID) -> Response | tuple[str, int]:
    """One question, answered once."""
    turn = asking.turn(turn_id) or abort(404)
    if turn.answered_at is not None:
        return redirect(url_for(".thanks"), 303)
    form = OpinionForm()
    if form.validate_on_submit():
        try:
            actions.answer(turn_id, form.chosen, form.comment.data or "")
        except NotAsked:
            abort(404)
        except AlreadySaid:
            pass  # at the same moment, in another window: the first answer counts
        return redirect(url_for(".thanks"), 303)
    page = render_template("satisfaction/ask.html", form=form, turn=turn, words=wording, complaint=_complaint())
    return page, 422 if form.errors else 200


@pages.get("/merci")
def thanks() -> str:
    """It is kept."""
    return render_template("satisfaction/thanks.html", complaint=_complaint())


def _complaint() -> str:
    """Where a patient asks for an answer; practitioners write to the unit."""
    is_patient = db.current_actor().kind == "patient"
    return url_for("record_requests.begin", slug=COMPLAINT) if is_patient else ""
