"""The practitioners' pages: their home, a document to a unit, the threads."""

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards, held_forms
from auth.practice import queries as practice
from portal import catalog
from portal.files import FileNotReadable, StoredFile
from portal.web.downloads import file_response
from portal.web.repeated_posts import once
from services.documents import actions, queries, wording
from services.documents.actions import EmptyMessage
from services.documents.forms import AnswerForm, ExchangeForm
from services.documents.models import Exchange

professional_pages = guards.professionals(
    Blueprint("documents", __name__, url_prefix="/pro", template_folder="templates")
)
Answer = str | Response | tuple[str, int]


@professional_pages.get("")
def professional_home() -> str:
    """The practitioners' home: what units sent them, what they sent."""
    own, me = guards.professional_id(), practice.me().id
    return render_template(
        "documents/professional_home.html",
        to_read=queries.exchanges_of(own, to_read=True),
        sent=queries.exchanges_of(own, to_read=False),
        cards=[card for card in catalog.cards("professional") if card.code != "exchanges"],
        news=practice.news_for(me),
        me=me,
        words=wording,
    )


@professional_pages.get("/envoyer")
def choose_unit() -> str:
    """The units one may write to, each with its telephone."""
    return render_template("documents/choose_unit.html", units=queries.open_units())


@professional_pages.route("/envoyer/<uuid:unit_id>", methods=["GET", "POST"])
def send(unit_id: UUID) -> Answer:
    """Send a document to a unit. The upload is received, and scanned, before anything is written."""
    unit = queries.open_unit(unit_id) or abort(404)
    form = ExchangeForm(formdata=held) if (held := held_forms.take()) else ExchangeForm()
    if form.is_submitted():
        valid = form.validate()
        stored = form.take_upload()
        if valid and stored:
            answer: Response = _send(unit_id=unit.id, form=form, stored=stored)
            return answer
    page = render_template("documents/send.html", form=form, unit=unit, words=wording)
    return (page, 422) if form.errors else page


@once
def _send(unit_id: UUID, form: ExchangeForm, stored: StoredFile) -> Response:
    unit = queries.open_unit(unit_id) or abort(404)
    exchange = actions.send_to_unit(unit, guards.professional_id(), form.draft(stored))
    return redirect(url_for(".sent", exchange_id=exchange.id), 303)


@professional_pages.get("/echanges/<uuid:exchange_id>/envoye")
def sent(exchange_id: UUID) -> str:
    """The receipt."""
    return render_template("documents/sent.html", exchange=_mine(exchange_id))


@professional_pages.route("/echanges/<uuid:exchange_id>", methods=["GET", "POST"])
def exchange(exchange_id: UUID) -> Answer:
    """One thread: what was said, where it is, and a next message. An upload is scanned before anything is written."""
    thread = _mine(exchange_id)
    form = AnswerForm(formdata=held) if (held := held_forms.take()) else AnswerForm()
    if form.is_submitted():
        valid = form.validate()
        stored = form.take_upload(needed=False)
        if valid and not form.errors and (sent := _answer(exchange_id=thread.id, form=form, stored=stored)):
            done: Response = sent
            return done
    else:
        actions.open_exchange(thread)
    page = render_template("documents/exchange.html", exchange=thread, form=form, words=wording)
    return (page, 422) if form.errors else page


@once
def _answer(exchange_id: UUID, form: AnswerForm, stored: StoredFile | None) -> Response | None:
    thread = _mine(exchange_id)
    try:
        actions.answer(thread, form.text.data or "", stored.id if stored else None)
    except EmptyMessage:
        form.explain_empty()
        return None
    flash(_("Your message is sent."), "success")
    return redirect(url_for(".exchange", exchange_id=thread.id), 303)


@professional_pages.get("/echanges/<uuid:exchange_id>/messages/<uuid:message_id>/fichier")
def message_file(exchange_id: UUID, message_id: UUID) -> Response:
    """The document of a message."""
    message = queries.message_of(_mine(exchange_id), message_id)
    if message is None or message.file is None:
        abort(404)
    try:
        response = file_response(message.file)
    except FileNotReadable:
        abort(404)
    actions.hand_over_message(message)
    return response


def _mine(exchange_id: UUID) -> Exchange:
    return queries.exchange_of(guards.professional_id(), exchange_id) or abort(404)
