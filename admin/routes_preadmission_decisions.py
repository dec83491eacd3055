"""What an agent decides about a file and its documents: whole or not at all, and never over a colleague's gesture."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from admin.routes_preadmission import Answer, here, preadmission_pages
from admin.routes_preadmission_files import address, file_page, one, one_with_piece
from portal import calendar, db
from portal.db import session
from portal.files import FileNotReadable
from portal.web.ui import long_day
from services.pieces import queries as piece_queries
from services.pieces import wording as piece_wording
from services.pieces.states import PieceTransitionRefused
from services.preadmission import actions, states, wording
from services.preadmission.actions import ChangedMeanwhile, HeldByAnother, NothingToAskAgain, PiecesNotSettled
from services.preadmission.models import Preadmission
from services.preadmission.office import actions as office_actions
from services.preadmission.office import queries as office
from services.preadmission.office import wording as office_words
from services.preadmission.office.forms import (
    AcceptPieceForm,
    AskForm,
    AssignForm,
    DecisionForm,
    ReasonForm,
    RefuseFileForm,
    RefusePieceForm,
    TakeOverForm,
)
from services.preadmission.office.queries import Event
from services.preadmission.states import TransitionRefused

# -- whose it is ---------------------------------------------------------------------------------------------------


@preadmission_pages.post("/<uuid:preadmission_id>/prendre")
def take(preadmission_id: UUID) -> Answer:
    file, form = one(preadmission_id), DecisionForm()
    return _decide(file, form, lambda: actions.take(file, form.version_read()), _("You have taken this file."))


@preadmission_pages.post("/<uuid:preadmission_id>/reprendre")
def take_over(preadmission_id: UUID) -> Answer:
    """Take the file from the colleague who has it: it is written in its history."""
    file, form = one(preadmission_id), TakeOverForm()
    why = (form.reason.data or "").strip()[:300]
    done = _("You have taken this file over. Its history says so.")
    return _decide(file, form, lambda: office_actions.take_over(file, why, form.version_read()), done)


@preadmission_pages.route("/<uuid:preadmission_id>/confier", methods=["GET", "POST"])
def assign(preadmission_id: UUID) -> Answer:
    """Give the file to a colleague, or to oneself."""
    file = one(preadmission_id)
    actor, known = db.current_actor(), dict(office.colleagues([file.establishment_id]))
    if actor.account_id is not None:
        known[actor.account_id] = actor.name
    form = AssignForm(version=str(file.version), at=_now()) if request.method == "GET" else AssignForm()
    form.offer(known)
    if request.method == "GET" or not form.validate():
        return _words_page(file, form, "assign"), 422 if form.errors else 200
    to = UUID(form.agent.data)
    return _with_words(file, form, "assign", lambda: office_actions.assign(file, to, known[to], form.version_read()))


@preadmission_pages.post("/<uuid:preadmission_id>/rendre")
def release(preadmission_id: UUID) -> Answer:
    file, form = one(preadmission_id), DecisionForm()
    done = _("Given back to everybody.")
    return _decide(file, form, lambda: office_actions.release(file, form.version_read()), done)


# -- a document ----------------------------------------------------------------------------------------------------


@preadmission_pages.post("/<uuid:preadmission_id>/pieces/<uuid:piece_id>/accepter")
def accept_piece(preadmission_id: UUID, piece_id: UUID) -> Answer:
    file, piece = one_with_piece(preadmission_id, piece_id)
    form = AcceptPieceForm(prefix="accept")
    if not form.validate():
        return file_page(file, acceptance=form, form=form), 422
    act = partial(actions.accept_piece, file, piece, form.expires_on.data, form.version_read())
    return _decide(file, form, act, _("Document accepted."))


@preadmission_pages.post("/<uuid:preadmission_id>/pieces/<uuid:piece_id>/dispenser")
def waive_piece(preadmission_id: UUID, piece_id: UUID) -> Answer:
    file, piece = one_with_piece(preadmission_id, piece_id)
    form = DecisionForm()
    done = _("The document will be shown on the day.")
    return _decide(file, form, lambda: actions.waive_piece(file, piece, form.version_read()), done)


@preadmission_pages.post("/<uuid:preadmission_id>/pieces/<uuid:piece_id>/refuser")
def refuse_piece(preadmission_id: UUID, piece_id: UUID) -> Answer:
    file, piece = one_with_piece(preadmission_id, piece_id)
    form = RefusePieceForm(prefix="refuse")
    if not form.validate():
        return file_page(file, refusal=form, form=form), 422
    reason, words = form.reason.data, (form.note.data or "").strip()
    act = partial(actions.refuse_piece, file, piece, reason, words, form.version_read())
    done = _("Document refused. Ask for what is missing when you have looked at all of them.")
    return _decide(file, form, act, done, refusal=form)


# -- the file ------------------------------------------------------------------------------------------------------


@preadmission_pages.route("/<uuid:preadmission_id>/demander", methods=["GET", "POST"])
def ask_again(preadmission_id: UUID) -> Answer:
    """All that is missing, in one message: what the patient will read is shown before it leaves."""
    file = one(preadmission_id)
    form = _ask_form(file)
    if request.method == "GET" or "preview" in request.form:
        return _ask_page(file, form, preview="preview" in request.form and form.validate())
    if not form.validate():
        return _ask_page(file, form), 422
    by, words, more = form.complete_by.data, (form.message.data or "").strip(), form.more.data or []
    assert by is not None, "the form is valid"
    try:
        with session.begin_nested():
            actions.ask_again(file, by, words, more, form.version_read())
    except NothingToAskAgain:
        form.form_errors.append(_("Nothing is missing: refuse a document, or tick something else to ask for."))
        return _ask_page(file, form), 422
    except ChangedMeanwhile:
        return _ask_page(file, form, since=_since(file, form)), 409
    except (TransitionRefused, HeldByAnother) as refused:
        return _not_done(file, refused)
    flash(_("The patient has been told, in one message."), "success")
    return redirect(address(file), 303)


@preadmission_pages.post("/<uuid:preadmission_id>/valider")
def validate(preadmission_id: UUID) -> Answer:
    file, form = one(preadmission_id), DecisionForm()
    done = _("File accepted. The patient has been told.")
    return _decide(file, form, lambda: actions.validate(file, form.version_read()), done)


@preadmission_pages.route("/<uuid:preadmission_id>/refuser", methods=["GET", "POST"])
def refuse(preadmission_id: UUID) -> Answer:
    """Refuse the whole file, with words to the patient."""
    file = one(preadmission_id)
    form = RefuseFileForm(version=str(file.version), at=_now()) if request.method == "GET" else RefuseFileForm()
    if request.method == "GET" or not form.validate():
        return _words_page(file, form, "refuse"), 422 if form.errors else 200
    reason = (form.reason.data or "").strip()
    return _with_words(file, form, "refuse", lambda: actions.refuse(file, reason, form.version_read()))


@preadmission_pages.route("/<uuid:preadmission_id>/rouvrir", methods=["GET", "POST"])
def reopen(preadmission_id: UUID) -> Answer:
    """Look again at a file that was accepted."""
    file = one(preadmission_id)
    form = ReasonForm(version=str(file.version), at=_now()) if request.method == "GET" else ReasonForm()
    if request.method == "GET" or not form.validate():
        return _words_page(file, form, "reopen"), 422 if form.errors else 200
    reason = (form.reason.data or "").strip()
    return _with_words(file, form, "reopen", lambda: actions.reopen(file, reason, form.version_read()))


@preadmission_pages.post("/<uuid:preadmission_id>/prevenir")
def send_link_again(preadmission_id: UUID) -> Response:
    """Write to the patient once more that something waits for them."""
    file = one(preadmission_id)
    office_actions.send_link_again(file)
    flash(_("The patient has been told again."), "success")
    return redirect(address(file), 303)


# -- shared --------------------------------------------------------------------------------------------------------


def _decide(file: Preadmission, form: DecisionForm, act: Callable[[], None], done: str, **typed: Any) -> Answer:
    """Do one thing to the file, and come back to it. 409 when somebody acted meanwhile: their gestures are told, and
    what was typed stays. typed: the form to show again then."""
    try:
        with session.begin_nested():
            act()
    except ChangedMeanwhile:
        return file_page(file, conflict=True, since=_since(file, form), **_again(file, typed)), 409
    except (NothingToAskAgain, PiecesNotSettled, FileNotReadable, HeldByAnother, TransitionRefused,
            PieceTransitionRefused) as refused:  # fmt: skip
        return _not_done(file, refused)
    office_actions.stay_on(file)
    flash(done, "success")
    return redirect(address(file), 303)


def _again(file: Preadmission, typed: dict[str, Any]) -> dict[str, Any]:
    """The form that was typed, about the file as it is now."""
    for form in typed.values():
        form.version.data, form.at.data = str(file.version), _now()
    return typed


def _not_done(file: Preadmission, refused: Exception) -> Response:
    if isinstance(refused, PiecesNotSettled):
        words = _("Decide on each document first: accept it, or note that it will be shown on the day.")
    elif isinstance(refused, FileNotReadable):
        words = _("This document is not readable yet: the antivirus has not accepted it.")
    elif isinstance(refused, HeldByAnother):
        words = _("Not done: %(name)s has this file. Take it over first if you must.", name=refused.name)
    else:
        words = _("Not done: this file has changed in the meantime. Here is how it stands.")
    flash(words, "warning")
    return redirect(address(file), 303)


def _since(file: Preadmission, form: DecisionForm) -> Sequence[Event]:
    """What others did since the page that was posted was read."""
    session.refresh(file)
    try:
        read_at = datetime.fromtimestamp(float(form.at.data or 0), UTC)
    except (ValueError, OverflowError, OSError):
        read_at = datetime.fromtimestamp(0, UTC)
    kinds = {piece.id: piece.kind for piece in piece_queries.of_folder(file.id)}
    own = db.current_actor().label
    return [each for each in office.story(file.id, kinds) if each.at >= read_at and each.actor != own]


def _now() -> str:
    return str(db.now().timestamp())


def _ask_form(file: Preadmission) -> AskForm:
    today = calendar.civil_day(db.now(), file.establishment.tz)
    pieces = piece_queries.of_folder(file.id)
    if request.method == "GET":
        usual = states.usual_deadline(file, today)
        form = AskForm(complete_by=usual, version=str(file.version), at=_now(), message=_from_template(file, usual))
    else:
        form = AskForm()
    form.today = today
    form.offer([piece.kind for piece in pieces])
    return form


def _from_template(file: Preadmission, by: Any) -> str:
    """The message the agent chose to start from, with what stands in braces written out."""
    chosen = request.args.get("modele", type=UUID)
    found = office.message(here(), chosen) if chosen else None
    if found is None:
        return ""
    values = {
        "patient": file.patient.full_name,
        "stay": long_day(file.planned_on),
        "unit": file.unit.name,
        "deadline": long_day(by),
        "phone": file.establishment.phone,
    }
    return office_words.filled(found.body, values)


def _ask_page(file: Preadmission, form: AskForm, *, preview: bool = False, since: Sequence[Event] = ()) -> str:
    if since:
        form.version.data, form.at.data = str(file.version), _now()
    return render_template(
        "admin/preadmission/ask.html",
        file=file,
        form=form,
        missing=actions.missing(piece_queries.of_folder(file.id)),
        messages=office.messages([file.establishment_id], "ask"),
        preview=preview,
        since=since,
        piece_words=piece_wording,
        words=wording,
        office_words=office_words,
    )


def _words_page(file: Preadmission, form: Any, gesture: str, since: Sequence[Event] = ()) -> str:
    chosen = request.args.get("modele", type=UUID)
    found = office.message(here(), chosen) if chosen else None
    if found is not None and gesture == "refuse" and request.method == "GET":
        form.reason.data = found.body
    return render_template(
        "admin/preadmission/decide.html",
        file=file,
        form=form,
        gesture=gesture,
        since=since,
        messages=office.messages([file.establishment_id], gesture) if gesture == "refuse" else (),
        words=wording,
        office_words=office_words,
    )


_DONE = {
    "refuse": _l("File refused. The patient has been told."),
    "reopen": _l("The file is open again."),
    "assign": _l("The file has changed hands."),
}


def _with_words(file: Preadmission, form: Any, gesture: str, act: Callable[[], None]) -> Answer:
    try:
        with session.begin_nested():
            act()
    except ChangedMeanwhile:
        since = _since(file, form)
        form.version.data, form.at.data = str(file.version), _now()
        return _words_page(file, form, gesture, since), 409
    except (TransitionRefused, HeldByAnother) as refused:
        return _not_done(file, refused)
    flash(
        _("File refused. The patient has been told.") if gesture == "refuse" else _("The file is open again."),
        "success",
    )
    return redirect(url_for(".show", preadmission_id=file.id), 303)
