"""The staff's tray of letters: what could not be matched, what was filed, what was refused; sending to a patient."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from auth import guards
from portal import establishments
from portal.establishments import Establishment
from portal.files import FileNotReadable, StoredFile
from portal.web import uploads
from portal.web.downloads import file_response
from portal.web.repeated_posts import once
from services.documents import actions, jobs, queries, reading, wording
from services.documents.actions import RIGHT, PatientNotKnown
from services.documents.forms import (
    DiscardForm,
    PublicationForm,
    ReceiveForm,
    SearchForm,
    TakeBackForm,
)
from services.documents.jobs import Parcel
from services.documents.models import Document
from services.documents.states import NotPossibleNow
from services.documents.tray import actions as tray_actions
from services.documents.tray import queries as sorting
from services.documents.tray.forms import SortForm

documents_pages = guards.staff(
    Blueprint("admin_documents", __name__, url_prefix="/admin/documents", template_folder="templates"), right=RIGHT
)
Answer = str | Response | tuple[str, int]


# -- lists ---------------------------------------------------------------------------------------------------------


@documents_pages.get("/classes")
def filed() -> str:
    """The latest letters that reached a patient."""
    found = queries.documents_at(guards.establishments(RIGHT), "filed")
    return _list_page("filed", "admin/documents/filed.html", documents=found)


def _list_page(view: str, template: str, **found: Any) -> str:
    counts = queries.counts_at(guards.establishments(RIGHT))
    return render_template(template, view=view, counts=counts, words=wording, **found)


# -- one letter ----------------------------------------------------------------------------------------------------


@documents_pages.route("/<uuid:document_id>", methods=["GET", "POST"])
def show(document_id: UUID) -> str:
    """One letter, and the search for its patient (a post). Opening it is written down."""
    document = _one(document_id)
    shown = reading.read(document)
    actions.open_document(document)
    return _letter_page(document, shown)


def _letter_page(document: Document, shown: reading.Reading, refused: SortForm | None = None) -> str:
    search = SearchForm(request.form)
    found = search.find(document.establishment_id)
    in_tray = document.state == "tray"
    proposals = sorting.proposals(document) if in_tray else []
    form = refused or SortForm(formdata=None)
    form.offer_all(proposals, found, sorting.same_person(document) if in_tray else ())
    return render_template(
        "admin/documents/letter.html",
        document=document,
        reading=shown,
        heading=reading.heading,
        search=search,
        found=found,
        form=form,
        proposals=proposals,
        moment_of=datetime.fromisoformat,
        misfilings=sorting.misfilings_of(document),
        changes=queries.changes_of(document),
        words=wording,
    )


@documents_pages.get("/<uuid:document_id>/fichier")
def file(document_id: UUID) -> Response:
    """The file that a person opens."""
    document = _one(document_id)
    return _hand_over(document, document.shown_file, "shown")


@documents_pages.get("/<uuid:document_id>/original")
def original(document_id: UUID) -> Response:
    """The bytes exactly as they were received."""
    document = _one(document_id)
    return _hand_over(document, document.file, "original")


def _hand_over(document: Document, stored: StoredFile, part: str) -> Response:
    try:
        response = file_response(stored)
    except FileNotReadable:
        abort(404)
    actions.hand_over(document, part)
    return response


# -- decisions -----------------------------------------------------------------------------------------------------


@documents_pages.post("/<uuid:document_id>/attribuer")
@once
def assign(document_id: UUID) -> Answer:
    """Give the letter to the patient the agent chose."""
    document = _one(document_id)
    form = SortForm()
    others = sorting.same_person(document)
    form.offer_all(sorting.proposals(document), SearchForm(request.form).find(document.establishment_id), others)
    if not form.validate():
        return _letter_page(document, reading.read(document), form), 422

    def decision() -> None:
        actions.assign(document, form.chosen, form.reason.data)
        together = [each for each in others if each.id in form.others]
        tray_actions.assign_together(together, form.chosen, form.reason.data)

    done = ngettext(
        "The letter is now in the patient’s documents.",
        "%(num)d letters are now in the patient’s documents.",
        1 + len(form.others),
    )
    return _decide(document, decision, done)


@documents_pages.route("/<uuid:document_id>/ecarter", methods=["GET", "POST"])
@once
def discard(document_id: UUID) -> Answer:
    """Put the letter aside."""
    document = _one(document_id)
    form = DiscardForm()
    if form.validate_on_submit():
        decision = partial(actions.discard, document, form.reason.data)
        return _decide(document, decision, _("The letter is set aside."))
    page = render_template("admin/documents/discard.html", document=document, form=form)
    return (page, 422) if form.errors else page


@documents_pages.route("/<uuid:document_id>/reprendre", methods=["GET", "POST"])
@once
def take_back(document_id: UUID) -> Answer:
    """Take the letter off the patient's shelf."""
    document = _one(document_id)
    form = TakeBackForm()
    if form.validate_on_submit():
        decision = partial(actions.take_back, document, form.reason.data)
        return _decide(document, decision, _("The letter is back in the tray."))
    page = render_template("admin/documents/take_back.html", document=document, form=form)
    return (page, 422) if form.errors else page


def _decide(document: Document, decision: Callable[[], None], done: str) -> Response:
    try:
        decision()
        flash(done, "success")
    except PatientNotKnown:
        abort(404)
    except NotPossibleNow:
        flash(_("A colleague has already dealt with this letter."), "warning")
    following = None
    if request.form.get("then") == "next":
        following = sorting.next_after(guards.establishments(RIGHT), document)
        if following is None:
            return redirect(url_for(".tray"), 303)
    return redirect(url_for(".show", document_id=following or document.id), 303)


# -- a letter that came by another way -----------------------------------------------------------------------------


@documents_pages.route("/recevoir", methods=["GET", "POST"])
def receive() -> Answer:
    """Take in a letter or a package from the agent's own machine: scanned before anything is written. Posted twice,
    the same bytes are known the second time."""
    form = ReceiveForm()
    form.offer(hospitals())
    if form.is_submitted():
        arriving = uploads.arriving(form.file.data)
        if not form.validate() or arriving is None or arriving.size == 0:
            form.file.errors = [*form.file.errors, _("Choose a letter that is not empty.")]
        else:
            hospital_id, name = UUID(form.establishment_id.data), form.file.data.filename
            outcomes = jobs.take_in(
                Parcel(hospital_id, "upload", name, arriving.read(), arriving),
                production=current_app.config["SETTINGS"].is_production,
            )
            return tell(outcomes)
    page = render_template("admin/documents/receive.html", form=form)
    return (page, 422) if form.errors else page


def tell(outcomes: list[actions.Outcome]) -> Response:
    for outcome in outcomes:
        words, tone = wording.OUTCOMES[outcome.outcome]
        flash(" ".join(filter(None, (str(words), str(wording.reason(outcome.reason))))), tone)
    only = outcomes[0] if len(outcomes) == 1 else None
    if only and only.document_id:
        return redirect(url_for(".show", document_id=only.document_id), 303)
    return redirect(url_for(".quarantined" if only else ".tray"), 303)


# -- a document to a patient ---------------------------------------------------------------------------------------


@documents_pages.route("/envoyer-a-un-patient", methods=["GET", "POST"])
def choose_patient() -> str:
    """Find the patient to send a document to."""
    known_hospitals = hospitals()
    chosen = _hospital(request.values.get("establishment", "")) or known_hospitals[0]
    search = SearchForm(request.form)
    found = search.find(chosen.id)
    return render_template(
        "admin/documents/choose_patient.html", hospitals=known_hospitals, chosen=chosen, search=search, found=found
    )


@documents_pages.route("/envoyer-a-un-patient/<uuid:establishment_id>/<uuid:patient_id>", methods=["GET", "POST"])
def publish(establishment_id: UUID, patient_id: UUID) -> Answer:
    """Send a document to a patient of the hospital."""
    hospital = _hospital(str(establishment_id)) or abort(404)
    known = queries.patient_at(hospital.id, patient_id) or abort(404)
    form = PublicationForm()
    if form.is_submitted():
        valid = form.validate()
        stored = form.take_upload()
        if valid and stored:
            answer: Response = _publish(hospital_id=hospital.id, patient_id=patient_id, form=form, stored=stored)
            return answer
    page = render_template("admin/documents/publish.html", form=form, hospital=hospital, known=known)
    return (page, 422) if form.errors else page


@once
def _publish(hospital_id: UUID, patient_id: UUID, form: PublicationForm, stored: StoredFile) -> Response:
    hospital = _hospital(str(hospital_id)) or abort(404)
    document = actions.publish(hospital, stored.id, form.publication(patient_id))
    flash(_("The document is in the patient’s space. They are told by mail."), "success")
    return redirect(url_for(".show", document_id=document.id), 303)


def hospitals() -> list[Establishment]:
    """Where the agent sorts documents, by name."""
    held = guards.establishments(RIGHT)
    return [each for each in establishments.establishments() if each.id in held]


def _hospital(establishment_id: str) -> Establishment | None:
    return next((each for each in hospitals() if str(each.id) == establishment_id), None)


def _one(document_id: UUID) -> Document:
    return queries.one_at(guards.establishments(RIGHT), document_id) or abort(404)
