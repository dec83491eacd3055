"""What members of a patient's circle read of their documents: those that row-level security shows, and no others."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, Flask, abort, render_template, request, url_for
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response

from auth import guards
from portal.db import session
from portal.files import FileNotReadable
from portal.web.downloads import file_response
from services.circle import routes_pro, sections
from services.circle.models import CircleMember
from services.circle.sections import Line, Looking, Section
from services.documents import actions, queries, reading, wording
from services.documents.models import Document
from services.documents.reading import answers
from services.documents.shelf import queries as shelf

SCOPE = "documents"
_MOST = 200

pages = guards.professionals(
    Blueprint(
        "circle_documents", __name__, url_prefix="/pro/patients/<uuid:member_id>/documents", template_folder="templates"
    )
)
pages.before_request(routes_pro.in_person)


def furnish(app: Flask) -> None:
    """Open the pages, and lay the documents on the page of a patient."""
    app.register_blueprint(pages)
    sections.show(
        Section(
            "documents",
            SCOPE,
            _l("Documents of the hospital"),
            _l("No document that you may see."),
            "file-text",
            _lines,
        )
    )


def _lines(looking: Looking) -> Sequence[Line]:
    """The versions in force, latest first."""
    found = session.scalars(
        select(Document)
        .options(joinedload(Document.establishment))
        .where(Document.patient_id == looking.patient_id, Document.state == "filed")
        .order_by(Document.authored_at.desc(), Document.id)
        .limit(_MOST)
    )
    return [
        Line(
            each.title,
            each.authored_at,
            " · ".join(filter(None, (each.establishment.name, each.author_name))),
            url_for("circle_documents.letter", member_id=looking.member_id, document_id=each.id),
        )
        for each in found
    ]


@pages.url_defaults
def _same_patient(_endpoint: str, values: dict[str, Any]) -> None:
    """Parts of a document are of the same patient's file."""
    values.setdefault("member_id", (request.view_args or {}).get("member_id"))


@pages.get("/<uuid:document_id>")
def letter(member_id: UUID, document_id: UUID) -> str:
    """One document; opening it is written down, and its patient reads it."""
    member, document = _seen(member_id, document_id)
    shown = reading.read(document)
    if shown.is_checked:
        actions.open_document(document)
    return render_template(
        "documents/circle_letter.html",
        member=member,
        document=document,
        reading=shown,
        heading=reading.heading,
        label=shelf.told_of(document)[0],
        words=wording,
    )


@pages.get("/<uuid:document_id>/fichier")
def file(member_id: UUID, document_id: UUID) -> Response:
    """The file that a person opens."""
    _member, document = _seen(member_id, document_id)
    try:
        response = file_response(document.shown_file)
    except FileNotReadable:
        abort(404)
    actions.hand_over(document, "shown")
    return response


@pages.get("/<uuid:document_id>/pages/<int:number>")
def sheet(member_id: UUID, document_id: UUID, number: int) -> Response:
    """One page as a picture."""
    return answers.sheet(_seen(member_id, document_id)[1], number)


@pages.get("/<uuid:document_id>/mise-en-page")
def laid_out(member_id: UUID, document_id: UUID) -> Response:
    """The text in the national layout, for a frame."""
    return answers.laid_out(_seen(member_id, document_id)[1])


def _seen(member_id: UUID, document_id: UUID) -> tuple[CircleMember, Document]:
    """What this patient lets the signed-in professional see; 404 for anything else."""
    member = routes_pro.seen(member_id)
    if SCOPE not in member.sees:
        abort(404)
    document = queries.one_of_patient(member.patient_id, document_id)
    if document is None or document.state != "filed":
        abort(404)
    return member, document
