"""Direct lines for practitioners: one page to call from, and what they asked to be called back about."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from auth import guards, held_forms
from auth.models import Professional
from auth.news import actions as news
from portal import db, establishments
from portal.db import session
from portal.web import branding
from portal.web.repeated_posts import once
from services.lines import actions, queries
from services.lines.actions import AlreadyAsked, CallbackOver, NotBefore, NotTaken, TooMany
from services.lines.forms import CallbackForm
from services.lines.models import Callback, Line
from services.lines.queries import Shown

pages = guards.professionals(
    Blueprint("lines", __name__, url_prefix="/pro/lignes-directes", template_folder="templates")
)
Answer = str | Response | tuple[str, int]


@pages.get("")
def sheet() -> str:
    """Every line, those at hand first, then those that are open now."""
    words, finess = request.args.get("q", "").strip()[:80], request.args.get("establishment", "")[:9]
    mine = guards.professional_id()
    found = queries.shown(mine, db.now(), words, finess)
    return render_template(
        "lines/sheet.html",
        groups=_groups(found),
        found=found,
        callbacks=[each for each in queries.mine(mine) if each.is_open],
        establishments=establishments.establishments(),
        words=words,
        finess=finess,
        now=db.now(),
    )


def _groups(found: Sequence[Shown]) -> list[tuple[str, str, list[Shown]]]:
    return [
        ("kept", _("At hand"), [each for each in found if each.is_kept]),
        ("open", _("Open now"), [each for each in found if each.is_open and not each.is_kept]),
        ("closed", _("Closed now"), [each for each in found if not each.is_open and not each.is_kept]),
    ]


@pages.get("/<uuid:line_id>")
def show(line_id: UUID) -> str:
    line = _one(line_id)
    return render_template("lines/line.html", shown=_shown(line), switchboard=line.switchboard)


@pages.post("/<uuid:line_id>/garder")
def keep(line_id: UUID) -> Response:
    """Shown first from now on."""
    actions.keep(guards.professional_id(), _one(line_id))
    return redirect(url_for(".show", line_id=line_id), 303)


@pages.post("/<uuid:line_id>/ne-plus-garder")
def let_go(line_id: UUID) -> Response:
    actions.let_go(guards.professional_id(), _one(line_id))
    return redirect(url_for(".show", line_id=line_id), 303)


@pages.get("/<uuid:line_id>/rappel")
def ask(line_id: UUID) -> str:
    """Ask to be called back."""
    held = held_forms.take()
    form = CallbackForm(formdata=held) if held else CallbackForm(MultiDict())
    return _asking(_one(line_id), form)


@pages.post("/<uuid:line_id>/rappel")
@once
def send(line_id: UUID) -> Answer:
    line, form = _one(line_id), CallbackForm()
    if not form.validate():
        return _asking(line, form), 422
    asker = session.get_one(Professional, guards.professional_id())
    now = db.now()
    try:
        made = actions.ask(line, asker, form.asked(now, line.establishment.tz), now)
    except (NotTaken, NotBefore, AlreadyAsked, TooMany) as refusal:
        return _asking(line, form, type(refusal).__name__, getattr(refusal, "opens_at", None)), 409
    flash(_("The unit is told that you wait for a call."), "success")
    return redirect(url_for(".callback", callback_id=made.id), 303)


def _asking(line: Line, form: CallbackForm, why: str = "", opens_at: datetime | None = None) -> str:
    return render_template("lines/ask.html", shown=_shown(line), form=form, why=why, opens_at=opens_at)


# -- my calls back -------------------------------------------------------------------------------------------------


@pages.get("/rappels")
def callbacks() -> str:
    """What this practitioner asked, and what came of it."""
    return render_template("lines/callbacks.html", callbacks=queries.mine(guards.professional_id()), now=db.now())


@pages.get("/rappels/<uuid:callback_id>")
def callback(callback_id: UUID) -> str:
    return _callback_page(_mine(callback_id))


@pages.post("/rappels/<uuid:callback_id>/retirer")
def withdraw(callback_id: UUID) -> Answer:
    """The call is needed no more."""
    found = _mine(callback_id)
    try:
        actions.withdraw(found.id)
    except CallbackOver:
        return _callback_page(found, gone=True), 409
    flash(_("Your request is withdrawn: nobody will call you."), "success")
    return redirect(url_for(".sheet"), 303)


def _callback_page(found: Callback, *, gone: bool = False) -> str:
    if account_id := db.current_actor().account_id:
        news.read_page(account_id, url_for(".callback", callback_id=found.id))
    return render_template(
        "lines/callback.html", callback=found, changes=queries.changes(found), gone=gone, now=db.now()
    )


def _mine(callback_id: UUID) -> Callback:
    return branding.of(queries.one_of_mine(guards.professional_id(), callback_id) or abort(404))


def _one(line_id: UUID) -> Line:
    return branding.of(queries.line(line_id) or abort(404))


def _shown(line: Line) -> Shown:
    return queries.one_shown(guards.professional_id(), line, db.now())
