"""The staff's side of exchanges with practitioners: threads, answers, filing, writing first."""

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards
from portal.files import FileNotReadable, StoredFile
from portal.web.downloads import file_response
from portal.web.repeated_posts import once
from services.documents import actions, queries, wording
from services.documents.actions import RIGHT, AlreadyFiled, EmptyMessage, PatientNotKnown
from services.documents.forms import AnswerForm, FileMessageForm, SearchForm, ToProfessionalForm
from services.documents.models import Exchange, ExchangeMessage

exchanges_pages = guards.staff(
    Blueprint("admin_exchanges", __name__, url_prefix="/admin/documents/echanges", template_folder="templates"),
    right=RIGHT,
)
Answer = str | Response | tuple[str, int]


@exchanges_pages.get("")
def exchanges() -> str:
    """The threads of my hospitals, those to open first."""
    mine = guards.establishments(RIGHT)
    return render_template(
        "admin/documents/exchanges.html",
        view="exchanges",
        counts=queries.counts_at(mine),
        exchanges=queries.exchanges_at(mine),
        words=wording,
    )


@exchanges_pages.route("/<uuid:exchange_id>", methods=["GET", "POST"])
def show(exchange_id: UUID) -> Answer:
    """One thread. Opening it is written down, and the practitioner sees it; so is answering. An upload is scanned
    before anything is written."""
    thread = _one(exchange_id)
    form = AnswerForm()
    if form.is_submitted():
        valid = form.validate()
        stored = form.take_upload(needed=False)
        if valid and not form.errors and (sent := _answer(exchange_id=thread.id, form=form, stored=stored)):
            done: Response = sent
            return done
    else:
        actions.open_exchange(thread)
    page = render_template(
        "admin/documents/exchange.html", exchange=thread, form=form, filed=queries.filed_messages(thread), words=wording
    )
    return (page, 422) if form.errors else page


@once
def _answer(exchange_id: UUID, form: AnswerForm, stored: StoredFile | None) -> Response | None:
    thread = _one(exchange_id)
    try:
        actions.answer(thread, form.text.data or "", stored.id if stored else None)
    except EmptyMessage:
        form.explain_empty()
        return None
    flash(_("Your answer is sent. The practitioner finds it in their space."), "success")
    return redirect(url_for(".show", exchange_id=thread.id), 303)


@exchanges_pages.get("/<uuid:exchange_id>/messages/<uuid:message_id>/fichier")
def message_file(exchange_id: UUID, message_id: UUID) -> Response:
    """The document of a message."""
    message = _message(_one(exchange_id), message_id)
    if message.file is None:
        abort(404)
    try:
        response = file_response(message.file)
    except FileNotReadable:
        abort(404)
    actions.hand_over_message(message)
    return response


@exchanges_pages.route("/<uuid:exchange_id>/messages/<uuid:message_id>/classer", methods=["GET", "POST"])
@once
def file_message(exchange_id: UUID, message_id: UUID) -> Answer:
    """File what a practitioner sent in the documents of a patient of the hospital."""
    thread, message = _to_file(exchange_id, message_id)
    form = FileMessageForm(title=thread.subject)
    form.offer(SearchForm(request.form).find(thread.establishment_id))
    if form.validate_on_submit():
        return _file(thread, message, form)
    page = _filing_page(thread, message, form)
    return (page, 422) if form.errors else page


@exchanges_pages.post("/<uuid:exchange_id>/messages/<uuid:message_id>/classer/chercher")
def find_patient(exchange_id: UUID, message_id: UUID) -> str:
    """Find the patient in whose documents it will be filed."""
    thread, message = _to_file(exchange_id, message_id)
    return _filing_page(thread, message, FileMessageForm(formdata=None, title=thread.subject))


def _to_file(exchange_id: UUID, message_id: UUID) -> tuple[Exchange, ExchangeMessage]:
    thread = _one(exchange_id)
    message = _message(thread, message_id)
    return (thread, message) if message.sender == "professional" else abort(404)


def _filing_page(thread: Exchange, message: ExchangeMessage, form: FileMessageForm) -> str:
    search = SearchForm(request.form)
    found = search.find(thread.establishment_id)
    form.offer(found)
    return render_template(
        "admin/documents/file_message.html", exchange=thread, message=message, search=search, found=found, form=form
    )


def _file(thread: Exchange, message: ExchangeMessage, form: FileMessageForm) -> Response:
    author, chosen = thread.professional.full_name, form.publication(form.chosen)
    try:
        actions.file_message(message, author, chosen, form.reason.data)
        flash(_("The document is now in the patient’s documents."), "success")
    except PatientNotKnown:
        abort(404)
    except AlreadyFiled:
        flash(_("A colleague has already filed this document."), "warning")
    return redirect(url_for(".show", exchange_id=thread.id), 303)


# -- writing first -------------------------------------------------------------------------------------------------


@exchanges_pages.get("/nouveau")
def choose_professional() -> str:
    """Find the practitioner to write to: by RPPS number, or among those one has written with."""
    rpps = "".join(request.args.get("rpps", "").split())[:20]
    return render_template(
        "admin/documents/choose_professional.html",
        rpps=rpps,
        found=queries.professional_with_rpps(rpps) if rpps else None,
        correspondents=queries.correspondents_of(guards.establishments(RIGHT)),
    )


@exchanges_pages.route("/nouveau/<uuid:professional_id>", methods=["GET", "POST"])
def write(professional_id: UUID) -> Answer:
    """Send a document to a practitioner who has an account here."""
    professional = queries.professional(professional_id) or abort(404)
    units = {str(unit.id): unit for unit in queries.units_at(guards.establishments(RIGHT))}
    form = ToProfessionalForm()
    form.offer(list(units.values()))
    if form.is_submitted():
        valid = form.validate()
        stored = form.take_upload()
        if valid and stored:
            answer: Response = _write(
                professional_id=professional.id, unit_id=units[form.unit_id.data].id, form=form, stored=stored
            )
            return answer
    page = render_template("admin/documents/write.html", form=form, professional=professional)
    return (page, 422) if form.errors else page


@once
def _write(professional_id: UUID, unit_id: UUID, form: ToProfessionalForm, stored: StoredFile) -> Response:
    professional = queries.professional(professional_id) or abort(404)
    unit = next(each for each in queries.units_at(guards.establishments(RIGHT)) if each.id == unit_id)
    thread = actions.send_to_professional(unit, professional, form.draft(stored))
    flash(_("Your document is sent. The practitioner finds it in their space."), "success")
    return redirect(url_for(".show", exchange_id=thread.id), 303)


def _one(exchange_id: UUID) -> Exchange:
    return queries.exchange_at(guards.establishments(RIGHT), exchange_id) or abort(404)


def _message(thread: Exchange, message_id: UUID) -> ExchangeMessage:
    return queries.message_of(thread, message_id) or abort(404)
