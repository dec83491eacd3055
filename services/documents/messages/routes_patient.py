"""The patient's pages: their messages, a first one to a unit, a thread."""

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards, held_forms
from portal.files import StoredFile
from portal.web import branding
from portal.web.limits import limiter
from portal.web.repeated_posts import once
from services.documents import wording
from services.documents.exchanges import actions, correspondent_pages
from services.documents.exchanges import queries as exchanges
from services.documents.exchanges.models import Exchange
from services.documents.messages import queries
from services.documents.messages.forms import MessageForm

message_pages = guards.patients(
    Blueprint("my_messages", __name__, url_prefix="/documents/messages", template_folder="templates"), "documents"
)
Answer = str | Response | tuple[str, int]


@message_pages.get("")
def messages() -> str:
    """The threads with units: those to read first."""
    number = max(1, min(request.args.get("page", 1, type=int), 1000))
    page = queries.of_patient(guards.patient_id(), number)
    return render_template("messages/list.html", page=page, number=number, words=wording)


@message_pages.get("/nouveau")
def choose_unit() -> str:
    """The units that take messages, with their telephone."""
    return render_template("messages/choose_unit.html", desks=queries.desks())


@message_pages.route("/nouveau/<uuid:unit_id>", methods=["GET", "POST"])
@limiter.limit("60 per hour", methods=["POST"])
def write(unit_id: UUID) -> Answer:
    """A first message to a unit. An upload is scanned before anything is written."""
    desk = queries.desk(unit_id) or abort(404)
    branding.wear_of(desk.unit.establishment_id)
    form = MessageForm(formdata=held) if (held := held_forms.take()) else MessageForm()
    if form.is_submitted():
        valid = form.validate()
        stored = form.take_upload(needed=False)
        if valid and not form.errors:
            answer: Response = _write(unit_id=desk.unit_id, form=form, stored=stored)
            return answer
    page = render_template("messages/write.html", form=form, desk=desk, unit=desk.unit)
    return (page, 422) if form.errors else page


@once
def _write(unit_id: UUID, form: MessageForm, stored: StoredFile | None) -> Response:
    desk = queries.desk(unit_id) or abort(404)
    draft = form.draft((stored.id,) if stored else ())
    thread = actions.send_to_unit(desk.unit, draft, patient_id=guards.patient_id())
    flash(_("Your message is sent."), "success")
    return redirect(url_for(".thread", exchange_id=thread.id), 303)


@message_pages.route("/<uuid:exchange_id>", methods=["GET", "POST"])
@limiter.limit("60 per hour", methods=["POST"])
def thread(exchange_id: UUID) -> Answer:
    """One thread: what was said, until when an answer is owed, and a next message."""
    return correspondent_pages.show_or_answer(_mine, exchange_id, "messages/thread.html", ".thread")


@message_pages.get("/<uuid:exchange_id>/fichiers/<uuid:file_id>")
def message_file(exchange_id: UUID, file_id: UUID) -> Response:
    """A file joined to a message."""
    return correspondent_pages.hand_over(_mine(exchange_id), file_id)


def _mine(exchange_id: UUID) -> Exchange:
    return branding.of(exchanges.exchange_of_patient(guards.patient_id(), exchange_id) or abort(404))
