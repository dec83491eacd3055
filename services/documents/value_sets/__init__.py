"""The words and codes of the national value sets that documents are indexed with (CI-SIS: JDV_J01, J02, J04, J06, J07,
J08, ASS_X04, ASS_A11, ASS_A12, of 2024).

Labels are the national ones: they go into documents, subjects of mails and file names, and are shown to people as they
are. A code that is not listed is not an error here: what arrives is older or newer than this list.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

LOINC: Final = "2.16.840.1.113883.6.1"
NATIONAL_TYPES: Final = "1.2.250.1.213.1.1.4.12"  # TRE_A05: SYNTH, PRESC-BIO …
_ASTM: Final = "ASTM"
CLASSES: Final = "1.2.250.1.213.1.1.4.1"
FORMATS: Final = "1.3.6.1.4.1.19376.1.2.3"
CONFIDENTIALITIES: Final = "2.16.840.1.113883.5.25"
_VISIBILITIES: Final = "1.2.250.1.213.1.1.4.13"
PRACTICE_SETTINGS: Final = "1.2.250.1.213.1.1.4.9"
FACILITIES: Final = "1.2.250.1.71.4.2.4"
SPECIALITIES: Final = "1.2.250.1.213.1.1.4.5"
_NOT_CARE: Final = "1.2.250.1.213.1.1.4.6"  # TRE_A00: the patient's own words, a referenced digital service
_LOINC_CODE: Final = re.compile(r"[0-9]+-[0-9]")


@dataclass(frozen=True)
class Concept:
    """A code, the list it is of (OID), and its national label."""

    code: str
    system: str
    label: str


@dataclass(frozen=True)
class DocumentType(Concept):
    """A type of document (JDV_J07). class_: its class (ASS_X04), None for the two types that have none."""

    class_: Concept | None


CLASS_LABELS: Final = MappingProxyType(
    {
        "10": "Compte rendu", "11": "Synthèse", "31": "Imagerie médicale", "42": "Prescription", "43": "Dispensation",
        "44": "Plan de soins, protocole de soins", "45": "Traitement administré", "52": "Certificat, déclaration",
        "60": "Données de remboursement", "90": "Autres documents déposés par le patient", "95": "Document de gestion",
        "99": "Document technique",
    }
)  # fmt: skip
_CONFIDENTIALITY_LABELS: Final = {"N": "Normal", "R": "Restreint", "V": "Très restreint"}
_VISIBILITY_LABELS: Final = {
    "INVISIBLE_PATIENT": "Non visible par le patient",
    "INVISIBLE_REPRESENTANTS_LEGAUX": "Non visible par les représentants légaux du patient",
    "MASQUE_PS": "Masqué aux professionnels de santé",
}
_PRACTICE_LABELS: Final = {
    "AMBULATOIRE": "Ambulatoire", "AMO": "Organisme d'assurance maladie obligatoire", "DEPISTAGE": "Dépistage",
    "ESSMS": "Etablissement ou Service Social ou Médico-Social", "ETABLISSEMENT": "Etablissement de santé",
    "HAD": "Hospitalisation à domicile", "MAD": "Maintien à domicile", "PALLIATIF": "Soins palliatifs",
    "SAD": "Soins à domicile", "SAMU_SMUR": "SAMU/SMUR", "EXP_PATIENT": "Expression personnelle du patient",
    "SNR": "Service numérique référencé",
}  # fmt: skip
_OUTSIDE_CARE: Final = ("EXP_PATIENT", "SNR")
N1_FORMATS: Final = MappingProxyType(
    {
        "application/pdf": "urn:ihe:iti:xds-sd:pdf:2008",
        "text/plain": "urn:ihe:iti:xds-sd:text:2008",
        "text/rtf": "urn:ihe:iti-fr:xds-sd:rtf:2010",
        "image/jpeg": "urn:ihe:iti-fr:xds-sd:jpeg:2010",
        "image/tiff": "urn:ihe:iti-fr:xds-sd:tiff:2010",
    }
)
"""The format of a document that is a file in an envelope, by the type of the file (ASS_A12)."""


@cache
def _rows(name: str) -> tuple[tuple[str, ...], ...]:
    with (Path(__file__).parent / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
        return tuple(map(tuple, csv.reader(lines)))[1:]


@cache
def _pairs(name: str) -> dict[str, str]:
    return {row[0]: row[1] for row in _rows(name)}


@cache
def types() -> MappingProxyType[str, DocumentType]:
    """All the types by code, in the order of the codes."""
    return MappingProxyType({code: _type(code, class_, label) for code, class_, label in _rows("types")})


def _type(code: str, class_: str, label: str) -> DocumentType:
    return DocumentType(code, type_system(code), label, class_of_code(class_))


def type_of(code: str) -> DocumentType | None:
    """Return the type with this code, None when the list has no such code."""
    return types().get(code)


def type_system(code: str) -> str:
    """Say which list a type's code is of, also when the code is not listed."""
    if code == "E1762":
        return _ASTM
    return LOINC if _LOINC_CODE.fullmatch(code) else NATIONAL_TYPES


def type_label(code: str, said: str = "") -> str:
    """Return the national label of a type; what its document says of it when the code is not listed."""
    found = type_of(code)
    return found.label if found else said or code


def class_of_code(code: str) -> Concept | None:
    label = CLASS_LABELS.get(code)
    return Concept(code, CLASSES, label) if label else None


def class_of(type_code: str) -> Concept | None:
    """Return the class of a type, also of those that are no longer given (ASS_X04)."""
    known = type_of(type_code)
    return known.class_ if known else class_of_code(_pairs("former_types").get(type_code, ""))


def format_of(templates: tuple[str, ...], media_type: str = "") -> Concept | None:
    """Return the format of a document: by the type of its file for an N1, by its template for an N3 (ASS_A11).

    templates: all the templateId roots of the document; of several that are known, the last is the most precise.
    """
    if media_type:
        code = N1_FORMATS.get(media_type, "")
    else:
        code = next((known for root in reversed(templates) if (known := _pairs("formats").get(root))), "")
    return Concept(code, FORMATS, code) if code else None


def confidentiality(code: str) -> Concept | None:
    """Return N, R or V, or one of the codes that say who may not see the document (JDV_J08)."""
    if label := _CONFIDENTIALITY_LABELS.get(code):
        return Concept(code, CONFIDENTIALITIES, label)
    label = _VISIBILITY_LABELS.get(code)
    return Concept(code, _VISIBILITIES, label) if label else None


def practice_setting(code: str) -> Concept | None:
    """Return where care happened (JDV_J04), such as ETABLISSEMENT."""
    label = _PRACTICE_LABELS.get(code)
    system = _NOT_CARE if code in _OUTSIDE_CARE else PRACTICE_SETTINGS
    return Concept(code, system, label) if label else None


def facility(code: str) -> Concept | None:
    """Return what sort of place it is (JDV_J02), such as SA01 for a public hospital."""
    label = _pairs("facilities").get(code)
    return Concept(code, _NOT_CARE if code in _OUTSIDE_CARE else FACILITIES, label) if label else None


@cache
def _specialities() -> dict[str, tuple[str, str]]:
    return {code: (system, label) for code, system, label in _rows("specialities")}


def speciality(code: str) -> Concept | None:
    """Return the profession and speciality of an author (JDV_J01), such as G15_10/SM04."""
    found = _specialities().get(code)
    return Concept(code, *found) if found else None
