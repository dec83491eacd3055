"""Services on offer: what is open at each of my hospitals, in which words, since when; and what was before."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin import queries_catalogue as queries
from admin.forms_catalogue import AUDIENCE_WORDS, REACH_WORDS, ServiceForm, UndoForm
from auth import guards, held_forms
from portal.catalog import CatalogChange, PublishedService, card, impacts
from portal.catalog import actions as catalog_actions
from portal.catalog import queries as catalog_queries
from portal.catalog.actions import CodeTaken, NothingToUndo, Sheet
from portal.catalog.impacts import Touched
from portal.catalog.links import HostNotAllowed, NotALink
from portal.catalog.words import written
from portal.db import session
from portal.establishments import Establishment

RIGHT = "administration"
catalogue_pages = guards.staff(
    Blueprint("admin_catalogue", __name__, url_prefix="/admin/services", template_folder="templates"), right=RIGHT
)
Answer = str | Response | tuple[str, int]


def here() -> frozenset[UUID]:
    return guards.establishments(RIGHT)


@catalogue_pages.get("")
def overview() -> str:
    """Each service at each of my hospitals, then the links."""
    hospitals = queries.mine()
    links = catalog_queries.links(here())
    return render_template(
        "admin/catalogue/overview.html",
        hospitals=hospitals,
        lines=queries.lines(hospitals),
        links=[(each, queries.place_of(hospitals, each.establishment_id)) for each in links],
        state_of=queries.state_of,
        traffic=queries.traffic(),
        missed=queries.missed(),
        written=written,
        audiences=AUDIENCE_WORDS,
        reaches=REACH_WORDS,
    )


@catalogue_pages.route("/<finess>/<code>", methods=["GET", "POST"])
def service(finess: str, code: str) -> Answer:
    """How one service stands at one hospital."""
    hospital, offered = queries.mine_by_finess(finess), _offered(code)
    known = session.get(PublishedService, (hospital.id, code))
    held = held_forms.take()
    form = ServiceForm(formdata=held) if held else ServiceForm(data=_known(known))
    touched: Sequence[Touched] = ()
    if form.validate_on_submit():
        touched = _touched(hospital, code, known, _sheet(form))
        if not touched or form.sure.data:
            return _changed(catalog_actions.change_service(hospital.id, code, _sheet(form)))
        form.sure.errors = [*form.sure.errors, _("Read whom it touches, then tick this box and save again.")]
    page = render_template(
        "admin/catalogue/service.html", form=form, hospital=hospital, card=offered, touched=touched,
        state=queries.state_of(known, hospital), changes=catalog_queries.changes("service", code, hospital.id),
        iso=date.fromisoformat,
    )  # fmt: skip
    return page, 422 if form.errors else 200


@catalogue_pages.route("/changements/<uuid:change_id>/annuler", methods=["GET", "POST"])
def undo(change_id: UUID) -> Answer:
    """Set what was before the last change, once it is known whom that touches."""
    change = _change(change_id)
    form, touched = UndoForm(), _touched_by_undoing(change)
    if form.validate_on_submit():
        if touched and not form.sure.data:
            form.sure.errors = [*form.sure.errors, _("Read whom it touches, then tick this box and save again.")]
        else:
            return _undone(change)
    page = render_template(
        "admin/catalogue/undo.html", form=form, change=change, touched=touched, card=card, iso=date.fromisoformat
    )
    return page, 422 if form.errors else 200


def _undone(change: CatalogChange) -> Response:
    try:
        catalog_actions.undo(change)
    except NothingToUndo:
        flash(_("Something was changed since: there is nothing to undo here."), "info")
    except (CodeTaken, HostNotAllowed, NotALink):
        flash(_("What was before is no longer allowed: change it by hand."), "warning")
    else:
        flash(_("Done: what was before is back."), "success")
    return redirect(url_for(".overview"), 303)


def _change(change_id: UUID) -> CatalogChange:
    """One that the agent may undo: of a hospital of theirs, or of the group when they speak for it."""
    found = catalog_queries.change(change_id) or abort(404)
    if found.establishment_id is None:
        return found if catalog_queries.administers_all() else abort(403)
    return found if found.establishment_id in here() else abort(404)


def _offered(code: str) -> Any:
    found = card(code)
    return found if found and found in queries.offered() else abort(404)


def _sheet(form: ServiceForm) -> Sheet:
    return Sheet(form.opened_on.data, form.closed_on.data, form.texts, form.position.data or 0)


def _known(published: PublishedService | None) -> dict[str, Any]:
    if published is None:
        return {"position": 0}
    names = ("opened_on", "closed_on", "position")
    return {name: getattr(published, name) for name in names} | dict(published.texts)


def _touched(hospital: Establishment, code: str, known: PublishedService | None, sheet: Sheet) -> Sequence[Touched]:
    """Whom it touches, when it closes what was to stay open."""
    if known is None or not _closes_earlier(known, sheet):
        return ()
    today = catalog_queries.day_of(hospital)
    return impacts.of(code, hospital.id, max(today, sheet.closed_on or today))


def _closes_earlier(known: PublishedService, sheet: Sheet) -> bool:
    if sheet.opened_on is None or sheet.opened_on > known.opened_on:
        return True
    return sheet.closed_on is not None and (known.closed_on is None or sheet.closed_on < known.closed_on)


def _touched_by_undoing(change: CatalogChange) -> Sequence[Touched]:
    hospital = queries.place_of(queries.mine(), change.establishment_id)
    if change.kind != "service" or hospital is None or not change.former:
        return ()
    known = session.get(PublishedService, (hospital.id, change.subject))
    return _touched(hospital, change.subject, known, catalog_actions.sheet_of(change.former))


def _changed(is_new: bool) -> Response:
    if is_new:
        flash(_("Saved: everybody reads it within a few seconds."), "success")
    else:
        flash(_("Nothing was changed."), "info")
    return redirect(url_for(".overview"), 303)
