"""METADATA.XML: what a package says of its documents and of its sending (ebRIM 3.0, XDS: IHE ITI TF-3, 4.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Final

from lxml import etree

from services.documents import value_sets
from services.documents.cda import Indexing, Patient
from services.documents.value_sets import Concept

if TYPE_CHECKING:
    from services.documents.xdm.writing import Submission

SUBSET: Final = "IHE_XDM/SUBSET01/"
_LCM: Final = "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"
_RIM: Final = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"
_TYPES: Final = "urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:"
_LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"
_STABLE_DOCUMENT: Final = "urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1"
_SUBMISSION_SET: Final = "urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd"
_HAS_MEMBER: Final = "urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember"
_SENDINGS: Final = "1.2.250.1.213.2.2"  # types of sendings, as the national examples name their list
_SET: Final = "SubmissionSet01"

_AUTHOR: Final = "urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d"
_CLASS: Final = "urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a"
_TYPE: Final = "urn:uuid:f0306f51-975f-434e-a61c-c59651d33983"
_FORMAT: Final = "urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d"
_CONFIDENTIALITY: Final = "urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f"
_FACILITY: Final = "urn:uuid:f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1"
_PRACTICE: Final = "urn:uuid:cccf5598-8b07-4b77-a05e-ae952c785ead"
_DOCUMENT_PATIENT: Final = "urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427"
_DOCUMENT_ID: Final = "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab"
_SET_AUTHOR: Final = "urn:uuid:a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d"
_SET_CONTENT: Final = "urn:uuid:aa543740-bdda-424e-8c96-df4873be8500"
_SET_ID: Final = "urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8"
_SET_SOURCE: Final = "urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832"
_SET_PATIENT: Final = "urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446"


@dataclass(frozen=True)
class Described:
    """A document of a package: its name, what proves it whole, and what it says of itself."""

    uri: str
    sha1: str
    size: int
    said: Indexing

    @cached_property
    def type(self) -> Concept:
        header = self.said.header
        code, label = header.type_code, header.type_label
        return Concept(code, value_sets.type_system(code), value_sets.type_label(code, label))

    @cached_property
    def class_(self) -> Concept | None:
        return value_sets.class_of(self.said.header.type_code)


@dataclass
class _Numbers:
    """Identifiers inside one METADATA.XML, in the order in which they are needed."""

    last: int = field(default=0)

    def next(self, prefix: str) -> str:
        self.last += 1
        return f"{prefix}{self.last:03}"


def registry(documents: Sequence[Described], submission: Submission, content: str) -> bytes:
    """Return METADATA.XML. content: the words of the submission's type."""
    root = etree.Element(f"{{{_LCM}}}SubmitObjectsRequest", nsmap={"lcm": _LCM, "rim": _RIM})
    listed = _add(root, "RegistryObjectList")
    numbers = _Numbers()
    for number, document in enumerate(documents, 1):
        _add_document(listed, numbers, f"Document{number:02}", document)
    _add_set(listed, numbers, documents[0].said, submission, content)
    _add(listed, "Classification", id="cl000", classifiedObject=_SET, classificationNode=_SUBMISSION_SET)
    for number, _ in enumerate(documents, 1):
        link = {"associationType": _HAS_MEMBER, "sourceObject": _SET, "targetObject": f"Document{number:02}"}
        member = _add(listed, "Association", id=f"as{number:02}", **link)
        _add_slots(member, {"SubmissionSetStatus": ("Original",)})
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)


def _add(parent: etree._Element, name: str, /, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{_RIM}}}{name}", attributes)


def _add_slots(parent: etree._Element, slots: Mapping[str, Sequence[str]]) -> None:
    for name, values in slots.items():
        if not any(values):
            continue
        listed = _add(_add(parent, "Slot", name=name), "ValueList")
        for value in filter(None, values):
            _add(listed, "Value").text = value


def _add_name(parent: etree._Element, words: str) -> None:
    said = _add(_add(parent, "Name"), "LocalizedString", value=words, charset="UTF-8")
    said.set(_LANG, "fr-FR")


def _add_document(listed: etree._Element, numbers: _Numbers, key: str, document: Described) -> None:
    said, header = document.said, document.said.header
    entry = _add(listed, "ExtrinsicObject", id=key, objectType=_STABLE_DOCUMENT, mimeType="text/xml")
    _add_slots(entry, _slots(document))
    _add_name(entry, header.title)
    _add_author(entry, numbers, key, _AUTHOR, said)
    confidentiality = value_sets.confidentiality(header.confidentiality)
    for scheme, concept in (
        (_CLASS, document.class_),
        (_TYPE, document.type),
        (_CONFIDENTIALITY, confidentiality),
        (_FORMAT, said.format),
        (_FACILITY, said.facility),
        (_PRACTICE, said.practice_setting),
    ):
        if concept is not None:
            _add_concept(entry, numbers, key, scheme, concept)
    _add_external(entry, numbers, key, _DOCUMENT_PATIENT, "XDSDocumentEntry.patientId", patient_id(header.patient))
    _add_external(entry, numbers, key, _DOCUMENT_ID, "XDSDocumentEntry.uniqueId", header.unique_id)


def _slots(document: Described) -> dict[str, Sequence[str]]:
    said, header = document.said, document.said.header
    return {
        "URI": (document.uri,),
        "hash": (document.sha1,),
        "size": (str(document.size),),
        "languageCode": (said.language,),
        "creationTime": (_time(header.created_at),),
        "serviceStartTime": (_time(said.started_at or header.created_at),),
        "serviceStopTime": (_time(said.ended_at),),
        "legalAuthenticator": (_signer(said),),
        "sourcePatientId": (_source_patient(header.patient),),
        "sourcePatientInfo": _traits(header.patient),
    }


def _add_set(listed: etree._Element, numbers: _Numbers, said: Indexing, submission: Submission, content: str) -> None:
    sent = _add(listed, "RegistryPackage", id=_SET)
    _add_slots(sent, {"submissionTime": (_time(submission.sent_at),)})
    _add_name(sent, said.header.title)
    _add_author(sent, numbers, _SET, _SET_AUTHOR, said)
    _add_concept(sent, numbers, _SET, _SET_CONTENT, Concept(submission.content, _SENDINGS, content))
    _add_external(sent, numbers, _SET, _SET_ID, "XDSSubmissionSet.uniqueId", submission.unique_id)
    _add_external(sent, numbers, _SET, _SET_SOURCE, "XDSSubmissionSet.sourceId", submission.source_id)
    _add_external(sent, numbers, _SET, _SET_PATIENT, "XDSSubmissionSet.patientId", patient_id(said.header.patient))


def _add_author(parent: etree._Element, numbers: _Numbers, key: str, scheme: str, said: Indexing) -> None:
    ids = {"id": numbers.next("cl"), "classifiedObject": key}
    holder = _add(parent, "Classification", classificationScheme=scheme, nodeRepresentation="", **ids)
    author, speciality = said.header.author, said.speciality
    place = _institution(author.organization, author.organization_id, said.organization_oid)
    skill = f"{speciality.code}^{_hl7(speciality.label)}^{speciality.system}" if speciality else ""
    _add_slots(
        holder,
        {
            "authorInstitution": (place,),
            "authorPerson": (_person(author.id, author.family, author.given, said.author_oid),),
            "authorSpecialty": (skill,),
        },
    )


def _add_concept(parent: etree._Element, numbers: _Numbers, key: str, scheme: str, concept: Concept) -> None:
    ids = {"id": numbers.next("cl"), "classifiedObject": key, "objectType": _TYPES + "Classification"}
    holder = _add(parent, "Classification", classificationScheme=scheme, nodeRepresentation=concept.code, **ids)
    _add_slots(holder, {"codingScheme": (concept.system,)})
    _add_name(holder, concept.label or concept.code)


def _add_external(parent: etree._Element, numbers: _Numbers, key: str, scheme: str, name: str, value: str) -> None:
    ids = {"id": numbers.next("ei"), "registryObject": key, "objectType": _TYPES + "ExternalIdentifier"}
    holder = _add(parent, "ExternalIdentifier", identificationScheme=scheme, value=value, **ids)
    _add_name(holder, name)


# --- HL7 v2 data types (XON, XCN, CX), as XDS writes them ----------------------------------------


def patient_id(patient: Patient) -> str:
    """Write the number the patient is known by: the INS, else the hospital's own."""
    if patient.ins:
        return f"{_hl7(patient.ins)}^^^&{patient.ins_oid}&ISO^NH"
    return f"{_hl7(patient.ipp)}^^^&{patient.ipp_oid}&ISO^PI"


def _source_patient(patient: Patient) -> str:
    return f"{_hl7(patient.ipp)}^^^&{patient.ipp_oid}&ISO^PI" if patient.ipp else patient_id(patient)


def _traits(patient: Patient) -> tuple[str, ...]:
    names = "^".join(map(_hl7, (patient.birth_name, patient.first_name, patient.first_names)))
    born = f"PID-7|{patient.birth_on:%Y%m%d}" if patient.birth_on else ""
    return (f"PID-5|{names}^^^^L", born, f"PID-8|{patient.sex}" if patient.sex else "")


def _person(identifier: str, family: str, given: str, oid: str) -> str:
    """Write an XCN. Component 13 says of what sort the number is: of the national list, or of the place alone."""
    said = f"{_hl7(identifier)}^{_hl7(family)}^{_hl7(given)}"
    return f"{said}^^^^^^&{oid}&ISO^D^^^IDNPS" if oid else said


def _signer(said: Indexing) -> str:
    signer = said.signer
    return _person(signer.id, signer.family, signer.given, signer.oid) if signer else ""


def _institution(name: str, identifier: str, oid: str) -> str:
    return f"{_hl7(name)}^^^^^&{oid}&ISO^IDNST^^^{_hl7(identifier)}" if identifier and oid else _hl7(name)


def _hl7(words: str) -> str:
    """Leave out the signs that separate fields: nobody unescapes them here (XDS has no escape rule)."""
    return " ".join("".join(" " if sign in "^&|~\\" else sign for sign in words).split())


def _time(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%d%H%M%S") if moment else ""
