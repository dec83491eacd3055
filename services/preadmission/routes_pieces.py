"""The patient's documents: one piece of one file, sent, shown, sent again."""

from uuid import UUID

from flask import abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards, held_forms
from portal.db import session
from portal.files import FileNotReadable, StoredFile
from portal.web.downloads import file_response
from portal.web.fields import DateParts
from portal.web.repeated_posts import once
from services.pieces import queries as piece_queries
from services.pieces import wording as piece_wording
from services.pieces.forms import DepositForm
from services.pieces.models import HAS_EXPIRY, Piece
from services.pieces.states import PieceTransitionRefused
from services.preadmission import actions, queries
from services.preadmission.actions import NotEditable
from services.preadmission.models import Preadmission
from services.preadmission.pages import address
from services.preadmission.routes_patient import patient_pages

Answer = str | Response | tuple[str, int]


@patient_pages.route("/<uuid:preadmission_id>/pieces/<uuid:piece_id>", methods=["GET", "POST"])
def piece(preadmission_id: UUID, piece_id: UUID) -> Answer:
    """Send one document. The upload is received before anything is written, and survives a refused form."""
    file, wanted = _one_with_piece(preadmission_id, piece_id)
    if not _takes_files(file, wanted):
        return redirect(address(file), 303)
    held = held_forms.take()
    form = DepositForm(formdata=held) if held else DepositForm(expires_on=wanted.expires_on)
    kept = None
    if form.is_submitted():
        valid = form.validate()
        kept = form.take_upload()
        _refuse_expired(form.expires_on, file)
        if valid and kept is not None and not form.errors:
            answer: Response = _deposit(preadmission_id=file.id, piece_id=wanted.id, file_id=kept.id, form=form)
            return answer
    return _piece_page(file, wanted, form, kept)


@once
def _deposit(preadmission_id: UUID, piece_id: UUID, file_id: UUID, form: DepositForm) -> Response:
    file, wanted = _one_with_piece(preadmission_id, piece_id)
    expires_on = form.expires_on.data if wanted.kind in HAS_EXPIRY else None
    try:
        with session.begin_nested():
            actions.deposit_piece(file, wanted, file_id, expires_on)
    except (NotEditable, PieceTransitionRefused, FileNotReadable):
        flash(_("This document could not be replaced: the file has changed in the meantime."), "warning")
        return redirect(address(file), 303)
    if file.state == "completed":
        flash(_("Thank you. Everything is back with the hospital, which will answer you here."), "success")
    else:
        flash(_("Your document has arrived."), "success")
    return redirect(address(file, "pieces"), 303)


@patient_pages.get("/<uuid:preadmission_id>/pieces/<uuid:piece_id>/fichier")
def piece_file(preadmission_id: UUID, piece_id: UUID) -> Response:
    """What I sent, as I sent it."""
    _file, wanted = _one_with_piece(preadmission_id, piece_id)
    try:
        return file_response(actions.open_piece(wanted), inline=True)
    except FileNotReadable:
        abort(404)


def _one_with_piece(preadmission_id: UUID, piece_id: UUID) -> tuple[Preadmission, Piece]:
    file = queries.one_of_patient(guards.patient_id(), preadmission_id) or abort(404)
    return file, piece_queries.one_of_folder(file.id, piece_id) or abort(404)


def _takes_files(file: Preadmission, piece: Piece) -> bool:
    return file.state == "draft" or (file.state == "to_complete" and piece.is_expected)


def _refuse_expired(field: DateParts, file: Preadmission) -> None:
    if field.data is not None and field.data < file.planned_on:
        words = _("This document will not be valid on the day of your stay: send another one.")
        field.errors = [*field.errors, words]


def _piece_page(file: Preadmission, piece: Piece, form: DepositForm, kept: StoredFile | None) -> Answer:
    page = render_template(
        "preadmission/piece.html",
        file=file,
        form=form,
        piece=piece,
        kept=kept,
        has_expiry=piece.kind in HAS_EXPIRY,
        piece_words=piece_wording,
        parent=url_for(".pieces" if file.state == "draft" else ".show", preadmission_id=file.id),
    )
    return page, 422 if form.errors or form.form_errors else 200
