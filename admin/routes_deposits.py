"""What patients deposited: to look at, to accept or to ask again; asking a patient for a document."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards
from portal import calendar, db, establishments
from portal.db import session
from portal.establishments import Establishment
from portal.files import FileNotReadable
from portal.web.downloads import file_response, shown_response
from portal.web.repeated_posts import once
from services.documents import queries as room
from services.documents.deposits import actions, queries, wording
from services.documents.deposits.actions import Closed
from services.documents.deposits.forms import AskForm
from services.documents.deposits.queries import Deposited
from services.documents.exchanges import queries as correspondence
from services.documents.forms import SearchForm
from services.documents.models import RIGHT
from services.documents.shelf import wording as shelf_wording
from services.pieces import actions as piece_actions
from services.pieces import queries as pieces
from services.pieces import wording as piece_wording
from services.pieces.forms import PageLinks, RefusePieceForm
from services.pieces.models import PiecePage
from services.pieces.states import TRANSITIONS, PieceTransitionRefused

pages = guards.staff(
    Blueprint("admin_deposits", __name__, url_prefix="/admin/documents/depots", template_folder="templates"),
    right=RIGHT,
)
Answer = str | Response | tuple[str, int]
_LISTS: dict[str, Callable[..., Any]] = {
    "a-examiner": queries.to_judge_at,
    "demandes": queries.asked_at,
    "examines": queries.judged_at,
}


@pages.get("")
def deposits() -> str:
    """What waits for an agent, what was asked for, what was judged."""
    view = request.args.get("liste", "a-examiner")
    held = guards.establishments(RIGHT)
    found = _LISTS.get(view, queries.to_judge_at)(held)
    return render_template(
        "admin/deposits/list.html",
        view=view if view in _LISTS else "a-examiner",
        found=found,
        counts=queries.counts_at(held),
        desk=room.counts_at(held),
        late={each.deposit.id for each in found if each.is_late(_today(each.deposit.establishment))},
        words=wording,
        kinds=shelf_wording.ONE,
    )


@pages.route("/<uuid:deposit_id>", methods=["GET"])
def show(deposit_id: UUID) -> str:
    """One deposit: its pages, and what to decide."""
    return _deposit_page(_one(deposit_id), RefusePieceForm(formdata=None))


def _deposit_page(found: Deposited, form: RefusePieceForm) -> str:
    allowed = TRANSITIONS[found.piece.state] if found.deposit.closed_at is None else frozenset()
    return render_template(
        "admin/deposits/show.html",
        found=found,
        deposit=found.deposit,
        piece=found.piece,
        form=form,
        may_accept="accepted" in allowed and found.piece.is_readable,
        may_refuse="refused" in allowed,
        may_stop=found.deposit.closed_at is None and not found.piece.is_there,
        known=room.patient_at(found.deposit.establishment_id, found.deposit.patient_id),
        changes=pieces.history(found.piece.id),
        links=PageLinks(partial(_page_address, found)),
        words=wording,
        kinds=shelf_wording.ONE,
        piece_words=piece_wording,
    )


def _page_address(found: Deposited, page: PiecePage, sheet: int | None = None) -> str:
    return url_for(".page", deposit_id=found.deposit.id, page_id=page.id, feuille=sheet)


@pages.get("/<uuid:deposit_id>/pages/<uuid:page_id>")
def page(deposit_id: UUID, page_id: UUID) -> Response:
    """One page as people look at it; looking is written down."""
    one = pieces.page_of(_one(deposit_id).piece, page_id) or abort(404)
    try:
        return shown_response(piece_actions.hand_over(one, sheet=request.args.get("feuille", type=int)))
    except FileNotReadable:
        abort(404)


@pages.get("/<uuid:deposit_id>/pages/<uuid:page_id>/original")
def original(deposit_id: UUID, page_id: UUID) -> Response:
    """The file exactly as it was sent, for the patient's record."""
    one = pieces.page_of(_one(deposit_id).piece, page_id) or abort(404)
    try:
        return file_response(piece_actions.hand_over_original(one))
    except FileNotReadable:
        abort(404)


@pages.post("/<uuid:deposit_id>/accepter")
def accept(deposit_id: UUID) -> Response:
    """It is what was needed."""
    found = _one(deposit_id)
    return _decide(found, partial(actions.accept, found), _("Accepted. The patient is told."))


@pages.post("/<uuid:deposit_id>/refuser")
def refuse(deposit_id: UUID) -> Answer:
    """Ask the patient for another one, with the reason."""
    found, form = _one(deposit_id), RefusePieceForm()
    if not form.validate():
        return _deposit_page(found, form), 422
    decision = partial(actions.refuse, found, form.reason.data, (form.note.data or "").strip())
    return _decide(found, decision, _("The patient is asked for another one."))


@pages.post("/<uuid:deposit_id>/ne-plus-demander")
def no_longer_ask(deposit_id: UUID) -> Response:
    """The unit does not need it any more."""
    found = _one(deposit_id)
    return _decide(found, partial(actions.no_longer_ask, found), _("It is no longer asked of the patient."))


def _decide(found: Deposited, decision: Callable[[], None], done: str) -> Response:
    try:
        with session.begin_nested():
            decision()
        flash(done, "success")
    except (Closed, PieceTransitionRefused):
        flash(_("Somebody has dealt with it in the meantime."), "warning")
    except FileNotReadable:
        flash(_("The antivirus has not finished with every page: try again in a moment."), "warning")
    return redirect(url_for(".show", deposit_id=found.deposit.id), 303)


# -- asking --------------------------------------------------------------------------------------------------------


@pages.route("/demander", methods=["GET", "POST"])
def choose_patient() -> str:
    """Find the patient to ask."""
    hospitals = _hospitals()
    chosen = _hospital(request.values.get("establishment", "")) or hospitals[0]
    search = SearchForm(request.form)
    return render_template(
        "admin/deposits/choose_patient.html",
        hospitals=hospitals,
        chosen=chosen,
        search=search,
        found=search.find(chosen.id),
    )


@pages.route("/demander/<uuid:establishment_id>/<uuid:patient_id>", methods=["GET", "POST"])
@once
def ask(establishment_id: UUID, patient_id: UUID) -> Answer:
    """Ask a patient of the hospital for a document."""
    hospital = _hospital(str(establishment_id)) or abort(404)
    known = room.patient_at(hospital.id, patient_id) or abort(404)
    units, form = correspondence.units_at([hospital.id]), AskForm()
    form.today = _today(hospital)
    form.offer(units)
    if form.validate_on_submit():
        unit = next(each for each in units if str(each.id) == form.unit.data)
        deposit = actions.ask(patient_id, unit, form.wish)
        flash(_("The patient is asked for it, and told by mail that something waits."), "success")
        return redirect(url_for(".show", deposit_id=deposit.id), 303)
    page_ = render_template("admin/deposits/ask.html", form=form, hospital=hospital, known=known)
    return (page_, 422) if form.errors else page_


def _today(hospital: Establishment) -> Any:
    return calendar.civil_day(db.now(), hospital.tz)


def _hospitals() -> list[Establishment]:
    held = guards.establishments(RIGHT)
    return [each for each in establishments.establishments() if each.id in held]


def _hospital(establishment_id: str) -> Establishment | None:
    return next((each for each in _hospitals() if str(each.id) == establishment_id), None)


def _one(deposit_id: UUID) -> Deposited:
    return queries.one_at(guards.establishments(RIGHT), deposit_id) or abort(404)
