"""The file inside the envelope of an N1 document."""

from __future__ import annotations

import base64
import binascii
from typing import Final

from services.documents.cda.document import MAX_BYTES, CdaReason, CdaRefused, body_of, children, open_document

# What an envelope may hold in France (ASS_A12, CorresMediaTypeCDANonStructure).
MEDIA_TYPES: Final = frozenset({"application/pdf", "text/plain", "text/rtf", "image/jpeg", "image/tiff"})


def embedded(data: bytes, max_bytes: int = MAX_BYTES) -> tuple[str, bytes] | None:
    """Return (media type, content) of the file of an N1 document, None for an N3.

    The media type is what the document says: whoever stores the file still looks at its first bytes.
    Raises `NotCda`, `CdaTooLarge`, `CdaRefused`.
    """
    body = body_of(open_document(data, max_bytes))
    if not body.is_file:
        return None
    if body.media_type not in MEDIA_TYPES:
        raise CdaRefused(CdaReason.MEDIA_TYPE)
    content = body.element.text or ""
    if children(body.element, "reference") and not content.strip():
        raise CdaRefused(CdaReason.BODY_ELSEWHERE)
    if body.element.get("compression"):
        raise CdaRefused(CdaReason.BODY_UNREADABLE)
    if body.element.get("representation") == "B64":
        return body.media_type, _decoded(content)
    return body.media_type, content.encode()


def _decoded(content: str) -> bytes:
    try:
        decoded = base64.b64decode("".join(content.split()), validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    if not decoded:
        raise CdaRefused(CdaReason.BODY_UNREADABLE)
    return decoded
