"""A stored file as an answer: never cached, never sniffed, and powerless if it tries to be a page."""

from urllib.parse import quote

from flask import Response

from portal import files
from portal.files import StoredFile
from portal.files_shown import Shown

_INLINE = frozenset({"application/pdf", "image/jpeg", "image/png"})
_POLICY = "sandbox; default-src 'none'"
_FRAMED_POLICY = (
    f"{_POLICY}; script-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none';"
    " frame-ancestors 'self'"
)


def file_response(stored: StoredFile, *, inline: bool = False) -> Response:
    """The file's own bytes, as a download, or shown by the browser when it is a photo or a PDF and `inline` asks so.

    They are all read before the first one leaves, so that a storage that stops half-way, or a file that was altered,
    gives an error page and not half a document; what is larger than an upload (a copy of somebody's data) is streamed.
    Raises FileNotReadable unless the antivirus accepted it, Unavailable, ObjectLost, FileTampered.
    """
    pieces = files.open_(stored)
    response = Response(b"".join(pieces) if stored.size <= files.MAX_BYTES else pieces, mimetype=stored.media_type)
    return _powerless(response, stored.name, stored.size, inline=inline and stored.media_type in _INLINE)


def shown_response(shown: Shown) -> Response:
    """The copy that people look at, in the page or in a tab of its own."""
    return _powerless(Response(shown.data, mimetype=shown.media_type), shown.name, len(shown.data), inline=True)


def framed_response(page: bytes) -> Response:
    """A page made of somebody else's text, for a frame of ours: whatever it holds can be looked at, and do nothing."""
    response = Response(page, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = _FRAMED_POLICY
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response


def made_response(data: bytes, name: str, media_type: str = "application/pdf") -> Response:
    """What was made for this answer alone and is kept nowhere, as a download."""
    return _powerless(Response(data, mimetype=media_type), name, len(data), inline=False)


def _powerless(response: Response, name: str, size: int, *, inline: bool) -> Response:
    way = "inline" if inline else "attachment"
    response.headers["Content-Disposition"] = f"{way}; filename*=UTF-8''{quote(name, safe='')}"
    response.headers["Content-Length"] = str(size)
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response
