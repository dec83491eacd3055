"""The practitioners' pages: their home, a document to a unit, the threads."""

from uuid import UUID

from flask import Blueprint, abort, redirect, render_template, url_for
from werkzeug.wrappers import Response

from auth import guards, held_forms
from auth.practice import queries as practice
from portal import catalog
from portal.files import StoredFile
from portal.web import branding
from portal.web.limits import limiter
from portal.web.repeated_posts import once
from services.documents import wording
from services.documents.exchanges import actions, correspondent_pages, queries
from services.documents.exchanges.forms import ExchangeForm
from services.documents.exchanges.models import Exchange

professional_pages = guards.professionals(
    Blueprint("documents", __name__, url_prefix="/pro", template_folder="../templates")
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
@limiter.limit("120 per hour", methods=["POST"])
def send(unit_id: UUID) -> Answer:
    """Send a document to a unit. The upload is received, and scanned, before anything is written."""
    unit = branding.of(queries.open_unit(unit_id) or abort(404))
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
    exchange = actions.send_to_unit(unit, form.draft(stored), professional_id=guards.professional_id())
    return redirect(url_for(".sent", exchange_id=exchange.id), 303)


@professional_pages.get("/echanges/<uuid:exchange_id>/envoye")
def sent(exchange_id: UUID) -> str:
    """The receipt."""
    return render_template("documents/sent.html", exchange=_mine(exchange_id))


@professional_pages.route("/echanges/<uuid:exchange_id>", methods=["GET", "POST"])
@limiter.limit("120 per hour", methods=["POST"])
def exchange(exchange_id: UUID) -> Answer:
    """One thread: what was said, where it is, and a next message."""
    return correspondent_pages.show_or_answer(_mine, exchange_id, "documents/exchange.html", ".exchange")


@professional_pages.get("/echanges/<uuid:exchange_id>/fichiers/<uuid:file_id>")
def message_file(exchange_id: UUID, file_id: UUID) -> Response:
    """A file joined to a message."""
    return correspondent_pages.hand_over(_mine(exchange_id), file_id)


def _mine(exchange_id: UUID) -> Exchange:
    return branding.of(queries.exchange_of(guards.professional_id(), exchange_id) or abort(404))
