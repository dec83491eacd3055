"""The staff's side of exchanges with practitioners: threads, answers, filing, writing first."""

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards
from auth.models import Professional
from portal.files import FileNotReadable, StoredFile
from portal.web.downloads import file_response
from portal.web.repeated_posts import once
from services.directory import queries as directory
from services.directory.queries import Box, Person
from services.documents import wording
from services.documents.actions import RIGHT, PatientNotKnown
from services.documents.exchanges import actions, queries
from services.documents.exchanges.actions import AlreadyFiled, Closed, Draft, EmptyMessage, Words
from services.documents.exchanges.forms import AnswerForm, ByLinkForm, FileMessageForm, FromUnitForm
from services.documents.exchanges.models import Exchange, ExchangeFile, ExchangeMessage
from services.documents.forms import SearchForm, identifier
from services.documents.inbox import queries as ready
from services.documents.mailboxes import oppositions
from services.documents.states import NotPossibleNow

exchanges_pages = guards.staff(
    Blueprint("admin_exchanges", __name__, url_prefix="/admin/documents/echanges", template_folder="templates"),
    right=RIGHT,
)
Answer = str | Response | tuple[str, int]


@exchanges_pages.route("/<uuid:exchange_id>", methods=["GET", "POST"])
def show(exchange_id: UUID) -> Answer:
    """One thread. Opening it is written down, and the practitioner sees it; so is answering. An upload is scanned
    before anything is written."""
    thread = _one(exchange_id)
    form = AnswerForm()
    if form.is_submitted():
        if "insert" in request.form:
            return _with_text(thread, form, identifier(request.form.get("reply_text")))
        valid = form.validate()
        stored = form.take_upload(needed=False)
        if valid and not form.errors and (sent := _answer(exchange_id=thread.id, form=form, stored=stored)):
            done: Response = sent
            return done
    else:
        actions.open_exchange(thread)
    page = _thread_page(thread, form)
    return (page, 422) if form.errors else page


def _thread_page(thread: Exchange, form: AnswerForm) -> str:
    return render_template(
        "admin/documents/exchange.html",
        exchange=thread,
        form=form,
        filed=queries.filed_files(thread),
        letters=queries.letters_of(thread),
        units=queries.units_at([thread.establishment_id]),
        texts=ready.texts_for(thread.establishment_id, thread.unit_id),
        opposed=_opposed(thread),
        words=wording,
    )


def _opposed(thread: Exchange) -> set[str]:
    """To whom the patient whom it is about refuses that secure mails go."""
    if thread.about_id is None:
        return set()
    return {each.audience for each in oppositions.standing(thread.about_id, thread.establishment_id)}


def _with_text(thread: Exchange, form: AnswerForm, text_id: UUID | None) -> str:
    """The same page, a text ready to use added to what was typed: nothing is sent."""
    form.take_upload(needed=False)
    texts = ready.texts_for(thread.establishment_id, thread.unit_id)
    chosen = next((each for each in texts if each.id == text_id), None) or abort(404)
    form.text.data = "\n\n".join(filter(None, ((form.text.data or "").strip(), chosen.text)))
    return _thread_page(thread, form)


@once
def _answer(exchange_id: UUID, form: AnswerForm, stored: StoredFile | None) -> Response | None:
    thread = _one(exchange_id)
    try:
        actions.answer(thread, Words(form.text.data or "", (stored.id,) if stored else ()))
        flash(_("Your answer is sent."), "success")
    except EmptyMessage:
        form.explain_empty()
        return None
    except Closed:
        flash(_("A colleague has closed this exchange: reopen it to write."), "warning")
    return redirect(url_for(".show", exchange_id=thread.id), 303)


@exchanges_pages.post("/<uuid:exchange_id>/fermer")
def close(exchange_id: UUID) -> Response:
    """End the thread: nobody writes in it any more."""
    return _decide(_one(exchange_id), actions.close, _("The exchange is closed."))


@exchanges_pages.post("/<uuid:exchange_id>/rouvrir")
def reopen(exchange_id: UUID) -> Response:
    """Open a closed thread again."""
    return _decide(_one(exchange_id), actions.reopen, _("The exchange is open again."))


def _decide(thread: Exchange, decision: Callable[[Exchange], None], done: str) -> Response:
    try:
        decision(thread)
        flash(done, "success")
    except NotPossibleNow:
        flash(_("A colleague has already done it."), "warning")
    return redirect(url_for(".show", exchange_id=thread.id), 303)


# -- files ---------------------------------------------------------------------------------------------------------


@exchanges_pages.get("/<uuid:exchange_id>/fichiers/<uuid:file_id>")
def message_file(exchange_id: UUID, file_id: UUID) -> Response:
    """A file joined to a message."""
    thread = _one(exchange_id)
    _message, joined = _joined(thread, file_id)
    try:
        response = file_response(joined.file)
    except FileNotReadable:
        abort(404)
    actions.hand_over_file(thread, joined)
    return response


@exchanges_pages.route("/<uuid:exchange_id>/fichiers/<uuid:file_id>/classer", methods=["GET", "POST"])
@once
def file_message(exchange_id: UUID, file_id: UUID) -> Answer:
    """File what a correspondent joined in the documents of a patient of the hospital."""
    thread, message, joined = _to_file(exchange_id, file_id)
    form = FileMessageForm(title=thread.subject)
    form.offer(SearchForm(request.form).find(thread.establishment_id))
    if form.validate_on_submit():
        return _file(thread, message, joined, form)
    page = _filing_page(thread, joined, form)
    return (page, 422) if form.errors else page


@exchanges_pages.post("/<uuid:exchange_id>/fichiers/<uuid:file_id>/classer/chercher")
def find_patient(exchange_id: UUID, file_id: UUID) -> str:
    """Find the patient in whose documents it will be filed."""
    thread, _message, joined = _to_file(exchange_id, file_id)
    return _filing_page(thread, joined, FileMessageForm(formdata=None, title=thread.subject))


def _to_file(exchange_id: UUID, file_id: UUID) -> tuple[Exchange, ExchangeMessage, ExchangeFile]:
    thread = _one(exchange_id)
    message, joined = _joined(thread, file_id)
    return (thread, message, joined) if message.sender != "unit" else abort(404)


def _filing_page(thread: Exchange, joined: ExchangeFile, form: FileMessageForm) -> str:
    search = SearchForm(request.form)
    found = search.find(thread.establishment_id)
    form.offer(found)
    return render_template(
        "admin/documents/file_message.html", exchange=thread, joined=joined, search=search, found=found, form=form
    )


def _file(thread: Exchange, message: ExchangeMessage, joined: ExchangeFile, form: FileMessageForm) -> Response:
    author = thread.correspondent_name if message.channel == "mssante" else message.author_name
    try:
        actions.file_joined(joined, author, form.publication(form.chosen), form.reason.data)
        flash(_("The document is now in the patient’s documents."), "success")
    except PatientNotKnown:
        abort(404)
    except AlreadyFiled:
        flash(_("A colleague has already filed this document."), "warning")
    return redirect(url_for(".show", exchange_id=thread.id), 303)


# -- writing first -------------------------------------------------------------------------------------------------


@exchanges_pages.get("/nouveau")
def choose_professional() -> str:
    """Find whom to write to: in the national directory, or among those one has written with."""
    name, place = (" ".join(request.args.get(key, "").split())[:100] for key in ("nom", "lieu"))
    found = directory.search(name, place=place) if name or place else None
    numbers = ["".join(name.split()), *(person.rpps for person in found.people)] if found else []
    return render_template(
        "admin/documents/choose_professional.html",
        name=name,
        place=place,
        found=found,
        accounts=queries.professionals_with_rpps(numbers),
        number=numbers[0] if numbers else "",
        correspondents=queries.correspondents_of(guards.establishments(RIGHT)),
    )


@exchanges_pages.route("/nouveau/<uuid:professional_id>", methods=["GET", "POST"])
def write(professional_id: UUID) -> Answer:
    """Send a document to a practitioner who has an account here; a copy goes to their MSSanté box."""
    professional = queries.professional(professional_id) or abort(404)
    box = directory.preferred(professional.rpps) if professional.rpps else None
    return _writing(professional.full_name, box, professional)


@exchanges_pages.route("/nouveau/boite", methods=["GET", "POST"])
def write_to_address() -> Answer:
    """Send a document to a box of the national directory, by MSSanté alone."""
    box = directory.box(request.args.get("adresse", "")) or abort(404)
    known = queries.professional_with_rpps(box.rpps) if box.rpps else None
    return _writing(box.label, box, known)


@exchanges_pages.route("/nouveau/lien", methods=["GET", "POST"])
def write_by_link() -> Answer:
    """Write to a practitioner without MSSanté: they get a link, and read after they have signed in."""
    person = directory.person(request.args.get("rpps", "")[:20]) or abort(404)
    known = queries.professional_with_rpps(person.rpps)
    if known:
        return redirect(url_for(".write", professional_id=known.id), 303)
    if not person.rpps:
        abort(404)
    units = {str(unit.id): unit for unit in queries.units_at(guards.establishments(RIGHT))}
    form = ByLinkForm()
    form.offer(list(units.values()))
    if form.is_submitted():
        valid = form.validate()
        stored = form.take_upload()
        unit = units.get(form.unit_id.data or "")
        patient = form.recognise(unit.establishment_id) if unit and valid else None
        if unit and stored and not form.errors:
            answer: Response = _send_link(
                unit_id=unit.id, person=person, form=form, draft=form.draft_about(stored, patient)
            )
            return answer
    page = render_template("admin/documents/write.html", form=form, name=person.full_name, box=None, professional=None)
    return (page, 422) if form.errors else page


@once
def _send_link(unit_id: UUID, person: Person, form: ByLinkForm, draft: Draft) -> Response:
    unit = next(each for each in queries.units_at(guards.establishments(RIGHT)) if each.id == unit_id)
    thread = actions.send_by_link(unit, person, (form.email.data or "").strip(), draft)
    flash(_("A link is sent: they read your document once they have signed in with Pro Santé Connect."), "success")
    return redirect(url_for(".show", exchange_id=thread.id), 303)


def _writing(name: str, box: Box | None, professional: Professional | None) -> Answer:
    units = {str(unit.id): unit for unit in queries.units_at(guards.establishments(RIGHT))}
    form = FromUnitForm()
    form.offer(list(units.values()))
    if form.is_submitted():
        valid = form.validate()
        stored = form.take_upload()
        unit = units.get(form.unit_id.data or "")
        patient = form.recognise(unit.establishment_id) if unit and valid else None
        if unit and professional is None and queries.box_of(unit) is None:
            form.unit_id.errors = [*form.unit_id.errors, _("This unit has no MSSanté box to write from.")]
        if unit and stored and not form.errors:
            draft = form.draft_about(stored, patient)
            answer: Response = _send(unit_id=unit.id, draft=draft, box=box, professional=professional)
            return answer
    page = render_template("admin/documents/write.html", form=form, name=name, box=box, professional=professional)
    return (page, 422) if form.errors else page


@once
def _send(unit_id: UUID, draft: Draft, box: Box | None, professional: Professional | None) -> Response:
    unit = next(each for each in queries.units_at(guards.establishments(RIGHT)) if each.id == unit_id)
    ours = queries.box_of(unit)
    if professional:
        address = box.address if box else ""
        thread = actions.send_to_professional(unit, professional, draft, box=ours, address=address)
        flash(_("Your document is sent. The practitioner finds it in their space."), "success")
    else:
        if box is None or ours is None:
            abort(404)
        thread = actions.send_to_address(unit, ours, box.address, box.label, draft, rpps=box.rpps)
        flash(_("Your document leaves by MSSanté: what becomes of it is told in the exchange."), "success")
    return redirect(url_for(".show", exchange_id=thread.id), 303)


def _one(exchange_id: UUID) -> Exchange:
    return queries.exchange_at(guards.establishments(RIGHT), exchange_id) or abort(404)


def _joined(thread: Exchange, file_id: UUID) -> tuple[ExchangeMessage, ExchangeFile]:
    return queries.file_of(thread, file_id) or abort(404)
