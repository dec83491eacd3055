"""A thread as its correspondent reads it and answers: a practitioner's page and a patient's do the same with it."""

from collections.abc import Callable
from uuid import UUID

from flask import abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import held_forms
from portal.files import FileNotReadable, StoredFile
from portal.web.downloads import file_response
from portal.web.repeated_posts import once
from services.documents import wording
from services.documents.exchanges import actions, queries
from services.documents.exchanges.actions import Closed, EmptyMessage, Words
from services.documents.exchanges.forms import AnswerForm
from services.documents.exchanges.models import Exchange

Answer = str | Response | tuple[str, int]
Find = Callable[[UUID], Exchange]
"""The thread of whoever is signed in; aborts with 404 when it is not theirs."""


def show_or_answer(find: Find, exchange_id: UUID, template: str, endpoint: str) -> Answer:
    """The thread, and a next message. An upload is scanned before anything is written. endpoint: of this page."""
    exchange = find(exchange_id)
    form = AnswerForm(formdata=held) if (held := held_forms.take()) else AnswerForm()
    if form.is_submitted():
        valid = form.validate()
        stored = form.take_upload(needed=False)
        if valid and not form.errors:
            done: Response | None = _answer(
                find=find, exchange_id=exchange_id, endpoint=endpoint, form=form, stored=stored
            )
            if done:
                return done
    else:
        actions.open_exchange(exchange)
    is_open = exchange.state != "closed" or actions.can_reopen(exchange)
    page = render_template(template, exchange=exchange, form=form, open=is_open, words=wording)
    return (page, 422) if form.errors else page


@once
def _answer(
    find: Find, exchange_id: UUID, endpoint: str, form: AnswerForm, stored: StoredFile | None
) -> Response | None:
    exchange = find(exchange_id)
    try:
        actions.answer(exchange, Words(form.text.data or "", (stored.id,) if stored else ()))
        flash(_("Your message is sent."), "success")
    except EmptyMessage:
        form.explain_empty()
        return None
    except Closed:
        flash(_("The unit has closed this exchange: begin another one."), "warning")
    return redirect(url_for(endpoint, exchange_id=exchange.id), 303)


def hand_over(exchange: Exchange, file_id: UUID) -> Response:
    """A file joined to a message of the thread."""
    _message, joined = queries.file_of(exchange, file_id) or abort(404)
    try:
        response = file_response(joined.file)
    except FileNotReadable:
        abort(404)
    actions.hand_over_file(exchange, joined)
    return response
