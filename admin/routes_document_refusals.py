"""What was refused at the door: why, and a way out for each."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import abort, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin.routes_documents import Answer, documents_pages, tell
from auth import guards
from portal.web.repeated_posts import once
from services.documents import queries as documents
from services.documents import wording
from services.documents.actions import RIGHT, Outcome
from services.documents.models import DocumentArrival
from services.documents.states import NotPossibleNow
from services.documents.tray import actions, queries
from services.documents.tray.actions import NotKept, StillRefused
from services.documents.tray.forms import DropForm, TakeAsFileForm
from services.documents.tray.queries import Refused
from services.documents.tray.returning import ways


@documents_pages.get("/refuses")
def quarantined() -> str:
    """What was refused at the door, and why; those decided about, when asked for."""
    here = guards.establishments(RIGHT)
    decided, reason = request.args.get("decides") == "1", request.args.get("motif", "")[:50]
    page = min(max(request.args.get("page", 1, int), 1), 1000)
    found, more = queries.refused(here, reason=reason, decided=decided, page=page)
    kept: dict[str, Any] = {"decides": "1" if decided else None, "motif": reason or None}
    return render_template(
        "admin/documents/quarantined.html",
        view="quarantined",
        counts=documents.counts_at(here),
        words=wording,
        found=found,
        reasons=queries.reasons_of(here),
        reason=reason,
        decided=decided,
        previous=url_for(".quarantined", page=page - 1, **kept) if page > 1 else None,
        following=url_for(".quarantined", page=page + 1, **kept) if more else None,
    )


@documents_pages.get("/refuses/<uuid:arrival_id>")
def refused(arrival_id: UUID) -> str:
    """One refused file, and what can be done with it."""
    return _page(_one(arrival_id))


def _page(found: Refused, title: TakeAsFileForm | None = None) -> str:
    return render_template(
        "admin/documents/refused.html",
        found=found,
        arrival=found.arrival,
        is_kept=queries.stored_of(found.arrival) is not None,
        can_answer=found.arrival.channel in ways(),
        title_form=title or TakeAsFileForm(formdata=None, title=found.arrival.name.rpartition(".")[0]),
        words=wording,
    )


@documents_pages.post("/refuses/<uuid:arrival_id>/relire")
def look_again(arrival_id: UUID) -> Answer:
    """Scan and read it anew. Pressed twice, the second finds it decided."""
    arrival = _one(arrival_id).arrival
    return _released(arrival, lambda: actions.look_again(arrival, production=_production()))


@documents_pages.post("/refuses/<uuid:arrival_id>/en-fichier")
def take_as_file(arrival_id: UUID) -> Answer:
    """Put it in the tray as a plain file. Pressed twice, the second finds it decided."""
    found, form = _one(arrival_id), TakeAsFileForm()
    if not form.validate():
        return _page(found, title=form), 422
    return _released(found.arrival, lambda: actions.take_as_file(found.arrival, form.words, production=_production()))


def _released(arrival: DocumentArrival, release: Callable[[], list[Outcome]]) -> Response:
    try:
        return tell(release())
    except StillRefused as refusal:
        flash(" ".join((_("It is still refused."), str(wording.reason(refusal.reason)))), "error")
    except NotKept:
        flash(_("Its bytes were not kept: ask the sender for another copy."), "error")
    except NotPossibleNow:
        flash(_("A colleague has already decided about this file."), "warning")
    return redirect(url_for(".refused", arrival_id=arrival.id), 303)


@documents_pages.post("/refuses/<uuid:arrival_id>/retourner")
def send_back(arrival_id: UUID) -> Answer:
    """Refuse it, and tell the sender when the portal can. Pressed twice, the second finds it decided."""
    arrival = _one(arrival_id).arrival
    try:
        told = actions.send_back(arrival)
        flash(_("The sender is told.") if told else _("It is refused: tell the sender yourself."), "success")
    except NotPossibleNow:
        flash(_("A colleague has already decided about this file."), "warning")
    return redirect(url_for(".quarantined"), 303)


@documents_pages.route("/refuses/<uuid:arrival_id>/abandonner", methods=["GET", "POST"])
@once
def drop(arrival_id: UUID) -> Answer:
    """Nothing will be done with it."""
    arrival, form = _one(arrival_id).arrival, DropForm()
    if not form.validate_on_submit():
        page = render_template("admin/documents/give_up.html", arrival=arrival, form=form)
        return (page, 422) if form.errors else page
    try:
        actions.drop(arrival, form.reason.data)
        flash(_("The file is given up, with its reason."), "success")
    except NotPossibleNow:
        flash(_("A colleague has already decided about this file."), "warning")
    return redirect(url_for(".quarantined"), 303)


def _one(arrival_id: UUID) -> Refused:
    return queries.refused_one(guards.establishments(RIGHT), arrival_id) or abort(404)


def _production() -> bool:
    return bool(current_app.config["SETTINGS"].is_production)
