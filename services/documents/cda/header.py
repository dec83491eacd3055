"""The header of a CDA R2 document: what the portal must know to file it (CI-SIS, "structuration minimale").

Lenient where hospitals are sloppy, never where a mistake would put a letter in another person's file: what is doubtful
is in `Header.warnings`, and a document without identifier, type, date, patient or body is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from lxml import etree

from services.documents.cda.document import (
    MAX_BYTES,
    CdaReason,
    CdaRefused,
    body_of,
    child,
    children,
    open_document,
    text_of,
)
from services.documents.ins import INS_OIDS, InsDoubt, doubts_about

MAX_TEXT: Final = 300  # longer titles and names are cut
MAX_IDENTIFIER: Final = 128  # XDS DocumentEntry.uniqueId (IHE ITI TF-3, 4.2.3.2.26)

HEALTH_PROFESSIONALS: Final = "1.2.250.1.71.4.2.1"  # the root under which RPPS numbers (prefixed by 8) are given
HEALTH_STRUCTURES: Final = "1.2.250.1.71.4.2.2"  # FINESS prefixed by 1, SIRET by 3

_DAY: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_TIME: Final = r"(?:([0-9]{2})(?:([0-9]{2})(?:([0-9]{2})(?:\.[0-9]{1,6})?)?)?)?"
_TIMESTAMP: Final = re.compile(_DAY.pattern + _TIME + r"([+-][0-9]{4})?")
_UNSAID_ZONE: Final = ZoneInfo("Europe/Paris")
_SEXES: Final = frozenset({"M", "F"})
_CONFIDENTIALITIES: Final = frozenset({"N", "R", "V"})


class CdaWarning(StrEnum):
    """What is doubtful in a header that can be read."""

    INS_MISSING = "ins_missing"
    INS_FORM = "ins_form"
    INS_KEY = "ins_key"
    INS_SEX = "ins_sex"
    INS_MONTH = "ins_month"
    BIRTH_DATE = "birth_date"  # absent, partial or impossible
    SEX = "sex"  # neither M nor F
    TIME_ZONE = "time_zone"  # the creation date has no offset: taken as the time of Paris
    CONFIDENTIALITY = "confidentiality"  # unknown code: treated as the strictest
    VERSION = "version"  # no usable version number: taken as 1


@dataclass(frozen=True)
class Patient:
    """Traits as written on the document; an empty string is a trait that is not there."""

    ins: str = ""
    ins_oid: str = ""
    ipp: str = ""
    ipp_oid: str = ""
    birth_name: str = ""
    used_name: str = ""
    first_names: str = ""  # all the given names of the birth record, separated by spaces
    first_name: str = ""  # the first of them, which may be compound
    used_first_name: str = ""
    sex: str = ""  # M or F
    birth_on: date | None = None
    birthplace_insee: str = ""  # five characters; 99… abroad


@dataclass(frozen=True)
class Author:
    """Who wrote it; ``id`` is 8 + RPPS for most, ``speciality`` a code of JDV_J01 such as G15_10/SM04."""

    id: str = ""
    family: str = ""
    given: str = ""
    speciality: str = ""
    speciality_label: str = ""
    organization: str = ""
    organization_id: str = ""  # 1 + FINESS, or 3 + SIRET


@dataclass(frozen=True)
class Organization:
    """An organisation that keeps documents."""

    id: str = ""
    name: str = ""


@dataclass(frozen=True)
class Header:
    """What a received document says about itself."""

    unique_id: str  # root, or root^extension as in XDS
    set_id: str  # common to all versions; the unique_id when the document gives none
    version: int
    replaces: str | None  # unique_id of the version it replaces
    type_code: str  # JDV_J07, mostly LOINC
    type_label: str
    title: str
    created_at: datetime  # UTC
    confidentiality: str  # N, R or V
    patient: Patient
    author: Author
    custodian: Organization
    level: str  # N1: a file in an envelope; N3: sections of text
    media_type: str  # of the file of an N1; empty for an N3
    warnings: tuple[CdaWarning, ...] = ()


def read_header(data: bytes, max_bytes: int = MAX_BYTES) -> Header:
    """Read the header of a CDA document. Raises `NotCda`, `CdaTooLarge`, `CdaRefused`."""
    root = open_document(data, max_bytes)
    warnings: list[CdaWarning] = []
    unique_id = _identifier(child(root, "id")) or _refuse(CdaReason.NO_IDENTIFIER)
    code = child(root, "code")
    body = body_of(root)
    return Header(
        unique_id=unique_id,
        set_id=_identifier(child(root, "setId")) or unique_id,
        version=_version(root, warnings),
        replaces=_replaced(root),
        type_code=_attribute(code, "code") or _refuse(CdaReason.NO_TYPE),
        type_label=_attribute(code, "displayName"),
        title=_words(child(root, "title")) or _attribute(code, "displayName"),
        created_at=_created_at(root, warnings),
        confidentiality=_confidentiality(root, warnings),
        patient=_patient(root, warnings),
        author=_author(root),
        custodian=_custodian(root),
        level="N1" if body.is_file else "N3",
        media_type=body.media_type,
        warnings=tuple(warnings),
    )


def _refuse(reason: CdaReason) -> str:
    raise CdaRefused(reason)


def _words(element: etree._Element | None) -> str:
    return text_of(element)[:MAX_TEXT]


def _attribute(element: etree._Element | None, name: str) -> str:
    value = element.get(name, "") if element is not None else ""
    return " ".join(value.split())[:MAX_TEXT]


def _identifier(element: etree._Element | None) -> str:
    """Write an instance identifier as XDS does: the root alone, or root^extension."""
    if element is None or not (root := element.get("root", "").strip()):
        return ""
    extension = element.get("extension", "").strip()
    identifier = f"{root}^{extension}" if extension else root
    if len(identifier) > MAX_IDENTIFIER:
        raise CdaRefused(CdaReason.IDENTIFIER_TOO_LONG)
    return identifier


def _version(root: etree._Element, warnings: list[CdaWarning]) -> int:
    value = _attribute(child(root, "versionNumber"), "value")
    if re.fullmatch(r"[0-9]{1,6}", value):
        return int(value)
    if value:
        warnings.append(CdaWarning.VERSION)
    return 1


def _replaced(root: etree._Element) -> str | None:
    for related in children(root, "relatedDocument"):
        if related.get("typeCode") == "RPLC":
            return _identifier(child(related, "parentDocument", "id")) or None
    return None


def _created_at(root: etree._Element, warnings: list[CdaWarning]) -> datetime:
    moment, has_zone = read_moment(_attribute(child(root, "effectiveTime"), "value"))
    if moment is None:
        raise CdaRefused(CdaReason.NO_DATE)
    if not has_zone:
        warnings.append(CdaWarning.TIME_ZONE)
    return moment


def read_moment(value: str) -> tuple[datetime | None, bool]:
    """Read an HL7 timestamp (YYYYMMDD[HHMM[SS]][+ZZZZ]); returns it in UTC, and whether it said its offset."""
    found = _TIMESTAMP.fullmatch(value)
    if not found:
        return None, False
    offset = found[7]
    try:
        zone = _offset(offset) if offset else _UNSAID_ZONE
        year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
        local = datetime(year, month, day, hour, minute, second, tzinfo=zone)
        return local.astimezone(UTC), offset is not None
    except (ValueError, OverflowError):
        return None, False


def _offset(value: str) -> timezone:
    minutes = int(value[1:3]) * 60 + int(value[3:5])
    return timezone(timedelta(minutes=-minutes if value[0] == "-" else minutes))


def _confidentiality(root: etree._Element, warnings: list[CdaWarning]) -> str:
    code = _attribute(child(root, "confidentialityCode"), "code")
    if code in _CONFIDENTIALITIES:
        return code
    warnings.append(CdaWarning.CONFIDENTIALITY)
    return "V"


def _patient(root: etree._Element, warnings: list[CdaWarning]) -> Patient:
    if len(children(root, "recordTarget")) > 1:
        raise CdaRefused(CdaReason.SEVERAL_PATIENTS)
    role = child(root, "recordTarget", "patientRole")
    person = child(role, "patient")
    if role is None or person is None:
        raise CdaRefused(CdaReason.NO_PATIENT)
    ins, ins_oid = _first_id(role, national=True)
    ipp, ipp_oid = _first_id(role, national=False)
    name = child(person, "name")
    first_names = _part(name, "given", None) or _part(name, "given", "BR")
    warnings += _doubts(ins, ins_oid)
    return Patient(
        ins=ins,
        ins_oid=ins_oid,
        ipp=ipp,
        ipp_oid=ipp_oid,
        birth_name=_part(name, "family", "BR") or _part(name, "family", None),
        used_name=_part(name, "family", "CL") or _part(name, "family", "SP"),  # SP: before the INS
        first_names=first_names,
        first_name=_part(name, "given", "BR") or first_names.partition(" ")[0],
        used_first_name=_part(name, "given", "CL"),
        sex=_sex(person, warnings),
        birth_on=_birth_on(person, warnings),
        birthplace_insee=_words(child(person, "birthplace", "place", "addr", "county")),
    )


def _first_id(role: etree._Element, *, national: bool) -> tuple[str, str]:
    """Find the patient's number: the INS has a national root, a hospital's own number (IPP) any other."""
    for identifier in children(role, "id"):
        root, extension = _attribute(identifier, "root"), _attribute(identifier, "extension")
        if extension and (root in INS_OIDS) is national:
            return extension.upper() if national else extension, root
    return "", ""


def _doubts(ins: str, ins_oid: str) -> list[CdaWarning]:
    if not ins:
        return [CdaWarning.INS_MISSING]
    return [_DOUBTS[doubt] for doubt in doubts_about(ins, ins_oid)]


_DOUBTS: Final = {
    InsDoubt.FORM: CdaWarning.INS_FORM,
    InsDoubt.KEY: CdaWarning.INS_KEY,
    InsDoubt.SEX: CdaWarning.INS_SEX,
    InsDoubt.MONTH: CdaWarning.INS_MONTH,
}


def _part(name: etree._Element | None, part: str, qualifier: str | None) -> str:
    """Return a part of a name: BR of the birth record, CL used in life, None without qualifier (given: all of them)."""
    parts = [element for element in children(name, part) if element.get("qualifier") == qualifier]
    if part == "given" and qualifier is None:  # hospitals write them in one element or in one each
        return " ".join(filter(None, map(_words, parts)))[:MAX_TEXT]
    return _words(parts[0]) if parts else ""


def _sex(person: etree._Element, warnings: list[CdaWarning]) -> str:
    code = _attribute(child(person, "administrativeGenderCode"), "code")
    if code in _SEXES:
        return code
    warnings.append(CdaWarning.SEX)
    return ""


def _birth_on(person: etree._Element, warnings: list[CdaWarning]) -> date | None:
    day = _day(_attribute(child(person, "birthTime"), "value"))
    if day is None:
        warnings.append(CdaWarning.BIRTH_DATE)
    return day


def _day(value: str) -> date | None:
    found = _DAY.match(value)
    try:
        return date(int(found[1]), int(found[2]), int(found[3])) if found else None
    except ValueError:  # the 31st of February; 00 for a day nobody knows
        return None


def _author(root: etree._Element) -> Author:
    assigned = child(root, "author", "assignedAuthor")
    name = child(assigned, "assignedPerson", "name")
    organization = child(assigned, "representedOrganization")
    code = child(assigned, "code")
    return Author(
        id=_attribute(child(assigned, "id"), "extension"),
        family=_words(child(name, "family")),
        given=_words(child(name, "given")),
        speciality=_attribute(code, "code"),
        speciality_label=_attribute(code, "displayName"),
        organization=_words(child(organization, "name")),
        organization_id=_attribute(child(organization, "id"), "extension"),
    )


def _custodian(root: etree._Element) -> Organization:
    keeper = child(root, "custodian", "assignedCustodian", "representedCustodianOrganization")
    return Organization(id=_attribute(child(keeper, "id"), "extension"), name=_words(child(keeper, "name")))
