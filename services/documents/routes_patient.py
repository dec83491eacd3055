"""The patient's pages: the shelf, one letter, its file and its original."""

from uuid import UUID

from flask import Blueprint, abort, render_template, request, url_for
from werkzeug.wrappers import Response

from auth import guards, sessions
from auth import queries as people
from portal.files import FileNotReadable, StoredFile
from portal.web.downloads import file_response
from services.documents import actions, queries, reading, wording
from services.documents.models import Document

patient_pages = guards.patients(
    Blueprint("my_documents", __name__, url_prefix="/documents", template_folder="templates"), "documents"
)


@patient_pages.get("")
def shelf() -> str:
    """My documents, those I have not opened first."""
    page = max(1, request.args.get("page", 1, int))
    shelved, more = queries.shelf(guards.patient_id(), _account_id(), page)
    return render_template(
        "documents/shelf.html",
        patient=people.patient(guards.patient_id()),
        unread=[each.document for each in shelved if not each.read_at],
        read=[each.document for each in shelved if each.read_at],
        previous_href=url_for(".shelf", page=page - 1) if page > 1 else None,
        next_href=url_for(".shelf", page=page + 1) if more else None,
        words=wording,
    )


@patient_pages.get("/<uuid:document_id>")
def letter(document_id: UUID) -> str:
    """One letter; opening it is written down, and it is no longer new."""
    document = _mine(document_id)
    shown = reading.read(document)
    if shown.is_checked:
        actions.open_document(document)
    return render_template(
        "documents/letter.html",
        document=document,
        reading=shown,
        heading=reading.heading,
        replaced=queries.replaced_by(document),
        words=wording,
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
    return queries.one_of_patient(guards.patient_id(), document_id) or abort(404)


def _account_id() -> UUID:
    current = sessions.signed_in()
    return current.account_id if current else abort(403)
