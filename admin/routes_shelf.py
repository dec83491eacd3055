"""How documents are shown: rules by type, those that wait, those to send on paper, Mon espace santé."""

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards
from portal import db, establishments
from portal.establishments import Establishment
from portal.web.spreadsheets import csv_response
from services.documents import queries as room
from services.documents.models import RIGHT
from services.documents.shelf import actions, queries, wording
from services.documents.shelf.forms import TypeForm
from services.documents.shelf.mes import actions as mes_actions
from services.documents.shelf.mes import queries as mes
from services.documents.shelf.models import DEFAULT_REMIND_DAYS
from services.documents.states import NotPossibleNow
from services.documents.unread import actions as unread
from services.documents.unread import queries as unread_queries
from services.documents.unread.queries import Letter

pages = guards.staff(
    Blueprint("admin_shelf", __name__, url_prefix="/admin/documents", template_folder="templates"), right=RIGHT
)
Answer = str | Response | tuple[str, int]
_OTHERS = "autres"
"""The word of an address for the rules of all types that have none of their own."""
_COLUMNS = (
    "etablissement", "ipp", "nom_de_naissance", "prenom", "ne_le", "ecrit_le", "mis_a_disposition_le", "reference",
)  # fmt: skip


# -- types ---------------------------------------------------------------------------------------------------------


@pages.get("/types")
def types() -> str:
    """Each hospital: what it decided of each type, the types it receives, Mon espace santé."""
    hospitals = _mine()
    known = queries.types_at([each.id for each in hospitals])
    decided = {(row.establishment_id, row.type_code) for row in known}
    used = queries.codes_used_at([each.id for each in hospitals])
    return render_template(
        "admin/shelf/types.html",
        hospitals=hospitals,
        types={each.id: [row for row in known if row.establishment_id == each.id] for each in hospitals},
        undecided={each.id: [u for u in used if u[0] == each.id and u[:2] not in decided] for each in hospitals},
        labels={(place, code): label for place, code, label, _total in used},
        sends={each.id: mes.is_on(each.id) for each in hospitals},
        sendings={each.id: mes.counts_at(each.id) for each in hospitals},
        may_switch=guards.establishments("administration"),
        words=wording,
        default_remind=DEFAULT_REMIND_DAYS,
    )


@pages.route("/types/<finess>/nouveau", methods=["GET", "POST"])
def add_type(finess: str) -> Answer:
    """Decide of a type that has no line yet."""
    hospital = _hospital(finess)
    offered = {"type_code": request.args.get("code", "")[:40], "delay": "none", "notifies": True}
    form = TypeForm(data=offered | {"remind_days": DEFAULT_REMIND_DAYS, "kind": "letter"})
    if form.validate_on_submit():
        actions.change_type(hospital.id, form.type_code.data or "", form.rules)
        flash(_("Saved. It holds for documents that arrive from now on."), "success")
        return redirect(url_for(".types"), 303)
    return _type_page(hospital, form, None)


@pages.route("/types/<finess>/<type_code>", methods=["GET", "POST"])
def change_type(finess: str, type_code: str) -> Answer:
    """Change what was decided of a type, or take it away."""
    hospital = _hospital(finess)
    row = queries.type_at(hospital.id, "" if type_code == _OTHERS else type_code) or abort(404)
    if request.form.get("forget") == "1":
        actions.forget_type(row)
        flash(_("Documents of this type are treated as the others."), "success")
        return redirect(url_for(".types"), 303)
    form = TypeForm(data=TypeForm.as_data(row))
    form.type_code.data = row.type_code
    if form.validate_on_submit():
        actions.change_type(hospital.id, row.type_code, form.rules)
        flash(_("Saved. It holds for documents that arrive from now on."), "success")
        return redirect(url_for(".types"), 303)
    return _type_page(hospital, form, row)


def _type_page(hospital: Establishment, form: TypeForm, row: object) -> Answer:
    page = render_template("admin/shelf/type.html", hospital=hospital, form=form, row=row)
    return (page, 422) if form.errors else page


@pages.post("/types/<finess>/mon-espace-sante")
def switch_mes(finess: str) -> Response:
    """Begin or stop sending this hospital's documents to Mon espace santé."""
    hospital, value = _hospital(finess), request.form.get("sends")
    if value not in ("on", "off") or hospital.id not in guards.establishments("administration"):
        abort(403)
    mes_actions.switch(hospital.id, on=value == "on")
    flash(_("Saved."), "success")
    return redirect(url_for(".types"), 303)


# -- documents that wait -------------------------------------------------------------------------------------------


@pages.get("/en-attente")
def held() -> str:
    """What patients do not see yet: after the consultation, or after a delay."""
    return render_template(
        "admin/shelf/held.html", documents=queries.held_at(guards.establishments(RIGHT), db.now()), words=wording
    )


@pages.post("/<uuid:document_id>/montrer")
def release(document_id: UUID) -> Response:
    """Show a document to its patient now."""
    document = room.one_at(guards.establishments(RIGHT), document_id) or abort(404)
    try:
        actions.release(document)
        flash(_("The patient sees it now, and is told."), "success")
    except NotPossibleNow:
        flash(_("A colleague has already dealt with this letter."), "warning")
    return redirect(url_for(".held"), 303)


# -- letters on paper ----------------------------------------------------------------------------------------------


@pages.get("/papier")
def paper() -> str:
    """What nobody opened in time, to send by post; and what left."""
    held_at = guards.establishments(RIGHT)
    return render_template(
        "admin/shelf/paper.html",
        letters=unread_queries.to_post(held_at, db.now()),
        posted=unread_queries.posted_at(held_at),
        now=db.now(),
        words=wording,
    )


@pages.get("/papier.csv")
def paper_csv() -> Response:
    """The same list for the mail room: whose letter, which, and nothing of what it says."""
    letters = unread_queries.to_post(guards.establishments(RIGHT), db.now())
    unread.list_for_post([each.document for each in letters])
    return csv_response("courriers-papier", _COLUMNS, [_row(each) for each in letters])


@pages.post("/papier")
def post() -> Response:
    """Those that were ticked left by post."""
    done = 0
    for document_id in request.form.getlist("letter", type=UUID)[:500]:
        document = room.one_at(guards.establishments(RIGHT), document_id)
        if document is None:
            continue
        try:
            unread.mark_posted(document)
            done += 1
        except NotPossibleNow:
            continue
    if done:
        flash(_("Written down: %(num)d sent by post.", num=done), "success")
    else:
        flash(_("Tick the letters that you sent."), "warning")
    return redirect(url_for(".paper"), 303)


def _row(each: Letter) -> list[object]:
    document, patient = each.document, each.document.patient
    names: list[object] = [document.establishment.name, each.ipp]
    if patient is not None:
        names += [patient.birth_name, patient.first_name, patient.birth_on]
    shown = document.visible_at.astimezone(document.establishment.tz).date() if document.visible_at else ""
    return [*names, document.authored_on, shown, str(document.id)]


def _mine() -> list[Establishment]:
    held_at = guards.establishments(RIGHT)
    return [each for each in establishments.establishments() if each.id in held_at]


def _hospital(finess: str) -> Establishment:
    return next((each for each in _mine() if each.finess == finess), None) or abort(404)
