"""A file that an agent fills in for somebody on the phone or at the desk: who, which stay, then all on one page."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin.routes_preadmission import Answer, here, preadmission_pages
from admin.routes_preadmission_files import one, one_with_piece
from auth import held_forms, records
from auth.enrolment import queries as people
from portal import establishments
from portal.db import session
from portal.files import FileNotReadable
from portal.web.repeated_posts import once
from services.pieces import queries as piece_queries
from services.pieces import wording as piece_wording
from services.pieces.actions import NoPage, TooManyFiles
from services.pieces.forms import DepositForm
from services.pieces.models import HAS_EXPIRY, Piece
from services.pieces.states import PieceTransitionRefused
from services.preadmission import actions, asked, queries, steps, wording
from services.preadmission.actions import ChangedMeanwhile, HeldByAnother, Incomplete, StayInThePast, UnitNotOpen
from services.preadmission.models import Preadmission
from services.preadmission.office import actions as office_actions
from services.preadmission.office.forms import BeginForm, DecisionForm, FindForm, NewPersonForm
from services.preadmission.states import TransitionRefused
from services.preadmission.steps import StepForm

_NOT_ANSWERS = frozenset({"csrf_token", "version", "once"})


# -- who, and which stay -------------------------------------------------------------------------------------------


@preadmission_pages.route("/nouvelle", methods=["GET", "POST"])
def find_patient() -> Answer:
    """Somebody the hospital knows. A post, so that names stay out of addresses and of logs."""
    held = held_forms.take()
    form = FindForm(formdata=held) if held else FindForm()
    form.offer([each for each in establishments.establishments() if each.id in here()])
    found = None
    if request.method == "POST" and form.validate():
        where = frozenset([UUID(form.establishment.data)])
        number, name = (form.ipp.data or "").strip(), (form.birth_name.data or "").strip()
        found = people.search(where, ipp=number, name=name, birth_on=form.birth_on.data)
    page = render_template(
        "admin/preadmission/find_patient.html",
        form=form,
        found=found,
        invitations=url_for("admin_stay_invitations.invite"),
    )
    return page, 422 if form.errors else 200


@preadmission_pages.route("/nouvelle/personne", methods=["GET", "POST"])
@once
def register_patient() -> Answer:
    """Somebody the hospital does not know yet: a provisional identity, to be checked on their card."""
    form = NewPersonForm()
    form.offer([each for each in establishments.establishments() if each.id in here()])
    if not form.validate_on_submit():
        return render_template("admin/preadmission/new_person.html", form=form), 422 if form.errors else 200
    made = records.register_patient(
        UUID(form.establishment.data),
        birth_name=form.birth_name.data or "",
        first_name=form.first_name.data or "",
        birth_on=form.birth_on.data,
        sex=form.sex.data,
        mobile=(form.mobile.data or "").strip(),
        email=(form.email.data or "").strip(),
    )
    return redirect(url_for(".begin", patient_id=made.id), 303)


@preadmission_pages.route("/nouvelle/<uuid:patient_id>", methods=["GET", "POST"])
@once
def begin(patient_id: UUID) -> Answer:
    """Which stay, and who says it."""
    patient = queries.known_patient(here(), patient_id) or abort(404)
    held = held_forms.take()
    form = BeginForm(formdata=held) if held else BeginForm()
    form.offer([unit for unit in queries.units_on_offer() if unit.establishment_id in here()])
    if form.validate_on_submit():
        try:
            made = office_actions.begin_for(patient.id, form.stay(), form.who())
        except UnitNotOpen:
            form.unit_id.errors = [_("This unit does not take online files.")]
        except StayInThePast:
            form.planned_on.errors = [_("This day has passed: write the day of arrival.")]
        else:
            return redirect(url_for(".entry", preadmission_id=made.id), 303)
    page = render_template("admin/preadmission/begin.html", form=form, patient=patient)
    return page, 422 if form.errors else 200


# -- everything on one page ----------------------------------------------------------------------------------------


@preadmission_pages.route("/<uuid:preadmission_id>/saisie", methods=["GET", "POST"])
def entry(preadmission_id: UUID) -> Answer:
    """The same questions as the patient's, one after the other. Each step filled in is kept; empty ones wait."""
    file = one(preadmission_id)
    if file.state != "draft":
        return redirect(url_for(".show", preadmission_id=file.id), 303)
    forms = _step_forms(file)
    if request.method == "GET":
        return _entry_page(file, forms)
    for code, form in forms.items():
        if not _is_typed(file, code, form) or not form.validate():
            continue
        try:
            actions.fill(file, form.answers(), form.version_read())
        except ChangedMeanwhile:
            form.form_errors.append(_("The patient or a colleague saved this meanwhile: reload the page to see it."))
            return _entry_page(file, {code: form}), 409
    if any(form.errors for form in forms.values()):
        return _entry_page(file, forms), 422
    flash(_("Kept."), "success")
    return redirect(url_for(".entry", preadmission_id=file.id), 303)


@preadmission_pages.post("/<uuid:preadmission_id>/envoyer")
def send(preadmission_id: UUID) -> Answer:
    """The file is whole: it goes to the tray, and the patient may read it in their space."""
    file = one(preadmission_id)
    try:
        with session.begin_nested():
            actions.submit(file)
    except Incomplete:
        flash(_("Something is missing: see what is still to be filled in."), "warning")
        return redirect(url_for(".entry", preadmission_id=file.id), 303)
    except (TransitionRefused, StayInThePast):
        flash(_("Not done: this file was sent already, or its day has passed."), "warning")
    else:
        flash(_("The file is in the tray. The patient will find it in their space."), "success")
    return redirect(url_for(".show", preadmission_id=file.id), 303)


@preadmission_pages.post("/<uuid:preadmission_id>/pieces/<uuid:piece_id>/vue")
def seen_on_paper(preadmission_id: UUID, piece_id: UUID) -> Response:
    """The paper was shown at the desk, or will be on the day: nothing to scan."""
    file, piece = one_with_piece(preadmission_id, piece_id)
    form = DecisionForm()
    try:
        with session.begin_nested():
            actions.waive_piece(file, piece, form.version_read())
    except (ChangedMeanwhile, HeldByAnother, TransitionRefused, PieceTransitionRefused):
        flash(_("Not done: this file has changed in the meantime. Here is how it stands."), "warning")
    return redirect(_after(file), 303)


@preadmission_pages.route("/<uuid:preadmission_id>/pieces/<uuid:piece_id>/numeriser", methods=["GET", "POST"])
def receive_piece(preadmission_id: UUID, piece_id: UUID) -> Answer:
    """Scan a document shown at the desk. Uploads are received before anything is written."""
    file, piece = one_with_piece(preadmission_id, piece_id)
    form = DepositForm()
    if not form.is_submitted():
        return _scan_page(file, piece, form)
    valid, kept = form.validate(), form.take_uploads(piece)
    if not valid or form.errors or not kept:
        return _scan_page(file, piece, form), form.status
    answer: Answer = _receive(preadmission_id=file.id, piece_id=piece.id, kept=[each.id for each in kept], form=form)
    return answer


@once
def _receive(preadmission_id: UUID, piece_id: UUID, kept: list[UUID], form: DepositForm) -> Answer:
    file, piece = one_with_piece(preadmission_id, piece_id)
    until = form.expires_on.data if piece.kind in HAS_EXPIRY else None
    try:
        with session.begin_nested():
            actions.receive_piece(file, piece, kept, until)
    except (FileNotReadable, NoPage, TooManyFiles, HeldByAnother, TransitionRefused, PieceTransitionRefused):
        flash(
            _("Not taken: the document is settled, a colleague has the file, or there are too many pages."), "warning"
        )
    else:
        flash(_("Scanned. It can be looked at as soon as the antivirus has accepted it."), "success")
    return redirect(_after(file, piece), 303)


def _after(file: Preadmission, piece: Piece | None = None) -> str:
    if file.state == "draft":
        return url_for(".entry", preadmission_id=file.id)
    return url_for(".show", preadmission_id=file.id, piece=piece.id if piece else None)


def _scan_page(file: Preadmission, piece: Piece, form: DepositForm) -> str:
    return render_template(
        "admin/preadmission/scan.html",
        file=file,
        piece=piece,
        form=form,
        has_expiry=piece.kind in HAS_EXPIRY,
        parent=_after(file, piece),
        piece_words=piece_wording,
    )


# -- the forms of the steps ----------------------------------------------------------------------------------------


def _step_forms(file: Preadmission) -> Mapping[str, StepForm]:
    """Every step this person is asked, as the patient would be, each under a prefix of its own."""
    facts, rows, given = queries.facts(file), queries.steps_of(file.id), queries.answers_of(file.id)
    forms = {}
    for code in asked.steps(facts):
        step = steps.STEPS.get(code)
        if step is None:
            continue
        row = rows.get(code)
        shown = {**step.form.shown(given.get(code), file), "version": str(row.version if row else 0)}
        # One token for the page: the steps are parts of one form.
        form = step.form(prefix=code, meta={"csrf": False}, **shown)
        form.prepare(facts)
        forms[code] = form
    return forms


def _is_typed(file: Preadmission, code: str, form: StepForm) -> bool:
    """Whether the agent put anything in this step, or says that they asked: one left as it was waits for later."""
    if f"{code}-asked" in request.form:
        return True
    given = queries.answers_of(file.id)
    untouched = steps.STEPS[code].form(
        formdata=None, prefix=code, meta={"csrf": False}, **steps.STEPS[code].form.shown(given.get(code), file)
    )
    untouched.prepare(queries.facts(file))
    return any(
        (field.data or "") != (untouched[field.short_name].data or "")
        for field in form
        if field.short_name not in _NOT_ANSWERS
    )


def _entry_page(file: Preadmission, forms: Mapping[str, StepForm]) -> str:
    pieces = piece_queries.of_folder(file.id)
    missing = actions.missing_from(file)
    context: dict[str, Any] = {
        "file": file,
        "forms": forms,
        "steps": steps.STEPS,
        "missing": missing,
        "pieces": pieces,
        "words": wording,
        "piece_words": piece_wording,
        "decision": DecisionForm(formdata=None, version=str(file.version)),
        "form": next((form for form in forms.values() if form.errors), None),
    }
    return render_template("admin/preadmission/entry.html", **context)
