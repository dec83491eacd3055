"""Writing an N1 document: a file in a CDA R2 envelope with the header the CI-SIS asks for.

The header follows the "structuration minimale" of the CI-SIS and IHE XDS-SD; `header.read_header` reads it back.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from lxml import etree

from services.documents import value_sets
from services.documents.cda.body import MEDIA_TYPES
from services.documents.cda.document import NAMESPACE
from services.documents.cda.header import HEALTH_PROFESSIONALS, HEALTH_STRUCTURES, Author, Header, Organization, Patient

_GENDERS: Final = "2.16.840.1.113883.5.1"
_TEMPLATES: Final = ("2.16.840.1.113883.2.8.2.1", "1.2.250.1.213.1.1.1.1", "1.3.6.1.4.1.19376.1.2.20")
_GENDER_LABELS: Final = {"M": "Masculin", "F": "Féminin", "UN": "Inconnu"}
_CONFIDENTIALITIES: Final = frozenset({"N", "R", "V"})


@dataclass(frozen=True)
class Guardian:
    """Who answers for a patient: a parent of a minor, a guardian."""

    family: str
    given: str = ""


@dataclass(frozen=True, kw_only=True)
class Letter:
    """What a letter says about itself, and the file it carries.

    Identifiers are an OID or a UUID, alone or followed by ``^extension``; moments are aware; ``care_at`` is when the
    care it tells of began, the letter's own date when it is not known, ``care_until`` when it ended. type_label: the
    national label of the type when empty. signer: who answers for it, its author when nobody else is named.
    practice_setting, facility: codes of JDV_J04 and JDV_J02. Raises ValueError for a naive moment, a media type that
    envelopes do not hold, or a code that its list does not have.
    """

    unique_id: str
    set_id: str
    version: int = 1
    replaces: str | None = None
    type_code: str
    type_label: str = ""
    title: str
    created_at: datetime
    care_at: datetime | None = None
    care_until: datetime | None = None
    confidentiality: str = "N"
    patient: Patient
    guardian: Guardian | None = None
    author: Author
    signer: Author | None = None
    custodian: Organization
    practice_setting: str = "ETABLISSEMENT"
    facility: str = "SA01"
    body: bytes
    media_type: str = "application/pdf"

    def __post_init__(self) -> None:
        if self.media_type not in MEDIA_TYPES or self.confidentiality not in _CONFIDENTIALITIES:
            raise ValueError(f"cannot write {self.media_type} with confidentiality {self.confidentiality}")
        if value_sets.type_of(self.type_code) is None:
            raise ValueError(f"{self.type_code} is no type of document")
        if value_sets.practice_setting(self.practice_setting) is None or value_sets.facility(self.facility) is None:
            raise ValueError(f"no place is {self.practice_setting} or {self.facility}")
        moments = (self.created_at, self.care_at, self.care_until)
        if any(moment and moment.tzinfo is None for moment in moments):
            raise ValueError("a letter needs moments that say their offset")


def identifier(key: UUID) -> str:
    """Write a UUID as the OID that it is (ITU-T X.667): ``2.25.`` and its number."""
    return f"2.25.{key.int}"


def practitioner_id(rpps: str) -> str:
    """Return the identifier of a professional from the eleven digits of the RPPS."""
    return f"8{rpps}"


def staff_id(structure: str, number: str) -> str:
    """Return the identifier of somebody without RPPS from their place's identifier and the number it gave them."""
    return f"{'3' if structure.startswith('1') else '5'}{structure[1:]}/{number}"


def structure_id(finess: str = "", siret: str = "") -> str:
    """Return the identifier of an organisation from its FINESS, else from its SIRET."""
    return f"1{finess}" if finess else f"3{siret}"


class Lacking(StrEnum):
    """What the profile demands of a header and this one has not: it can be kept here, and not be sent."""

    NAME = "name"
    FIRST_NAMES = "first_names"
    BIRTH_DATE = "birth_date"
    PATIENT_NUMBER = "patient_number"
    INS_TRAITS = "ins_traits"  # an INS goes with the five traits, or not at all
    AUTHOR = "author"
    CUSTODIAN = "custodian"


def lacking(said: Letter | Header) -> tuple[Lacking, ...]:
    """List what the profile demands and a letter lacks, from what is to be written or from what was read."""
    patient = said.patient
    traits = (patient.birth_name, patient.first_names, patient.birth_on, patient.birthplace_insee, patient.sex)
    lacks = {
        Lacking.NAME: not patient.birth_name,
        Lacking.FIRST_NAMES: not (patient.first_names or patient.first_name),
        Lacking.BIRTH_DATE: patient.birth_on is None,
        Lacking.PATIENT_NUMBER: not (patient.ins or patient.ipp),
        Lacking.INS_TRAITS: bool(patient.ins) and not all(traits),
        Lacking.AUTHOR: not (said.author.id and said.author.family),
        Lacking.CUSTODIAN: not (said.custodian.id and said.custodian.name),
    }
    return tuple(fact for fact, is_so in lacks.items() if is_so)


def write_letter(letter: Letter) -> bytes:
    """Return the UTF-8 XML of a letter, valid against the CDA R2 schema. Raises ValueError for a control character."""
    moment = _timestamp(letter.created_at)
    root = etree.Element(_hl7("ClinicalDocument"), nsmap={None: NAMESPACE})
    _declare(root)
    _add_identity(root, letter, moment)
    _add_patient(root, letter.patient, letter.guardian)
    _add_author(root, letter.author, moment)
    _add_custodian(root, letter.custodian)
    _add_signature(root, letter.signer or letter.author, moment)
    _add_care(root, letter)
    if letter.replaces:
        _identify(_add(_add(root, "relatedDocument", typeCode="RPLC"), "parentDocument"), "id", letter.replaces)
    _add_place(root, letter)
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
    root = root.upper() if "-" in root else root  # a UUID, in capitals (HL7 data types R1)
    _add(parent, name, root=root, **({"extension": extension} if extension else {}))


def _code(parent: etree._Element, name: str, code: str, label: str, system: str) -> None:
    _add(parent, name, code=code, displayName=label, codeSystem=system)


def _concept(parent: etree._Element, name: str, concept: value_sets.Concept | None) -> None:
    if concept is not None:  # `Letter` lets no unknown code through
        _code(parent, name, concept.code, concept.label, concept.system)


def _add_id(parent: etree._Element, root: str, extension: str) -> None:
    """Write an identifier, or that it is not known: an empty one would be somebody's."""
    _add(parent, "id", **({"root": root, "extension": extension} if extension else {"nullFlavor": "UNK"}))


def _timestamp(moment: datetime) -> str:
    return moment.strftime("%Y%m%d%H%M%S%z")


def _declare(root: etree._Element) -> None:
    _add(root, "realmCode", code="FR")
    _add(root, "typeId", root="2.16.840.1.113883.1.3", extension="POCD_HD000040")
    for template in _TEMPLATES:
        _add(root, "templateId", root=template)


def _add_identity(root: etree._Element, letter: Letter, moment: str) -> None:
    code = letter.type_code
    _identify(root, "id", letter.unique_id)
    label = letter.type_label or value_sets.type_label(code)
    _code(root, "code", code, label, value_sets.type_system(code))
    _add(root, "title", letter.title)
    _add(root, "effectiveTime", value=moment)
    _concept(root, "confidentialityCode", value_sets.confidentiality(letter.confidentiality))
    _add(root, "languageCode", code="fr-FR")
    _identify(root, "setId", letter.set_id)
    _add(root, "versionNumber", value=str(letter.version))


def _add_unknown_contact(parent: etree._Element, *names: str) -> None:
    """Write the address and telecom that the schema demands and the portal does not know (NASK: not asked)."""
    for name in names or ("addr", "telecom"):
        _add(parent, name, nullFlavor="NASK")


def _add_patient(root: etree._Element, patient: Patient, guardian: Guardian | None) -> None:
    role = _add(_add(root, "recordTarget"), "patientRole")
    for number, oid in ((patient.ins, patient.ins_oid), (patient.ipp, patient.ipp_oid)):
        if number:
            _add(role, "id", root=oid, extension=number)
    _add_unknown_contact(role)
    person = _add(role, "patient", classCode="PSN")
    _add_patient_name(person, patient)
    sex = patient.sex or "UN"
    _code(person, "administrativeGenderCode", sex, _GENDER_LABELS[sex], _GENDERS)
    born = {"value": patient.birth_on.strftime("%Y%m%d")} if patient.birth_on else {"nullFlavor": "UNK"}
    _add(person, "birthTime", **born)
    if guardian is not None:
        _add_guardian(person, guardian)
    if patient.birthplace_insee:
        place = _add(_add(_add(person, "birthplace"), "place"), "addr")
        _add(place, "county", patient.birthplace_insee)


def _add_guardian(person: etree._Element, guardian: Guardian) -> None:
    holder = _add(person, "guardian")
    _add_unknown_contact(holder)
    name = _add(_add(holder, "guardianPerson"), "name")
    _add(name, "family", guardian.family)
    if guardian.given:
        _add(name, "given", guardian.given)


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
    if author.organization_id:
        _add_id(organization, HEALTH_STRUCTURES, author.organization_id)
    if author.organization:
        _add(organization, "name", author.organization)
    else:
        _add(organization, "name", nullFlavor="UNK")
    _add_unknown_contact(organization, "telecom", "addr")
    return organization


def _add_author(root: etree._Element, author: Author, moment: str) -> None:
    holder = _add(root, "author")
    _add(holder, "time", value=moment)
    assigned = _add(holder, "assignedAuthor")
    _add_id(assigned, HEALTH_PROFESSIONALS, author.id)
    if author.speciality:
        _concept(assigned, "code", _speciality(author))
    _add_unknown_contact(assigned)
    _add_person_name(assigned, author)
    _add_organization(assigned, author)


def _speciality(author: Author) -> value_sets.Concept:
    """Return the author's speciality, in the words of the caller when the list does not have it."""
    known = value_sets.speciality(author.speciality)
    return known or value_sets.Concept(author.speciality, value_sets.SPECIALITIES, author.speciality_label)


def _add_custodian(root: etree._Element, custodian: Organization) -> None:
    keeper = _add(_add(_add(root, "custodian"), "assignedCustodian"), "representedCustodianOrganization")
    _add_id(keeper, HEALTH_STRUCTURES, custodian.id)
    _add(keeper, "name", custodian.name)
    _add_unknown_contact(keeper, "telecom", "addr")


def _add_signature(root: etree._Element, author: Author, moment: str) -> None:
    holder = _add(root, "legalAuthenticator")
    _add(holder, "time", value=moment)
    _add(holder, "signatureCode", code="S")
    assigned = _add(holder, "assignedEntity")
    _add_id(assigned, HEALTH_PROFESSIONALS, author.id)
    _add_unknown_contact(assigned)
    _add_person_name(assigned, author)


def _add_care(root: etree._Element, letter: Letter) -> None:
    author = letter.author
    event = _add(_add(root, "documentationOf"), "serviceEvent")
    _add_period(event, letter)
    assigned = _add(_add(event, "performer", typeCode="PRF"), "assignedEntity")
    _add_id(assigned, HEALTH_PROFESSIONALS, author.id)
    _add_unknown_contact(assigned)
    _add_person_name(assigned, author)
    organization = _add_organization(assigned, author)
    _concept(organization, "standardIndustryClassCode", value_sets.practice_setting(letter.practice_setting))


def _add_period(parent: etree._Element, letter: Letter) -> None:
    period = _add(parent, "effectiveTime")
    _add(period, "low", value=_timestamp(letter.care_at or letter.created_at))
    if letter.care_until:
        _add(period, "high", value=_timestamp(letter.care_until))


def _add_place(root: etree._Element, letter: Letter) -> None:
    encounter = _add(_add(root, "componentOf"), "encompassingEncounter")
    _add_period(encounter, letter)
    facility = _add(_add(encounter, "location"), "healthCareFacility")
    _concept(facility, "code", value_sets.facility(letter.facility))


def _add_body(root: etree._Element, body: bytes, media_type: str) -> None:
    holder = _add(_add(root, "component"), "nonXMLBody")
    content = base64.b64encode(body).decode("ascii")
    _add(holder, "text", content, mediaType=media_type, representation="B64")
