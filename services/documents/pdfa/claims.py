"""What a PDF says of itself."""

from __future__ import annotations

import io
from typing import Final

import pikepdf
from lxml import etree

from services.documents import untrusted_xml

_PART: Final = "{http://www.aiim.org/pdfa/ns/id/}part"
_CONFORMANCE: Final = "{http://www.aiim.org/pdfa/ns/id/}conformance"
_MAX_XMP: Final = 1024 * 1024
_WORDS: Final = {"1": "PDF/A-1", "2": "PDF/A-2", "3": "PDF/A-3", "4": "PDF/A-4"}


def claim(pdf: bytes) -> str:
    """Return the part of PDF/A that a file claims to follow, such as ``PDF/A-1b``; empty when it claims none.

    A file that cannot be opened, or not without a password, claims nothing. Nothing is raised.
    """
    try:
        with pikepdf.open(io.BytesIO(pdf)) as opened:
            metadata = opened.Root.get("/Metadata")
            said = metadata.read_bytes() if isinstance(metadata, pikepdf.Stream) else b""
    except (
        pikepdf.PdfError,
        pikepdf.PasswordError,
        ValueError,
        RuntimeError,
        OverflowError,
        TypeError,
        AttributeError,
    ):
        return ""
    return _claimed(said)


def _claimed(xmp: bytes) -> str:
    start, end = xmp.find(b"<x:xmpmeta"), xmp.rfind(b"</x:xmpmeta>")
    packet = xmp[start : end + len(b"</x:xmpmeta>")] if 0 <= start < end else xmp.strip()
    try:
        root = untrusted_xml.parse(packet, _MAX_XMP)
    except (untrusted_xml.NotXml, untrusted_xml.XmlTooLarge, untrusted_xml.XmlRefused):
        return ""
    part = _WORDS.get(_said(root, _PART))
    return part + _said(root, _CONFORMANCE).lower()[:1] if part else ""


def _said(root: etree._Element, name: str) -> str:
    """Return a property of XMP, written as an element or as an attribute."""
    for element in root.iter(etree.Element):
        if element.tag == name:
            return (element.text or "").strip()
        if value := element.get(name):
            return value.strip()
    return ""
