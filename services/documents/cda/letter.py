"""Writing an N1 document: a file (PDF or plain text) in a CDA R2 envelope with the header the CI-SIS asks for.

The header follows the "structuration minimale" of the CI-SIS and IHE XDS-SD; `header.read_header` reads it back.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lxml import etree

from services.documents.cda.document import NAMESPACE
from services.documents.cda.header import HEALTH_PROFESSIONALS, HEALTH_STRUCTURES, Author, Organization, Patient

_LOINC: Final = "2.16.840.1.113883.6.1"
_LOINC_CODE: Final = re.compile(r"[0-9]+-[0-9]")
_NATIONAL_TYPES: Final = "1.2.250.1.213.1.1.4.12"  # codes of JDV_J07 that are not LOINC: SYNTH, PRESC-BIO …
_SPECIALITIES: Final = "1.2.250.1.213.1.1.4.5"
_PRACTICE_SETTINGS: Final = "1.2.250.1.213.1.1.4.9"
_FACILITY_TYPES: Final = "1.2.250.1.71.4.2.4"
_GENDERS: Final = "2.16.840.1.113883.5.1"
_CONFIDENTIALITY: Final = "2.16.840.1.113883.5.25"
_TEMPLATES: Final = ("2.16.840.1.113883.2.8.2.1", "1.2.250.1.213.1.1.1.1", "1.3.6.1.4.1.19376.1.2.20")
_CONFIDENTIALITY_LABELS: Final = {"N": "Normal", "R": "Restreint", "V": "Très restreint"}
_GENDER_LABELS: Final = {"M": "Masculin", "F": "Féminin"}
_WRITABLE: Final = ("application/pdf", "text/plain")


@dataclass(frozen=True, kw_only=True)
class Letter:
    """What a letter says about itself, and the file it carries.

    Identifiers are an OID or a UUID, alone or followed by ``^extension``; moments are aware; ``care_at`` is when the
    care it tells of began, the letter's own date when it is not known. Raises ValueError for a naive moment, a media
    type that is not written, or a confidentiality that is none.
    """

    unique_id: str
    set_id: str
    version: int = 1
    replaces: str | None = None
    type_code: str
    type_label: str
    title: str
    created_at: datetime
    care_at: datetime | None = None
    confidentiality: str = "N"
    patient: Patient
    author: Author
    custodian: Organization
    body: bytes
    media_type: str = "application/pdf"

    def __post_init__(self) -> None:
        if self.media_type not in _WRITABLE or self.confidentiality not in _CONFIDENTIALITY_LABELS:
            raise ValueError(f"cannot write {self.media_type} with confidentiality {self.confidentiality}")
        if self.created_at.tzinfo is None or (self.care_at and self.care_at.tzinfo is None):
            raise ValueError("a letter needs moments that say their offset")


def write_letter(letter: Letter) -> bytes:
    """Return the UTF-8 XML of a letter, valid against the CDA R2 schema. Raises ValueError for a control character."""
    moment, care_moment = _timestamp(letter.created_at), _timestamp(letter.care_at or letter.created_at)
    root = etree.Element(_hl7("ClinicalDocument"), nsmap={None: NAMESPACE})
    _declare(root)
    _add_identity(root, letter, moment)
    _add_patient(root, letter.patient)
    _add_author(root, letter.author, moment)
    _add_custodian(root, letter.custodian)
    _add_signature(root, letter.author, moment)
    _add_care(root, letter.author, care_moment)
    if letter.replaces:
        _identify(_add(_add(root, "relatedDocument", typeCode="RPLC"), "parentDocument"), "id", letter.replaces)
    _add_place(root, care_moment)
    _add_body(root, letter.body, letter.media_type)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def _hl7(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _add(parent: etree._Element, name: str, text: str | None = None, **attributes: str) -> etree._Element:
    element = etree.SubElement(parent, _hl7(name), attributes)
    element.text = text
    return element


def _identify(parent: etree._Element, name: str, identifier: str) -> None:
    root, _, extension = identifier.partition("^")
    _add(parent, name, root=root, **({"extension": extension} if extension else {}))


def _code(parent: etree._Element, name: str, code: str, label: str, system: str) -> None:
    _add(parent, name, code=code, displayName=label, codeSystem=system)


def _timestamp(moment: datetime) -> str:
    return moment.strftime("%Y%m%d%H%M%S%z")


def _declare(root: etree._Element) -> None:
    _add(root, "realmCode", code="FR")
    _add(root, "typeId", root="2.16.840.1.113883.1.3", extension="POCD_HD000040")
    for template in _TEMPLATES:
        _add(root, "templateId", root=template)


def _add_identity(root: etree._Element, letter: Letter, moment: str) -> None:
    code, confidentiality = letter.type_code, letter.confidentiality
    _identify(root, "id", letter.unique_id)
    _code(root, "code", code, letter.type_label, _LOINC if _LOINC_CODE.fullmatch(code) else _NATIONAL_TYPES)
    _add(root, "title", letter.title)
    _add(root, "effectiveTime", value=moment)
    _code(root, "confidentialityCode", confidentiality, _CONFIDENTIALITY_LABELS[confidentiality], _CONFIDENTIALITY)
    _add(root, "languageCode", code="fr-FR")
    _identify(root, "setId", letter.set_id)
    _add(root, "versionNumber", value=str(letter.version))


def _add_unknown_contact(parent: etree._Element, *names: str) -> None:
    """Write the address and telecom that the schema demands and the portal does not know (NASK: not asked)."""
    for name in names or ("addr", "telecom"):
        _add(parent, name, nullFlavor="NASK")


def _add_patient(root: etree._Element, patient: Patient) -> None:
    role = _add(_add(root, "recordTarget"), "patientRole")
    for number, oid in ((patient.ins, patient.ins_oid), (patient.ipp, patient.ipp_oid)):
        if number:
            _add(role, "id", root=oid, extension=number)
    _add_unknown_contact(role)
    person = _add(role, "patient", classCode="PSN")
    _add_patient_name(person, patient)
    if patient.sex:
        _code(person, "administrativeGenderCode", patient.sex, _GENDER_LABELS[patient.sex], _GENDERS)
    else:
        _add(person, "administrativeGenderCode", nullFlavor="UNK")
    born = {"value": patient.birth_on.strftime("%Y%m%d")} if patient.birth_on else {"nullFlavor": "UNK"}
    _add(person, "birthTime", **born)
    if patient.birthplace_insee:
        place = _add(_add(_add(person, "birthplace"), "place"), "addr")
        _add(place, "county", patient.birthplace_insee)


def _add_patient_name(person: etree._Element, patient: Patient) -> None:
    name = _add(person, "name")
    _add(name, "family", patient.birth_name, qualifier="BR")
    if patient.first_names:
        _add(name, "given", patient.first_names)
    if patient.first_name:
        _add(name, "given", patient.first_name, qualifier="BR")
    if patient.used_name:
        _add(name, "family", patient.used_name, qualifier="CL")
    if patient.used_first_name:
        _add(name, "given", patient.used_first_name, qualifier="CL")


def _add_person_name(parent: etree._Element, author: Author) -> None:
    name = _add(_add(parent, "assignedPerson"), "name")
    if author.given:
        _add(name, "given", author.given)
    _add(name, "family", author.family)


def _add_organization(assigned: etree._Element, author: Author) -> etree._Element:
    organization = _add(assigned, "representedOrganization")
    _add(organization, "id", root=HEALTH_STRUCTURES, extension=author.organization_id)
    _add(organization, "name", author.organization)
    _add_unknown_contact(organization, "telecom", "addr")
    return organization


def _add_author(root: etree._Element, author: Author, moment: str) -> None:
    holder = _add(root, "author")
    _add(holder, "time", value=moment)
    assigned = _add(holder, "assignedAuthor")
    _add(assigned, "id", root=HEALTH_PROFESSIONALS, extension=author.id)
    if author.speciality:
        _code(assigned, "code", author.speciality, author.speciality_label, _SPECIALITIES)
    _add_unknown_contact(assigned)
    _add_person_name(assigned, author)
    _add_organization(assigned, author)


def _add_custodian(root: etree._Element, custodian: Organization) -> None:
    keeper = _add(_add(_add(root, "custodian"), "assignedCustodian"), "representedCustodianOrganization")
    _add(keeper, "id", root=HEALTH_STRUCTURES, extension=custodian.id)
    _add(keeper, "name", custodian.name)
    _add_unknown_contact(keeper, "telecom", "addr")


def _add_signature(root: etree._Element, author: Author, moment: str) -> None:
    holder = _add(root, "legalAuthenticator")
    _add(holder, "time", value=moment)
    _add(holder, "signatureCode", code="S")
    assigned = _add(holder, "assignedEntity")
    _add(assigned, "id", root=HEALTH_PROFESSIONALS, extension=author.id)
    _add_unknown_contact(assigned)
    _add_person_name(assigned, author)


def _add_care(root: etree._Element, author: Author, care_moment: str) -> None:
    event = _add(_add(root, "documentationOf"), "serviceEvent")
    _add(_add(event, "effectiveTime"), "low", value=care_moment)
    assigned = _add(_add(event, "performer", typeCode="PRF"), "assignedEntity")
    _add(assigned, "id", root=HEALTH_PROFESSIONALS, extension=author.id)
    _add_unknown_contact(assigned)
    _add_person_name(assigned, author)
    organization = _add_organization(assigned, author)
    _code(organization, "standardIndustryClassCode", "ETABLISSEMENT", "Etablissement de santé", _PRACTICE_SETTINGS)


def _add_place(root: etree._Element, care_moment: str) -> None:
    encounter = _add(_add(root, "componentOf"), "encompassingEncounter")
    _add(_add(encounter, "effectiveTime"), "low", value=care_moment)
    facility = _add(_add(encounter, "location"), "healthCareFacility")
    _code(facility, "code", "SA01", "Etablissement public de santé", _FACILITY_TYPES)


def _add_body(root: etree._Element, body: bytes, media_type: str) -> None:
    holder = _add(_add(root, "component"), "nonXMLBody")
    content = base64.b64encode(body).decode("ascii")
    _add(holder, "text", content, mediaType=media_type, representation="B64")
