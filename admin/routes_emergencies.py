"""A file opened in an emergency, and the judgement of such openings by auditors."""

from datetime import timedelta
from uuid import UUID

from flask import Blueprint, Response, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from admin import queries_emergencies, queries_figures
from admin.forms_emergencies import KINDS, VERDICTS, OpenForm, ReviewForm
from auth import guards, tries
from auth.emergencies import actions, queries
from auth.emergencies.actions import AlreadyReviewed, OwnOpening
from auth.emergencies.queries import Opening
from auth.models import EmergencyAccess
from auth.tries import TooManyTries
from portal import db
from portal.establishments import Establishment
from portal.web import errors
from portal.web.downloads import file_response
from portal.web.fields import choices
from portal.web.repeated_posts import once
from services.preadmission.steps.relative import LINKS

emergency_pages = guards.staff(
    Blueprint("admin_emergencies", __name__, url_prefix="/admin/urgence", template_folder="templates")
)
review_pages = guards.staff(
    Blueprint("admin_emergency_reviews", __name__, url_prefix="/admin/urgence/revues", template_folder="templates"),
    right="audit",
)

_TRIES, _WINDOW = 10, timedelta(hours=1)
"""Descriptions of a patient that one agent may give in an hour, found or not."""


@emergency_pages.route("", methods=["GET", "POST"])
@once
def open_file() -> AnyResponse | tuple[str, int]:
    """Whose file and why, then the file. A post, so that names stay out of addresses and logs."""
    hospitals = list(queries_figures.hospitals(db.current_actor().establishments))
    form = OpenForm()
    form.establishment.choices = choices((each.finess, each.name) for each in hospitals)
    if not form.validate_on_submit():
        return _ask(form, hospitals)
    try:
        _count_the_try()
    except TooManyTries:
        return errors.page(429, text=_("You have asked for too many files this hour. Call the person on duty."))
    place = next(each for each in hospitals if each.finess == form.establishment.data)
    patient = queries.find(place.id, form.wanted)
    if patient is None:
        form.ipp.errors = [_("No file of this hospital matches exactly, or several do: check, or use the number")]
        return _ask(form, hospitals)
    opened = actions.open_file(place.id, patient.id, form.kind.data, form.reason.data or "")
    return redirect(url_for("admin_emergencies.show", access_id=opened.id), 303)


def _count_the_try() -> None:
    me = db.current_actor().account_id
    if me is not None:
        tries.spend(tries.of_account(me, "emergency", _TRIES, _WINDOW))


def _ask(form: OpenForm, hospitals: list[Establishment]) -> tuple[str, int]:
    page = render_template(
        "admin/emergencies/open.html", form=form, hospitals=hospitals, open_ones=queries.my_open_ones()
    )
    return page, 422 if form.errors else 200


@emergency_pages.get("/<uuid:access_id>")
def show(access_id: UUID) -> str | AnyResponse:
    """The file, read only, until the hour is over."""
    if (opened := queries.mine(access_id)) is None:
        return _over()
    file = queries_emergencies.open_file(opened)
    actions.look(opened, "file")
    return render_template(
        "admin/emergencies/file.html",
        opened=opened,
        file=file,
        hospital=_place(opened.establishment_id),
        links=LINKS,
    )


def _over() -> AnyResponse:
    return errors.page(
        404,
        _("This file is not open"),
        _("A file opened in an emergency closes after an hour. If you still need it, open it again and say why."),
    )


@emergency_pages.get("/<uuid:access_id>/documents/<uuid:document_id>")
def document(access_id: UUID, document_id: UUID) -> Response | AnyResponse:
    """One document of the file."""
    if (opened := queries.mine(access_id)) is None:
        return _over()
    found = queries_emergencies.document(opened, document_id) or abort(404)
    actions.look(opened, "document", found.id)
    return file_response(found.shown_file, inline=True)


@emergency_pages.post("/<uuid:access_id>/fermer")
def close(access_id: UUID) -> AnyResponse:
    """Close the file before its hour is over."""
    opened: EmergencyAccess = queries.mine(access_id) or abort(404)
    actions.end(opened)
    flash(_("The file is closed."), "success")
    return redirect(url_for("admin_emergencies.open_file"), 303)


# -- judging ------------------------------------------------------------------------------------------------------


@review_pages.get("")
def reviews() -> str:
    """The openings that wait for a judgement, and the last ones judged."""
    ids = guards.establishments("audit")
    return render_template(
        "admin/emergencies/reviews.html",
        waiting=queries.openings(ids, judged=False),
        judged=queries.openings(ids, judged=True, limit=30),
        kinds=KINDS,
        me=db.current_actor().account_id,
    )


@review_pages.route("/<uuid:access_id>", methods=["GET", "POST"])
def review(access_id: UUID) -> AnyResponse | tuple[str, int]:
    """One opening: who, why, what was looked at; and the judgement."""
    opening = queries.one_opening(guards.establishments("audit"), access_id) or abort(404)
    form = ReviewForm()
    if form.validate_on_submit():
        return _judge(opening, form)
    return _review_page(opening, form)


def _judge(opening: Opening, form: ReviewForm) -> AnyResponse | tuple[str, int]:
    try:
        actions.review(opening.access, justified=form.verdict.data == "yes", comment=form.comment.data or "")
    except OwnOpening:
        abort(403)
    except AlreadyReviewed:
        flash(_("Somebody has judged this opening meanwhile."), "info")
    else:
        flash(_("Your judgement is kept, and the agent is told."), "success")
    return redirect(url_for("admin_emergency_reviews.reviews"), 303)


def _review_page(opening: Opening, form: ReviewForm) -> tuple[str, int]:
    page = render_template(
        "admin/emergencies/review.html",
        form=form,
        opening=opening,
        kinds=KINDS,
        verdicts=VERDICTS,
        events=queries.looked_at(opening.access),
        is_mine=opening.access.account_id == db.current_actor().account_id,
    )
    return page, 422 if form.errors else 200


def _place(establishment_id: UUID) -> Establishment:
    return db.session.get_one(Establishment, establishment_id)
