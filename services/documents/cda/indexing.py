"""What a package says of a document so that others can sort it without opening it (XDS metadata, IHE ITI TF-3 4.2).

Read from the document itself, whoever wrote it: the metadata can then not say anything else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lxml import etree

from services.documents import value_sets
from services.documents.cda.document import MAX_BYTES, body_of, child, children, open_document, text_of
from services.documents.cda.header import Header, read_header, read_moment
from services.documents.value_sets import Concept


@dataclass(frozen=True)
class Signer:
    """A person and the authority that gave the number."""

    id: str
    oid: str
    family: str
    given: str


@dataclass(frozen=True)
class Indexing:
    """The header of a document and the rest of what indexes it; None and empty for what it does not say.

    templates: the roots of its templateId, in its order.
    """

    header: Header
    language: str
    started_at: datetime | None
    ended_at: datetime | None
    signer: Signer | None
    author_oid: str
    organization_oid: str
    speciality: Concept | None
    practice_setting: Concept | None
    facility: Concept | None
    format: Concept | None


def read_indexing(data: bytes, max_bytes: int = MAX_BYTES) -> Indexing:
    """Read what indexes a CDA document. Raises `NotCda`, `CdaTooLarge`, `CdaRefused`."""
    header = read_header(data, max_bytes)
    root = open_document(data, max_bytes)
    event = _event(root)
    author = child(root, "author", "assignedAuthor")
    templates = tuple(each.get("root", "") for each in children(root, "templateId"))
    return Indexing(
        header=header,
        language=_attribute(child(root, "languageCode"), "code") or "fr-FR",
        started_at=_started_at(event),
        ended_at=_moment(_attribute(child(event, "effectiveTime", "high"), "value")),
        signer=_signer(child(root, "legalAuthenticator", "assignedEntity")),
        author_oid=_attribute(child(author, "id"), "root"),
        organization_oid=_attribute(child(author, "representedOrganization", "id"), "root"),
        speciality=_concept(child(author, "code")),
        practice_setting=_concept(_practice_setting(event)),
        facility=_concept(
            child(root, "componentOf", "encompassingEncounter", "location", "healthCareFacility", "code")
        ),
        format=value_sets.format_of(templates, body_of(root).media_type),
    )


def _event(root: etree._Element) -> etree._Element | None:
    """Find the main act: the first whose performer works somewhere (CI-SIS), else the first."""
    events = [event for each in children(root, "documentationOf") if (event := child(each, "serviceEvent")) is not None]
    return next((event for event in events if _practice_setting(event) is not None), events[0] if events else None)


def _practice_setting(event: etree._Element | None) -> etree._Element | None:
    return child(event, "performer", "assignedEntity", "representedOrganization", "standardIndustryClassCode")


def _started_at(event: etree._Element | None) -> datetime | None:
    low = _attribute(child(event, "effectiveTime", "low"), "value")
    return _moment(low or _attribute(child(event, "effectiveTime"), "value"))


def _signer(entity: etree._Element | None) -> Signer | None:
    identifier, name = child(entity, "id"), child(entity, "assignedPerson", "name")
    if identifier is None or not identifier.get("extension"):
        return None
    family, given = text_of(child(name, "family")), text_of(child(name, "given"))
    return Signer(_attribute(identifier, "extension"), _attribute(identifier, "root"), family, given)


def _concept(element: etree._Element | None) -> Concept | None:
    code = _attribute(element, "code")
    return Concept(code, _attribute(element, "codeSystem"), _attribute(element, "displayName")) if code else None


def _attribute(element: etree._Element | None, name: str) -> str:
    return " ".join(element.get(name, "").split()) if element is not None else ""


def _moment(value: str) -> datetime | None:
    return read_moment(value)[0]
