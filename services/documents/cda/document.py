"""Opening a CDA R2 document: the facts about what cannot be opened, and the way around its tree."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lxml import etree

from services.documents import untrusted_xml

MAX_BYTES: Final = 20 * 1024 * 1024
NAMESPACE: Final = "urn:hl7-org:v3"
_HL7: Final = f"{{{NAMESPACE}}}"


class CdaReason(StrEnum):
    """Why a document is refused. The first four are those of `untrusted_xml.XmlReason`."""

    DTD = "dtd"
    ENCODING = "encoding"
    TOO_DEEP = "too_deep"
    TOO_MANY_ELEMENTS = "too_many_elements"
    NO_IDENTIFIER = "no_identifier"
    IDENTIFIER_TOO_LONG = "identifier_too_long"
    NO_TYPE = "no_type"
    NO_DATE = "no_date"
    NO_PATIENT = "no_patient"
    SEVERAL_PATIENTS = "several_patients"
    NO_BODY = "no_body"
    BODY_UNREADABLE = "body_unreadable"  # base64 that is none, or compressed
    BODY_ELSEWHERE = "body_elsewhere"  # a link instead of the file
    MEDIA_TYPE = "media_type"  # a file of a type the CI-SIS does not allow in an envelope


class CdaError(Exception):
    """Why a document could not be taken; the class, and for a refusal the reason, say which."""


class NotCda(CdaError):
    """Not XML, or XML that is not a clinical document."""


class CdaTooLarge(CdaError):
    """More bytes than the caller accepts."""


class CdaRefused(CdaError):
    """A clinical document that cannot be filed safely."""

    def __init__(self, reason: CdaReason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Body:
    """Where the content is: a file in an envelope (level N1) or a structured body (N3)."""

    element: etree._Element
    is_file: bool
    media_type: str


def open_document(data: bytes, max_bytes: int = MAX_BYTES) -> etree._Element:
    """Return the ClinicalDocument element. Raises `NotCda`, `CdaTooLarge`, `CdaRefused`."""
    try:
        root = untrusted_xml.parse(data, max_bytes)
    except untrusted_xml.NotXml:
        raise NotCda from None
    except untrusted_xml.XmlTooLarge:
        raise CdaTooLarge from None
    except untrusted_xml.XmlRefused as refusal:
        raise CdaRefused(CdaReason(refusal.reason)) from None
    if root.tag != _HL7 + "ClinicalDocument":
        raise NotCda
    return root


def body_of(root: etree._Element) -> Body:
    """Find the content of a document. Raises `CdaRefused`."""
    file = child(root, "component", "nonXMLBody", "text")
    if file is not None:
        return Body(file, is_file=True, media_type=file.get("mediaType", "text/plain").strip().lower()[:100])
    structured = child(root, "component", "structuredBody")
    if structured is None:
        raise CdaRefused(CdaReason.NO_BODY)
    return Body(structured, is_file=False, media_type="")


def child(element: etree._Element | None, *names: str) -> etree._Element | None:
    """Follow a path of HL7 elements, the first of each name; None when it ends early."""
    for name in names:
        element = element.find(_HL7 + name) if element is not None else None
    return element


def children(element: etree._Element | None, name: str) -> list[etree._Element]:
    """List the HL7 children of this name."""
    return element.findall(_HL7 + name) if element is not None else []


def text_of(element: etree._Element | None) -> str:
    """Return all the words of an element, spaces made single."""
    return " ".join("".join(element.itertext()).split()) if element is not None else ""
