"""The admissions clerk's tray: files by day of stay, one file side by side with its documents, the answer."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards
from auth.identity import nir
from portal import calendar, db
from portal.db import session
from portal.files import FileNotReadable
from portal.web.downloads import shown_response
from portal.web.ui import short_day
from services.pieces import actions as piece_actions
from services.pieces import queries as piece_queries
from services.pieces import wording as piece_wording
from services.pieces.forms import RefusePieceForm
from services.pieces.models import Piece
from services.pieces.states import PieceTransitionRefused
from services.preadmission import actions, queries, states, steps, wording
from services.preadmission.actions import RIGHT, NothingToAskAgain, PiecesNotSettled
from services.preadmission.answers import Coverage
from services.preadmission.forms import AskAgainForm, RefuseForm
from services.preadmission.models import Preadmission
from services.preadmission.queries import TrayFilter
from services.preadmission.states import TransitionRefused

preadmission_pages = guards.staff(
    Blueprint("admin_preadmission", __name__, url_prefix="/admin/pre-admissions", template_folder="templates"),
    right=RIGHT,
)
Answer = str | Response | tuple[str, int]


@preadmission_pages.get("")
def tray() -> str:
    """The files of my hospitals: those that wait for us first."""
    wanted = _filter()
    found = queries.tray(guards.establishments(RIGHT), wanted)
    return render_template(
        "admin/preadmission/tray.html",
        tray=found,
        wanted=wanted,
        rows=[(file, _at_risk(file)) for file in found.files],
        pieces=piece_queries.of_folders([file.id for file in found.files]),
        sites=queries.sites_of(guards.establishments(RIGHT)),
        page_size=queries.PAGE_SIZE,
        words=wording,
        piece_words=piece_wording,
    )


@preadmission_pages.get("/<uuid:preadmission_id>")
def show(preadmission_id: UUID) -> str:
    """One file: traits, answers and documents side by side. Opening it is written down."""
    file = _one(preadmission_id)
    actions.look(file)
    return _file_page(file)


@preadmission_pages.get("/<uuid:preadmission_id>/pieces/<uuid:piece_id>/fichier")
def piece_file(preadmission_id: UUID, piece_id: UUID) -> Response:
    """The document's first page, as people are shown it. Opening it is written down."""
    file, piece = _one_with_piece(preadmission_id, piece_id)
    if not piece.pages:
        abort(404)
    mark = f"{file.establishment.name} – {db.current_actor().name} – {short_day(db.now().date())}"
    try:
        return shown_response(piece_actions.hand_over(piece.pages[0], watermark=mark))
    except FileNotReadable:
        abort(404)


@preadmission_pages.post("/<uuid:preadmission_id>/numero")
def reveal_nir(preadmission_id: UUID) -> str:
    """The file, with the whole social security number on this page alone."""
    file = _one(preadmission_id)
    actions.reveal_nir(file)
    cover = queries.facts(file).given(Coverage)
    return _file_page(file, whole_nir=nir.spelled(cover.nir) if cover and cover.nir else "")


# -- decisions -----------------------------------------------------------------------------------------------------


@preadmission_pages.post("/<uuid:preadmission_id>/prendre")
def take(preadmission_id: UUID) -> Response:
    file = _one(preadmission_id)
    return _decide(file, lambda: actions.take(file), _("You have taken this file."))


@preadmission_pages.post("/<uuid:preadmission_id>/pieces/<uuid:piece_id>/accepter")
def accept_piece(preadmission_id: UUID, piece_id: UUID) -> Response:
    file, piece = _one_with_piece(preadmission_id, piece_id)
    return _decide(file, lambda: actions.accept_piece(file, piece), _("Document accepted."))


@preadmission_pages.post("/<uuid:preadmission_id>/pieces/<uuid:piece_id>/dispenser")
def waive_piece(preadmission_id: UUID, piece_id: UUID) -> Response:
    file, piece = _one_with_piece(preadmission_id, piece_id)
    return _decide(file, lambda: actions.waive_piece(file, piece), _("The document will be shown on the day."))


@preadmission_pages.post("/<uuid:preadmission_id>/pieces/<uuid:piece_id>/refuser")
def refuse_piece(preadmission_id: UUID, piece_id: UUID) -> Answer:
    file, piece = _one_with_piece(preadmission_id, piece_id)
    form = RefusePieceForm(prefix=f"piece-{piece.id}")
    if not form.validate():
        return _file_page(file, refused_pieces={piece.id: form}, form=form), 422
    done = _("Document refused. Send the file back when you have looked at all of them.")
    return _decide(file, lambda: actions.refuse_piece(file, piece, form.reason.data), done)


@preadmission_pages.post("/<uuid:preadmission_id>/renvoyer")
def ask_again(preadmission_id: UUID) -> Answer:
    """Send the file back to the patient, in one message for all refused documents."""
    file = _one(preadmission_id)
    form = _ask_again_form(file)
    if not form.validate():
        return _file_page(file, ask_again=form, form=form), 422
    assert form.complete_by.data is not None, "the form is valid"
    by = form.complete_by.data
    return _decide(file, lambda: actions.ask_again(file, by), _("The patient has been told."))


@preadmission_pages.post("/<uuid:preadmission_id>/valider")
def validate(preadmission_id: UUID) -> Response:
    file = _one(preadmission_id)
    return _decide(file, lambda: actions.validate(file), _("File accepted. The patient has been told."))


@preadmission_pages.post("/<uuid:preadmission_id>/refuser")
def refuse(preadmission_id: UUID) -> Answer:
    file, form = _one(preadmission_id), RefuseForm(prefix="refuse")
    if not form.validate():
        return _file_page(file, refuse=form, form=form), 422
    reason = (form.reason.data or "").strip()
    return _decide(file, lambda: actions.refuse(file, reason), _("File refused. The patient has been told."))


# -- shared --------------------------------------------------------------------------------------------------------


def _one(preadmission_id: UUID) -> Preadmission:
    return queries.one_at(guards.establishments(RIGHT), preadmission_id) or abort(404)


def _one_with_piece(preadmission_id: UUID, piece_id: UUID) -> tuple[Preadmission, Piece]:
    file = _one(preadmission_id)
    return file, piece_queries.one_of_folder(file.id, piece_id) or abort(404)


def _decide(file: Preadmission, act: Callable[[], None], done: str) -> Response:
    """Do one thing to the file, whole or not at all, and come back to it, saying what was done or why it was not."""
    address = url_for(".show", preadmission_id=file.id)
    try:
        with session.begin_nested():
            act()
    except NothingToAskAgain:
        flash(_("Refuse the documents to be sent again first."), "warning")
    except PiecesNotSettled:
        flash(_("Decide on each document first: accept it, or note that it will be shown on the day."), "warning")
    except FileNotReadable:
        flash(_("This document is not readable yet: the antivirus has not accepted it."), "warning")
    except (TransitionRefused, PieceTransitionRefused):
        flash(_("Not done: this file has changed in the meantime. Here is how it stands."), "warning")
    else:
        flash(done, "success")
    return redirect(address, 303)


def _file_page(file: Preadmission, *, refused_pieces: dict[UUID, Any] | None = None, **shown: Any) -> str:
    """The file; `shown` holds the form that was refused, to show its errors where they are."""
    pieces = piece_queries.of_folder(file.id)
    refusals = {piece.id: RefusePieceForm(formdata=None, prefix=f"piece-{piece.id}") for piece in pieces}
    blank = {
        "ask_again": _ask_again_form(file, blank=True),
        "refuse": RefuseForm(formdata=None, prefix="refuse"),
        "form": None,
        "whole_nir": "",
        "told": steps.told_of(queries.answers_of(file.id)),
        "ready": states.READY,
    }
    return render_template(
        "admin/preadmission/file.html",
        file=file,
        pieces=pieces,
        history=queries.history(file.id),
        at_risk=_at_risk(file),
        refusals=refusals | (refused_pieces or {}),
        words=wording,
        piece_words=piece_wording,
        decidable=file.state in (*states.TO_PROCESS, "to_complete"),
        **blank | shown,
    )


def _ask_again_form(file: Preadmission, *, blank: bool = False) -> AskAgainForm:
    today = calendar.civil_day(db.now(), file.establishment.tz)
    usual = states.usual_deadline(file, today)
    form = AskAgainForm(formdata=None, prefix="again", complete_by=usual) if blank else AskAgainForm(prefix="again")
    form.today = today
    return form


def _at_risk(file: Preadmission) -> bool:
    return states.is_at_risk(file, calendar.civil_day(db.now(), file.establishment.tz))


def _filter() -> TrayFilter:
    """What the address asks for; anything it should not say is ignored."""
    asked = request.args
    group = asked.get("groupe", "")
    return TrayFilter(
        group=group if group in queries.GROUPS else "to_process",
        site_id=asked.get("site", type=UUID),
        at_risk=asked.get("urgent") == "1",
        page=min(max(asked.get("page", 1, type=int), 1), 10_000),
    )
