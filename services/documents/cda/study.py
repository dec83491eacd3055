"""Which pictures an imaging report is about (CI-SIS, volet CR-IMG; DICOM PS3.20)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from lxml import etree

from services.documents.cda.document import MAX_BYTES, child, children, open_document

_ACCESSION: Final = "{urn:dicom-org:ps3-20}accessionNumber"
_UID: Final = re.compile(r"[0-9.]{5,64}")  # DICOM PS3.5, 9.1
_NUMBER: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")  # nothing that means something in an address


@dataclass(frozen=True)
class Study:
    """accession: the number of the request in the imaging department. uid: DICOM Study Instance UID. Either or both."""

    accession: str = ""
    uid: str = ""


def study(data: bytes, max_bytes: int = MAX_BYTES) -> Study | None:
    """Return the pictures that a document says it is about, None when it says nothing. Raises as `read_header`."""
    root = open_document(data, max_bytes)
    accession = next(filter(None, map(_accession, children(root, "inFulfillmentOf"))), "")
    if not accession:  # a report that names no request is not told from another kind of document by its act alone
        return None
    return Study(accession, next(filter(None, map(_uid, children(root, "documentationOf"))), ""))


def _accession(fulfilled: etree._Element) -> str:
    order = child(fulfilled, "order")
    number = order.find(_ACCESSION) if order is not None else None
    said = number.get("extension", "").strip() if number is not None else ""
    return said if _NUMBER.fullmatch(said) else ""


def _uid(documented: etree._Element) -> str:
    identifier = child(documented, "serviceEvent", "id")
    said = identifier.get("root", "").strip() if identifier is not None else ""
    return said if _UID.fullmatch(said) else ""
