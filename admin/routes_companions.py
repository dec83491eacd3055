"""Signatures of a stay, for the admissions office: who signs, whom to check, which sheets came, who is not ready."""

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards
from services.preadmission import queries as preadmission_queries
from services.preadmission.companions import actions, queries, reading, sheets, wording
from services.preadmission.companions.actions import traces
from services.preadmission.companions.forms import WaiveForm
from services.preadmission.companions.models import Companion
from services.preadmission.companions.routes_patient import pdf
from services.preadmission.companions.states import TRANSITIONS, TransitionRefused
from services.preadmission.models import Preadmission

pages = guards.staff(
    Blueprint("admin_companions", __name__, url_prefix="/admin/signatures", template_folder="templates"),
    right="preadmission",
)
Answer = str | Response | tuple[str, int]


@pages.get("")
def overview() -> str:
    """Children expected within a week whose authorisation to operate is not whole, the nearest first."""
    here = guards.establishments("preadmission")
    where = preadmission_queries.places(here)
    rows = [preadmission_queries.row_of(file, where) for file in queries.waiting_for_theatre(here)]
    lines = [(row, reading.theatre(row.file, preadmission_queries.answers_of(row.file.id))) for row in rows]
    return render_template(
        "admin/companions/overview.html",
        lines=[(row, theatre) for row, theatre in lines if not theatre.is_ready],
        words=wording,
    )


@pages.get("/<uuid:preadmission_id>")
def show(preadmission_id: UUID) -> str:
    """Everybody named in a file, what each signed, and what the hospital may do."""
    file = _file(preadmission_id)
    everybody = queries.of_file(file.id)
    if everybody:
        traces.record("companion.looked", everybody[0])
    return _page(file, WaiveForm())


def _page(file: Preadmission, form: WaiveForm) -> str:
    everybody = queries.of_file(file.id)
    ids = [each.id for each in everybody]
    return render_template(
        "admin/companions/show.html",
        file=file,
        companions=everybody,
        signatures=queries.signatures(ids),
        history=queries.changes(ids),
        names={each.id: each.full_name for each in everybody},
        theatre=reading.theatre(file, preadmission_queries.answers_of(file.id)),
        transitions=TRANSITIONS,
        form=form,
        words=wording,
    )


@pages.post("/<uuid:preadmission_id>/<uuid:companion_id>/identite")
def confirm(preadmission_id: UUID, companion_id: UUID) -> Response:
    """It is the person who was named."""
    done = _("They may read and sign: they are told.")
    return _do(preadmission_id, companion_id, actions.confirm_identity, done)


@pages.post("/<uuid:preadmission_id>/<uuid:companion_id>/autre-personne")
def refuse(preadmission_id: UUID, companion_id: UUID) -> Response:
    """It is somebody else."""
    done = _("They see nothing. The person who was named signs on paper, or gets another link.")
    return _do(preadmission_id, companion_id, actions.refuse_identity, done)


@pages.post("/<uuid:preadmission_id>/<uuid:companion_id>/feuille-recue")
def received(preadmission_id: UUID, companion_id: UUID) -> Response:
    """The signed sheet is here."""
    return _do(preadmission_id, companion_id, actions.receive_sheet, _("The sheet is noted as received, in your name."))


@pages.post("/<uuid:preadmission_id>/<uuid:companion_id>/dispenser")
def waive(preadmission_id: UUID, companion_id: UUID) -> Answer:
    """No signature of this person is needed, for a reason that is written down."""
    form = WaiveForm()
    if not form.validate_on_submit():
        return _page(_file(preadmission_id), form), 422
    reason = (form.reason.data or "").strip()
    done = _("This signature is no longer waited for.")
    return _do(preadmission_id, companion_id, lambda companion: actions.waive(companion, reason), done)


@pages.get("/<uuid:preadmission_id>/<uuid:companion_id>/signature.pdf")
def sheet(preadmission_id: UUID, companion_id: UUID) -> Response:
    """What was signed, with its evidence; opening it is written down."""
    companion = _one(_file(preadmission_id), companion_id)
    made = queries.signatures([companion.id])[companion.id]
    if not made:
        abort(404)
    traces.record("companion.sheet_opened", companion)
    return pdf(sheets.signed(made[::-1], made[0].at), _("signature"))


def _do(preadmission_id: UUID, companion_id: UUID, act: Callable[[Companion], None], done: str) -> Response:
    file = _file(preadmission_id)
    try:
        act(_one(file, companion_id))
    except TransitionRefused:
        flash(_("Somebody else changed this meanwhile: look again."), "warning")
    else:
        flash(done, "success")
    return redirect(url_for(".show", preadmission_id=file.id), 303)


def _file(preadmission_id: UUID) -> Preadmission:
    return preadmission_queries.one_at(guards.establishments("preadmission"), preadmission_id) or abort(404)


def _one(file: Preadmission, companion_id: UUID) -> Companion:
    return queries.one_of_file(file.id, companion_id) or abort(404)
