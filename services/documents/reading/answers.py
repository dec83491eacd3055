"""Answers that patients and staff get alike, once the document was found to be one that they may read."""

from flask import abort, render_template
from werkzeug.wrappers import Response

from portal import files_shown
from portal.files import FileNotReadable
from portal.web.downloads import framed_response, shown_response
from services.documents import actions
from services.documents.models import Document
from services.documents.reading import stylesheet
from services.documents.reading.shown import heading, read


def sheet(document: Document, number: int) -> Response:
    """One page of its file as a picture, from 1."""
    if not 1 <= number <= document.shown_file.sheets:
        abort(404)
    try:
        shown = files_shown.shown(document.shown_file, sheet=number)
    except FileNotReadable:
        abort(404)
    actions.hand_over(document, "page")
    return shown_response(shown)


def laid_out(document: Document) -> Response:
    """Its text in the national layout; in the portal's own when that one is not there or fails."""
    shown = read(document)
    if not shown.is_checked or not document.is_structured or shown.data is None:
        abort(404)
    page = stylesheet.laid_out(shown.data)
    actions.hand_over(document, "laid_out")
    if page is None:
        page = render_template("documents/laid_out.html", reading=shown, heading=heading).encode()
    return framed_response(page)
