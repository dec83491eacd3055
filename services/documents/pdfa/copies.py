"""The copy of a clinical document that people open (ECO.2.1.5): the PDF in its envelope as it is, else one written
from its header and its words.
"""

from __future__ import annotations

import re
from datetime import datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from portal.pdf import Sheet
from services.documents import cda, value_sets
from services.documents.cda import Header
from services.documents.pdfa import narratives, pictures
from services.documents.pdfa.letters import MAX_CHARACTERS, Archived, CannotCopy, Facts, begun, paragraphs

_PARIS: Final = ZoneInfo("Europe/Paris")
_PDF: Final = b"%PDF-"


def copy_of(data: bytes, zone: tzinfo = _PARIS) -> Archived:
    """Return a document as PDF. Raises `CannotCopy`, and `CdaError` for a document that cannot be read.

    The PDF of an N1 is returned byte for byte, whatever it claims. zone: of the hospital, for the date that is shown.
    """
    header = cda.read_header(data)
    inside = cda.embedded(data)
    if inside is None:
        return _structured(data, header, zone)
    media_type, content = inside
    if media_type == "application/pdf":
        if _PDF not in content[:1024]:
            raise CannotCopy
        return Archived(content, is_whole=True)
    return _file(header, media_type, content, zone)


def _structured(data: bytes, header: Header, zone: tzinfo) -> Archived:
    sections = cda.narrative(data)
    is_long = sum(len(section.html) for section in sections) > 2 * MAX_CHARACTERS
    if is_long or any(section.is_cut for section in sections):  # never a part of a letter that looks whole
        raise CannotCopy
    sheet = begun(facts_of(header, zone))
    narratives.write(sheet, sections)
    return Archived(sheet.written(), sheet.is_whole)


def _file(header: Header, media_type: str, content: bytes, zone: tzinfo) -> Archived:
    is_text = media_type == "text/plain" and len(content) <= MAX_CHARACTERS
    pages = pictures.pages_of(content) if media_type.startswith("image/") else []
    if not (is_text or pages):
        raise CannotCopy
    sheet = begun(facts_of(header, zone))
    if is_text:
        paragraphs(sheet, content.decode("utf-8", "replace"))
    pictures.draw(sheet, pages)
    return Archived(sheet.written(), sheet.is_whole)


def picture(data: bytes, title: str, made_at: datetime) -> Archived:
    """Return a photograph or a scan as PDF, a page for each of its pages, the same bytes each time.

    Raises `CannotCopy` for what is no picture, or one too large to open.
    """
    pages = pictures.pages_of(data)
    if not pages:
        raise CannotCopy
    sheet = Sheet(title, "fr", made_at, archive=True)
    pictures.draw(sheet, pages)
    return Archived(sheet.written(), is_whole=True)


def facts_of(header: Header, zone: tzinfo = _PARIS) -> Facts:
    """Return what stands above the words of a document, from its header."""
    patient, author = header.patient, header.author
    used = f" ({patient.used_name})" if patient.used_name not in ("", patient.birth_name) else ""
    return Facts(
        title=header.title or value_sets.type_label(header.type_code, header.type_label),
        type_label=value_sets.type_label(header.type_code, header.type_label),
        written_at=header.created_at.astimezone(zone),
        author=_joined(author.given, author.family, f"({author.speciality_label})" if author.speciality_label else ""),
        organization=author.organization or header.custodian.name,
        patient=_joined(patient.birth_name + used, patient.first_name),
        first_names=patient.first_names if patient.first_names != patient.first_name else "",
        birth_on=patient.birth_on,
        number=re.sub(r"(?<=^.{13})", " ", patient.ins) if patient.ins else "",
        version=header.version,
    )


def _joined(*words: str) -> str:
    return " ".join(filter(None, words))
