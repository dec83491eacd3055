"""What a structured document carries beside its text: pictures, and the copy of the whole as a PDF."""

from __future__ import annotations

import base64
import binascii
from typing import Final

from lxml import etree

from services.documents.cda.document import MAX_BYTES, NAMESPACE, body_of, child, open_document

_HL7: Final = f"{{{NAMESPACE}}}"
_PDF: Final = b"%PDF-"
# By their first bytes, whatever the document calls them; other kinds are not shown in a page.
_PICTURES: Final = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png", b"GIF8": "image/gif"}
_MOST_OF_ONE: Final = 3_000_000  # characters of base64
_MOST_OF_ALL: Final = 8_000_000


def pdf_copy(data: bytes, max_bytes: int = MAX_BYTES) -> bytes | None:
    """Return the PDF that an N3 document carries of itself (section FR-Document-PDF-copie), None when there is none.

    Raises `NotCda`, `CdaTooLarge`, `CdaRefused`.
    """
    body = body_of(open_document(data, max_bytes))
    if body.is_file:
        return None
    for media in body.element.iter(_HL7 + "observationMedia"):
        inside = _decoded(media)
        if inside.startswith(_PDF):
            return inside
    return None


def pictures(body: etree._Element) -> dict[str, str]:
    """The pictures of a structured body by their identifier, as addresses that hold them (RFC 2397)."""
    found: dict[str, str] = {}
    total = 0
    for media in body.iter(_HL7 + "observationMedia"):
        name, size = media.get("ID", ""), len(_written(media))
        if not name or size > _MOST_OF_ONE or total + size > _MOST_OF_ALL:
            continue
        inside = _decoded(media)
        kind = next((kind for first, kind in _PICTURES.items() if inside.startswith(first)), None)
        if kind:
            total += size
            found[name] = f"data:{kind};base64,{base64.b64encode(inside).decode()}"
    return found


def _written(media: etree._Element) -> str:
    value = child(media, "value")
    return (value.text or "") if value is not None and value.get("representation") == "B64" else ""


def _decoded(media: etree._Element) -> bytes:
    try:
        return base64.b64decode("".join(_written(media).split()), validate=True)
    except (binascii.Error, ValueError):
        return b""
