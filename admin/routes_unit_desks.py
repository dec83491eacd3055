"""Which units take messages of patients, and within how long they answer."""

from uuid import UUID

from flask import abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin.routes_exchanges import exchanges_pages
from auth import guards
from portal.establishments import Unit
from services.documents.actions import RIGHT
from services.documents.exchanges import actions, queries
from services.documents.exchanges.actions import Desk
from services.documents.exchanges.actions.threads import USUAL_ANSWER_DAYS
from services.documents.exchanges.forms import DeskForm

Answer = str | Response | tuple[str, int]


@exchanges_pages.get("/unites")
def desks() -> str:
    """The units of my hospitals, and what each takes."""
    mine = guards.establishments(RIGHT)
    return render_template("admin/documents/desks.html", units=queries.units_at(mine), desks=queries.desks_at(mine))


@exchanges_pages.route("/unites/<uuid:unit_id>", methods=["GET", "POST"])
def desk(unit_id: UUID) -> Answer:
    """What one unit takes of patients."""
    unit = _one(unit_id)
    known = queries.desks_at([unit.establishment_id]).get(unit.id)
    form = DeskForm(obj=known) if known else DeskForm(answer_days=USUAL_ANSWER_DAYS)
    if form.validate_on_submit():
        days = form.answer_days.data or USUAL_ANSWER_DAYS
        said = Desk(bool(form.is_open.data), days, form.note.data or "", form.signature.data or "")
        actions.open_desk(unit, said)
        flash(_("Saved."), "success")
        return redirect(url_for(".desks"), 303)
    page = render_template("admin/documents/desk.html", unit=unit, form=form)
    return (page, 422) if form.errors else page


def _one(unit_id: UUID) -> Unit:
    units = queries.units_at(guards.establishments(RIGHT))
    return next((each for each in units if each.id == unit_id), None) or abort(404)
