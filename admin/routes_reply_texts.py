"""Texts ready to use and absences: what agents prepare for each other."""

from uuid import UUID

from flask import abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin.routes_exchanges import exchanges_pages
from auth import guards
from portal import db, establishments
from portal.establishments import Establishment
from portal.web.repeated_posts import once
from services.documents.actions import RIGHT
from services.documents.exchanges import inbox
from services.documents.exchanges import queries as exchanges
from services.documents.inbox import actions, queries
from services.documents.inbox.forms import AbsenceForm, ReplyTextForm

Answer = str | Response | tuple[str, int]


def places() -> list[Establishment]:
    """The hospitals where the agent answers, by name."""
    mine = guards.establishments(RIGHT)
    return [each for each in establishments.establishments() if each.id in mine]


# -- texts ---------------------------------------------------------------------------------------------------------


@exchanges_pages.get("/textes")
def texts() -> str:
    """The texts ready to use of my hospitals."""
    return render_template("admin/documents/texts.html", texts=queries.texts_at(guards.establishments(RIGHT)))


@exchanges_pages.route("/textes/nouveau", methods=["GET", "POST"])
@once
def write_text() -> Answer:
    """A new text."""
    units, form = exchanges.units_at(guards.establishments(RIGHT)), ReplyTextForm()
    form.offer(places(), units)
    if form.validate_on_submit():
        actions.write_text(*form.chosen(units), *form.words)
        return _saved(".texts")
    page = render_template("admin/documents/text.html", form=form, text=None)
    return (page, 422) if form.errors else page


@exchanges_pages.route("/textes/<uuid:text_id>", methods=["GET", "POST"])
@once
def text(text_id: UUID) -> Answer:
    """One text: changed for those who will use it."""
    known = queries.text_at(guards.establishments(RIGHT), text_id) or abort(404)
    units = exchanges.units_at([known.establishment_id])
    form = ReplyTextForm(where=str(known.unit_id or known.establishment_id), title=known.title, text=known.text)
    form.offer([each for each in places() if each.id == known.establishment_id], units)
    if form.validate_on_submit():
        actions.change_text(known, form.chosen(units)[1], *form.words)
        return _saved(".texts")
    page = render_template("admin/documents/text.html", form=form, text=known)
    return (page, 422) if form.errors else page


@exchanges_pages.post("/textes/<uuid:text_id>/retirer")
def remove_text(text_id: UUID) -> Response:
    """Offer it no more."""
    actions.remove_text(queries.text_at(guards.establishments(RIGHT), text_id) or abort(404))
    return _saved(".texts")


# -- absences ------------------------------------------------------------------------------------------------------


@exchanges_pages.route("/absences", methods=["GET", "POST"])
@once
def absences() -> Answer:
    """Who is away, who stands in, and my own absence."""
    mine, me = guards.establishments(RIGHT), db.current_actor().account_id
    colleagues = {key: name for key, name in inbox.colleagues(mine).items() if key != me}
    form = AbsenceForm()
    form.offer_places(places())
    form.offer_deputies(colleagues)
    if form.validate_on_submit() and (away := form.away(colleagues)):
        place_id = UUID(form.establishment_id.data)
        if away.deputy_id in inbox.colleagues([place_id]):
            actions.be_away(place_id, away)
            return _saved(".absences")
        form.deputy_id.errors = [*form.deputy_id.errors, _("This colleague does not answer at that hospital.")]
    found = queries.absences_at(mine)
    page = render_template("admin/documents/absences.html", form=form, absences=found, me=me)
    return (page, 422) if form.errors else page


@exchanges_pages.post("/absences/<uuid:absence_id>/fin")
def come_back(absence_id: UUID) -> Response:
    """I am back before the last day."""
    known = queries.absence_at(guards.establishments(RIGHT), absence_id)
    if known is None or known.account_id != db.current_actor().account_id:
        abort(404)
    actions.come_back(known)
    return _saved(".absences")


def _saved(endpoint: str) -> Response:
    flash(_("Saved."), "success")
    return redirect(url_for(endpoint), 303)
