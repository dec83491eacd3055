"""A stored file as an answer: never cached, never sniffed, and powerless if it tries to be a page."""

from urllib.parse import quote

from flask import Response

from portal import files
from portal.files import StoredFile

_INLINE = frozenset({"application/pdf", "image/jpeg", "image/png"})
_POLICY = "sandbox; default-src 'none'"


def file_response(stored: StoredFile, *, inline: bool = False) -> Response:
    """The file's own bytes, as a download, or shown by the browser when it is a photo or a PDF and `inline` asks so.

    Raises FileNotReadable unless the antivirus accepted it.
    """
    response = Response(files.open_(stored), mimetype=stored.media_type)
    way = "inline" if inline and stored.media_type in _INLINE else "attachment"
    response.headers["Content-Disposition"] = f"{way}; filename*=UTF-8''{quote(stored.name, safe='')}"
    response.headers["Content-Length"] = str(stored.size)
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response
