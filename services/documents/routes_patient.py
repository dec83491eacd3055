"""The patient's pages: one letter, its file and its original; the shelf has its own (`shelf.routes_patient`)."""

from uuid import UUID

from flask import Blueprint, abort, render_template
from werkzeug.wrappers import Response

from auth import guards
from portal.files import FileNotReadable, StoredFile
from portal.web import branding
from portal.web.downloads import file_response
from services.documents import actions, queries, reading, wording
from services.documents.models import Document
from services.documents.shelf import queries as shelf
from services.documents.shelf import wording as shelf_words
from services.documents.shelf.mes import queries as sendings

patient_pages = guards.patients(
    Blueprint("my_documents", __name__, url_prefix="/documents", template_folder="templates"), "documents"
)


@patient_pages.get("/<uuid:document_id>")
def letter(document_id: UUID) -> str:
    """One letter; opening it is written down, and it is no longer new. Of one that was withdrawn, that it was."""
    document = queries.one_of_patient(guards.patient_id(), document_id)
    if document is None:
        return _withdrawn(document_id)
    branding.of(document)
    shown = reading.read(document)
    if shown.is_checked:
        actions.open_document(document)
    label, sending = shelf.told_of(document)
    return render_template(
        "documents/letter.html",
        document=document,
        reading=shown,
        heading=reading.heading,
        replaced=queries.replaced_by(document),
        newer=shelf.newer_than(document),
        label=label,
        sending=sendings.shown(sending),
        words=wording,
        shelf_words=shelf_words,
    )


def _withdrawn(document_id: UUID) -> str:
    document = branding.of(shelf.withdrawn_of(guards.patient_id(), document_id) or abort(404))
    return render_template(
        "shelf/withdrawn.html",
        document=document,
        withdrawal=shelf.withdrawal_of(document),
        reason=wording.reason(document.reason),
    )


@patient_pages.get("/<uuid:document_id>/fichier")
def file(document_id: UUID) -> Response:
    """The file that a person opens."""
    document = _mine(document_id)
    return _hand_over(document, document.shown_file, "shown")


@patient_pages.get("/<uuid:document_id>/original")
def original(document_id: UUID) -> Response:
    """The bytes exactly as the hospital received them."""
    document = _mine(document_id)
    return _hand_over(document, document.file, "original")


def _hand_over(document: Document, stored: StoredFile, part: str) -> Response:
    try:
        response = file_response(stored)
    except FileNotReadable:
        abort(404)
    actions.hand_over(document, part)
    return response


def _mine(document_id: UUID) -> Document:
    return branding.of(queries.one_of_patient(guards.patient_id(), document_id) or abort(404))
