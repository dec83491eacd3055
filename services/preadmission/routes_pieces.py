"""The patient's documents: the pages of one piece, sent, arranged, shown, taken again from an accepted one."""

from collections.abc import Callable, Sequence
from uuid import UUID

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards, held_forms
from portal.db import session
from portal.files import FileNotReadable, StoredFile
from portal.web import branding
from portal.web.downloads import shown_response
from portal.web.fields import DateParts
from portal.web.repeated_posts import once
from services.pieces import actions as piece_actions
from services.pieces import queries as piece_queries
from services.pieces import wording as piece_wording
from services.pieces.actions import NoPage, NotReusable, TooManyFiles
from services.pieces.forms import DepositForm, PageForm, PageLinks, ReuseForm
from services.pieces.models import Piece, PiecePage
from services.pieces.states import PieceTransitionRefused
from services.preadmission import actions, queries
from services.preadmission.actions import NotEditable
from services.preadmission.models import Preadmission
from services.preadmission.pages import address
from services.preadmission.routes_patient import patient_pages

Answer = str | Response | tuple[str, int]
_PIECE = "/<uuid:preadmission_id>/pieces/<uuid:piece_id>"


@patient_pages.route(_PIECE, methods=["GET", "POST"])
def piece(preadmission_id: UUID, piece_id: UUID) -> Answer:
    """Send one document. Uploads are received before anything is written, and survive a refused form."""
    file, wanted = _one_with_piece(preadmission_id, piece_id)
    if not actions.takes_pages(file, wanted):
        return redirect(address(file), 303)
    held = held_forms.take()
    form = DepositForm(formdata=held) if held else DepositForm(expires_on=wanted.expires_on)
    kept: Sequence[StoredFile] = ()
    if form.is_submitted():
        valid = form.validate()
        kept = form.take_uploads(wanted)
        _refuse_expired(form.expires_on, file)
        if valid and not form.errors:
            answer: Response = _deposit(preadmission_id=file.id, piece_id=wanted.id, form=form, kept=kept)
            return answer
    return _piece_page(file, wanted, form, kept)


@once
def _deposit(preadmission_id: UUID, piece_id: UUID, form: DepositForm, kept: Sequence[StoredFile]) -> Response:
    file, wanted = _one_with_piece(preadmission_id, piece_id)

    def act() -> None:
        actions.add_pages(file, wanted, [each.id for each in kept], rotation=form.rotation)
        if not form.more.data:
            actions.deposit_piece(file, wanted, form.expires_on.data if wanted.rules.has_expiry else None)

    return _do(file, wanted, act, _("Your document has arrived."), stay=form.more.data)


@patient_pages.post(f"{_PIECE}/reprendre")
@once
def reuse_piece(preadmission_id: UUID, piece_id: UUID) -> Response:
    """The document that a hospital has accepted already."""
    file, wanted = _one_with_piece(preadmission_id, piece_id)
    form = ReuseForm()
    sources = {str(each.id): each for each in piece_queries.reusable(wanted, file.planned_on)}
    if not form.validate() or (source := sources.get(form.source.data or "")) is None:
        flash(_("This document could not be used again: send it here."), "warning")
        return redirect(url_for(".piece", preadmission_id=file.id, piece_id=wanted.id), 303)
    done = _("The document that was accepted before is used again.")
    return _do(file, wanted, lambda: actions.reuse_piece(file, wanted, source, ticked=form.agreed.data), done)


@patient_pages.get(f"{_PIECE}/pages/<uuid:page_id>")
def piece_page(preadmission_id: UUID, piece_id: UUID, page_id: UUID) -> Response:
    """One page of what I sent, as the hospital looks at it; `feuille`: that sheet of a PDF, as an image."""
    page = _one_page(preadmission_id, piece_id, page_id)[1]
    try:
        return shown_response(piece_actions.hand_over(page, sheet=request.args.get("feuille", type=int)))
    except FileNotReadable:
        abort(404)


@patient_pages.post(f"{_PIECE}/pages/<uuid:page_id>")
def change_page(preadmission_id: UUID, piece_id: UUID, page_id: UUID) -> Response:
    """Turn a page, put it earlier, take it away."""
    file, page = _one_page(preadmission_id, piece_id, page_id)
    form = PageForm()
    if not form.validate():
        abort(400)
    gesture = form.gesture.data or ""
    return _do(file, page.piece, lambda: actions.arrange_page(file, page, gesture), "", stay=True)


def _do(file: Preadmission, wanted: Piece, act: Callable[[], None], done: str, *, stay: bool = False) -> Response:
    """Do it whole or not at all, and say so. stay: come back to the same document."""
    here = url_for(".piece", preadmission_id=file.id, piece_id=wanted.id)
    try:
        with session.begin_nested():
            act()
    except TooManyFiles as many:
        flash(_("This document takes %(most)d pages at most: remove one first.", most=many.limit), "warning")
        return redirect(here, 303)
    except NoPage:
        flash(_("Remove the page with a virus, or choose a file, then send the document."), "warning")
        return redirect(here, 303)
    except (NotEditable, NotReusable, PieceTransitionRefused, FileNotReadable):
        flash(_("This document could not be replaced: the file has changed in the meantime."), "warning")
        return redirect(address(file), 303)
    if stay:
        return redirect(here, 303)
    if file.state == "completed":
        done = _("Thank you. Everything is back with the hospital, which will answer you here.")
    flash(done, "success")
    return redirect(address(file, "pieces"), 303)


def _one_with_piece(preadmission_id: UUID, piece_id: UUID) -> tuple[Preadmission, Piece]:
    file = branding.of(queries.one_of_patient(guards.patient_id(), preadmission_id) or abort(404))
    return file, piece_queries.one_of_folder(file.id, piece_id) or abort(404)


def _one_page(preadmission_id: UUID, piece_id: UUID, page_id: UUID) -> tuple[Preadmission, PiecePage]:
    file, wanted = _one_with_piece(preadmission_id, piece_id)
    return file, piece_queries.page_of(wanted, page_id) or abort(404)


def _refuse_expired(field: DateParts, file: Preadmission) -> None:
    if field.data is not None and field.data < file.planned_on:
        words = _("This document will not be valid on the day of your stay: send another one.")
        field.errors = [*field.errors, words]


def _piece_page(file: Preadmission, wanted: Piece, form: DepositForm, kept: Sequence[StoredFile]) -> Answer:
    def page_address(page: PiecePage, sheet: int | None = None) -> str:
        return url_for(".piece_page", preadmission_id=file.id, piece_id=wanted.id, page_id=page.id, feuille=sheet)

    page = render_template(
        "preadmission/piece.html",
        file=file,
        form=form,
        piece=wanted,
        kept=kept,
        links=PageLinks(page_address, page_address),
        reusable=piece_queries.reusable(wanted, file.planned_on) if wanted.state != "accepted" else (),
        reuse_form=ReuseForm(formdata=None),
        piece_words=piece_wording,
        parent=url_for(".pieces" if file.state == "draft" else ".show", preadmission_id=file.id),
    )
    return page, form.status
