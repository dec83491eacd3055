"""Reading XML that comes from outside, within limits, so that no document can cost more than its size.

No DTD at all: neither CDA R2 nor ebRIM needs one, and without one there are no entities to expand or to fetch
(OWASP, XML external entity prevention). Everything else is counted before a tree is built.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from lxml import etree

MAX_DEPTH: Final = 100  # the deepest official example has 18
MAX_MARKS: Final = 400_000  # elements and attributes; the largest official example has 8,000

# Encodings seen in the field. Anything rarer could hide a DTD from the check that follows.
_ENCODINGS: Final = {
    "utf-8": "utf-8",
    "us-ascii": "ascii",
    "iso-8859-1": "iso-8859-1",
    "iso-8859-15": "iso-8859-15",
    "windows-1252": "windows-1252",
}
_DECLARED: Final = re.compile(rb"""^<\?xml[^>]{0,100}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")


class XmlReason(StrEnum):
    """Why well-meant or hostile XML is not read."""

    DTD = "dtd"
    ENCODING = "encoding"
    TOO_DEEP = "too_deep"
    TOO_MANY_ELEMENTS = "too_many_elements"


class NotXml(Exception):
    """It is not well-formed XML."""


class XmlTooLarge(Exception):
    """It has more bytes than the caller accepts."""


class XmlRefused(Exception):
    """It is XML of a kind we do not read."""

    def __init__(self, reason: XmlReason) -> None:
        super().__init__(reason)
        self.reason = reason


def parse(data: bytes, max_bytes: int) -> etree._Element:
    """Return the root of a document, without its comments and processing instructions.

    Raises `NotXml`, `XmlTooLarge`, `XmlRefused`; nothing else, whatever the bytes.
    """
    if len(data) > max_bytes:
        raise XmlTooLarge
    text = _as_utf8(data)
    if b"<!DOCTYPE" in text:
        raise XmlRefused(XmlReason.DTD)
    if text.count(b"<") > 2 * MAX_MARKS or text.count(b"=") > MAX_MARKS:
        raise XmlRefused(XmlReason.TOO_MANY_ELEMENTS)
    try:
        root = etree.fromstring(text, _parser())
    except (etree.XMLSyntaxError, ValueError):
        raise NotXml from None
    _check_depth(root)
    return root


def _parser() -> etree.XMLParser:
    # huge_tree: libxml2 would otherwise refuse text above 10 MB, a scanned letter of 8 MB in base64. What it protects
    # against is excluded above. The encoding overrides the declared one: the parser reads what the check has read.
    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=True,
        remove_comments=True,
        remove_pis=True,
    )


def _as_utf8(data: bytes) -> bytes:
    try:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return data.decode("utf-16").encode()
        data = data.removeprefix(b"\xef\xbb\xbf")
        declared = _DECLARED.match(data)
        name = declared[1].decode().lower() if declared else "utf-8"
        if name not in _ENCODINGS:
            raise XmlRefused(XmlReason.ENCODING)
        return data.decode(_ENCODINGS[name]).encode()
    except UnicodeDecodeError:
        raise NotXml from None


def _check_depth(root: etree._Element) -> None:
    depth = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > MAX_DEPTH:
            raise XmlRefused(XmlReason.TOO_DEEP)
