"""Practitioners who asked a direct line to call back: an agent takes a request, calls, and says what came of it."""

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards
from auth.agents import queries as agent_units
from auth.news import actions as news
from portal import db
from services.lines import actions, queries
from services.lines.actions import CallbackOver
from services.lines.mails import TRAY
from services.lines.models import RIGHT, Callback

pages = guards.staff(
    Blueprint("admin_callbacks", __name__, url_prefix="/admin/lignes-directes/rappels", template_folder="templates"),
    right=RIGHT,
)
Answer = Response | tuple[str, int]


def _here() -> frozenset[UUID]:
    return guards.establishments(RIGHT)


@pages.get("")
def tray() -> str:
    """Who waits for a call, what is owed soonest first; those of my units first."""
    closed = request.args.get("group") == "closed"
    found, mine = list(queries.tray(_here(), closed=closed)), agent_units.my_units()
    if not closed:
        found.sort(key=lambda each: each.unit_id not in mine)
    if account_id := db.current_actor().account_id:
        news.read_page(account_id, TRAY)
    return render_template("admin/callbacks/tray.html", callbacks=found, closed=closed, mine=mine, now=db.now())


@pages.get("/<uuid:callback_id>")
def show(callback_id: UUID) -> str:
    found = _one(callback_id)
    actions.open_callback(found)
    return _page(found)


@pages.post("/<uuid:callback_id>/prendre")
def take(callback_id: UUID) -> Answer:
    """I call."""
    found = _one(callback_id)
    try:
        actions.take(found.id)
    except CallbackOver:
        return _page(found, gone=True), 409
    return redirect(url_for(".show", callback_id=callback_id), 303)


@pages.post("/<uuid:callback_id>/rendre")
def give_back(callback_id: UUID) -> Answer:
    """I cannot call: somebody else may."""
    found = _one(callback_id)
    try:
        actions.give_back(found.id)
    except CallbackOver:
        return _page(found, gone=True), 409
    flash(_("Your colleagues see it again as waiting."), "success")
    return redirect(url_for(".tray"), 303)


@pages.post("/<uuid:callback_id>/rappele")
def done(callback_id: UUID) -> Answer:
    return _answered(callback_id, reached=True)


@pages.post("/<uuid:callback_id>/injoignable")
def unreachable(callback_id: UUID) -> Answer:
    return _answered(callback_id, reached=False)


def _answered(callback_id: UUID, *, reached: bool) -> Answer:
    found = _one(callback_id)
    try:
        actions.answer(found.id, reached=reached)
    except CallbackOver:
        return _page(found, gone=True), 409
    flash(_("Called back.") if reached else _("The practitioner is told that you called."), "success")
    return redirect(url_for(".tray"), 303)


def _page(found: Callback, *, gone: bool = False) -> str:
    return render_template(
        "admin/callbacks/show.html", callback=found, changes=queries.changes(found), gone=gone, now=db.now()
    )


def _one(callback_id: UUID) -> Callback:
    return queries.one_at(callback_id, _here()) or abort(404)
