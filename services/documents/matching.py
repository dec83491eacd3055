"""To whom a letter belongs: a rule over facts, which never guesses.

A letter is filed by itself only when its INS, the authority of that INS and four traits (birth name, first given name,
birth date, sex) are exactly those of one patient whose identity is qualified (RNIV; INS guide). Otherwise a person
decides, and a code says why (volet CI-SIS trans-cda-mss 1.1.3, "error codes").
"""

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from auth.models import Patient
from services.documents.cda import CdaWarning, Header
from services.documents.cda import Patient as Traits
from services.documents.ins import InsOid


class Code(StrEnum):
    """Application error codes of the national profile."""

    NOT_ALLOWED_TO_REPLACE = "901"
    UNKNOWN_PATIENT = "902"
    NO_INS = "903"
    INS_DOES_NOT_MATCH = "904"
    INS_INCOMPLETE = "905"
    OTHER = "906"


@dataclass(frozen=True)
class Doubt:
    """Why a person must decide: the national code, and our own word for the exact reason."""

    code: Code
    reason: str


_INS_FAULTS: Final = {
    CdaWarning.INS_MISSING: Doubt(Code.NO_INS, "ins_missing"),
    CdaWarning.INS_FORM: Doubt(Code.INS_INCOMPLETE, "ins_form"),
    CdaWarning.INS_KEY: Doubt(Code.INS_DOES_NOT_MATCH, "ins_key"),
    CdaWarning.BIRTH_DATE: Doubt(Code.INS_INCOMPLETE, "birth_date_missing"),
    CdaWarning.SEX: Doubt(Code.INS_INCOMPLETE, "sex_missing"),
}


HIDES: Final = frozenset({"MASQUE_PS", "INVISIBLE_PATIENT", "INVISIBLE_REP_LEGAUX", "CONNEXION_SECRETE"})
"""Codes of MetaDMPMSS (CI-SIS, transmission of CDA in HL7 v2) that keep a document from somebody; the others of that
table ask the receiver for something."""
_NOT_FOR_PROXIES: Final = frozenset({"INVISIBLE_REP_LEGAUX", "CONNEXION_SECRETE"})


def is_masked(visibility: Collection[str]) -> bool:
    """Whether those who act for the patient may not see it: a minor's secret, mostly (CSP, L1111-5)."""
    return not _NOT_FOR_PROXIES.isdisjoint(visibility)


@dataclass(frozen=True)
class Origin:
    """Who answers for a letter: its custodian's identifier, and the organisation of its author."""

    custodian_id: str
    organization: str


def same_origin(one: Origin, other: Origin) -> bool:
    """Whether one may replace or withdraw what the other keeps (901): the same custodian; by the name of the
    organisation when neither says who keeps it. Never on a doubt."""
    if one.custodian_id or other.custodian_id:
        return one.custodian_id == other.custodian_id
    return bool(one.organization) and plain(one.organization) == plain(other.organization)


def doubt_about_header(header: Header) -> Doubt | None:
    """What the letter itself lacks to be filed without a person."""
    for warning, doubt in _INS_FAULTS.items():
        if warning in header.warnings:
            return doubt
    if not header.patient.birth_name or not header.patient.first_name:
        return Doubt(Code.INS_INCOMPLETE, "name_missing")
    if header.confidentiality != "N":
        return Doubt(Code.OTHER, "confidential")
    return None


def choose(traits: Traits, with_ins: Sequence[Patient], *, namesake: bool) -> Patient | Doubt:
    """The one patient of a complete letter, or why nobody can be chosen.

    with_ins: those who bear the INS and the OID of the letter. namesake: when nobody does, whether somebody bears its
    four traits.
    """
    qualified = [patient for patient in with_ins if patient.identity_status == "QUAL"]
    if not with_ins:
        return Doubt(Code.INS_DOES_NOT_MATCH, "namesake") if namesake else Doubt(Code.UNKNOWN_PATIENT, "unknown")
    if not qualified:
        return Doubt(Code.INS_DOES_NOT_MATCH, "not_qualified")
    if len(qualified) > 1:
        return Doubt(Code.OTHER, "several_bearers")
    return qualified[0] if has_traits(qualified[0], traits) else Doubt(Code.INS_DOES_NOT_MATCH, "traits_differ")


def has_traits(patient: Patient, traits: Traits) -> bool:
    """Whether the four traits are the patient's; case and accents do not make another person."""
    return (
        plain(patient.birth_name) == plain(traits.birth_name)
        and plain(patient.first_name) == plain(traits.first_name)
        and patient.birth_on == traits.birth_on
        and patient.sex == traits.sex
    )


def plain(name: str) -> str:
    """A name in capitals without accents, as the national identity service writes it (INS guide, "traits stricts")."""
    decomposed = unicodedata.normalize("NFKD", name.strip().upper())
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign)).replace("’", "'")


def belongs_here(ins_oid: str, *, production: bool) -> bool:
    """Whether an INS of this authority may enter: test identities never in production, real ones only there."""
    return not ins_oid or InsOid(ins_oid).is_fictitious is not production
