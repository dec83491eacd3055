"""What the staff's page of a letter shows of it: its pages as pictures, its text as the nation lays it out."""

from uuid import UUID

from flask import Blueprint, abort
from werkzeug.wrappers import Response

from auth import guards
from services.documents import queries
from services.documents.models import RIGHT, Document
from services.documents.reading import answers

content_pages = guards.staff(
    Blueprint("admin_document_content", __name__, url_prefix="/admin/documents", template_folder="templates"),
    right=RIGHT,
)


@content_pages.get("/<uuid:document_id>/pages/<int:number>")
def sheet(document_id: UUID, number: int) -> Response:
    """One page as a picture."""
    return answers.sheet(_one(document_id), number)


@content_pages.get("/<uuid:document_id>/mise-en-page")
def laid_out(document_id: UUID) -> Response:
    """The text in the national layout, for a frame."""
    return answers.laid_out(_one(document_id))


def _one(document_id: UUID) -> Document:
    return queries.one_at(guards.establishments(RIGHT), document_id) or abort(404)
