"""Lists of correspondents by theme, and one message to each of a list."""

from uuid import UUID

from flask import abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from admin.routes_exchanges import exchanges_pages
from admin.routes_reply_texts import places
from auth import guards
from portal.files import StoredFile
from portal.web.repeated_posts import once
from services.documents.actions import RIGHT
from services.documents.exchanges import queries as exchanges
from services.documents.lists import actions, queries
from services.documents.lists.actions import NoBox
from services.documents.lists.forms import ListForm, ToListForm
from services.documents.lists.models import CorrespondentList

Answer = str | Response | tuple[str, int]


@exchanges_pages.get("/listes")
def lists() -> str:
    """The lists of my hospitals, by theme."""
    return render_template("admin/documents/lists.html", lists=queries.lists_at(guards.establishments(RIGHT)))


@exchanges_pages.route("/listes/nouvelle", methods=["GET", "POST"])
@once
def keep_list() -> Answer:
    """A new list."""
    form = ListForm()
    form.offer_places(places())
    if form.validate_on_submit() and (boxes := form.boxes()):
        actions.keep(UUID(form.establishment_id.data), *form.words, boxes)
        return _saved()
    page = render_template("admin/documents/list.html", form=form, list=None)
    return (page, 422) if form.errors else page


@exchanges_pages.route("/listes/<uuid:list_id>", methods=["GET", "POST"])
@once
def change_list(list_id: UUID) -> Answer:
    """One list: its name, its theme, its addresses."""
    kept = _one(list_id)
    known = "\n".join(member.address for member in kept.members)
    form = ListForm(establishment_id=str(kept.establishment_id), name=kept.name, theme=kept.theme, addresses=known)
    form.offer_places([kept.establishment])
    if form.validate_on_submit() and (boxes := form.boxes()):
        actions.change(kept, *form.words, boxes)
        return _saved()
    page = render_template("admin/documents/list.html", form=form, list=kept)
    return (page, 422) if form.errors else page


@exchanges_pages.post("/listes/<uuid:list_id>/retirer")
def remove_list(list_id: UUID) -> Response:
    """Write to it no more."""
    actions.remove(_one(list_id))
    return _saved()


@exchanges_pages.route("/listes/<uuid:list_id>/ecrire", methods=["GET", "POST"])
def write_to_list(list_id: UUID) -> Answer:
    """One message to each of a list, in a thread of their own. An upload is scanned before anything is written."""
    kept, form = _one(list_id), ToListForm()
    form.offer(exchanges.units_at([kept.establishment_id]))
    if form.is_submitted():
        valid = form.validate()
        stored = form.take_upload(needed=False)
        if valid and not form.errors and (sent := _send(list_id=kept.id, form=form, stored=stored)):
            done: Response = sent
            return done
    page = render_template("admin/documents/write_to_list.html", form=form, list=kept)
    return (page, 422) if form.errors else page


@once
def _send(list_id: UUID, form: ToListForm, stored: StoredFile | None) -> Response | None:
    kept = _one(list_id)
    units = exchanges.units_at([kept.establishment_id])
    unit = next(each for each in units if str(each.id) == form.unit_id.data)
    try:
        sent = actions.send(kept, unit, form.draft(stored))
    except NoBox:
        form.unit_id.errors = [*form.unit_id.errors, _("This unit has no MSSanté box to write from.")]
        return None
    flash(ngettext("%(num)d message leaves by MSSanté.", "%(num)d messages leave by MSSanté.", len(sent)), "success")
    return redirect(url_for(".exchanges", groupe="sent"), 303)


def _one(list_id: UUID) -> CorrespondentList:
    return queries.list_at(guards.establishments(RIGHT), list_id) or abort(404)


def _saved() -> Response:
    flash(_("Saved."), "success")
    return redirect(url_for(".lists"), 303)
