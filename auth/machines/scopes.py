"""What a machine may be let to do: one scope a resource and way of using it, as SMART on FHIR writes them for systems.

A scope opens what one right of an agent opens (`portal.db.RIGHTS`), so that row-level security and the audit see a
machine as they see anybody. No scope gives rights to others: administering stays with people.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l


@dataclass(frozen=True)
class Scope:
    """right: the one whose rows it opens, "" for what is public."""

    code: str
    title: Any
    right: str


SCOPES = (
    Scope("system/Slot.read", _l("Read free times"), ""),
    Scope("system/Appointment.read", _l("Read appointments"), "appointments"),
    Scope("system/Appointment.write", _l("Write appointments"), "appointments"),
    Scope("system/Patient.read", _l("Read identities"), "identity"),
    Scope("system/Patient.write", _l("Write identities"), "identity"),
    Scope("system/Encounter.read", _l("Read pre-admissions"), "preadmission"),
    Scope("system/Encounter.write", _l("Write pre-admissions"), "preadmission"),
    Scope("system/Coverage.read", _l("Read who pays for stays"), "preadmission"),
    Scope("system/Binary.read", _l("Read the pieces of pre-admissions"), "preadmission"),
    Scope("system/Questionnaire.read", _l("Read questionnaires"), "care"),
    Scope("system/QuestionnaireResponse.read", _l("Read answers to questionnaires"), "care"),
    Scope("system/QuestionnaireResponse.write", _l("Write answers to questionnaires"), "care"),
    Scope("system/Invoice.read", _l("Read bills"), "billing"),
    Scope("system/Invoice.write", _l("Write bills"), "billing"),
    Scope("system/DocumentReference.read", _l("Read documents"), "documents"),
    Scope("system/DocumentReference.write", _l("Write documents"), "documents"),
    Scope("system/ServiceRequest.read", _l("Read referrals"), "referrals"),
    Scope("system/ServiceRequest.write", _l("Send the referrals of a practice, and follow them"), ""),
    Scope("system/Totals.write", _l("Send the hospital’s totals"), ""),
    Scope("system/Attendance.write", _l("Say how emergency departments stand"), ""),
    Scope("system/AuditEvent.read", _l("Read the journal"), "audit"),
)
_BY_CODE = {scope.code: scope for scope in SCOPES}


class UnknownScope(Exception):
    """No scope has this code."""


def parse(text: str) -> list[str]:
    """The scopes of a list of words (RFC 6749, 3.3), in our order, each once. Raises UnknownScope."""
    asked = set(text.replace(",", " ").split())
    if unknown := asked - _BY_CODE.keys():
        raise UnknownScope(*sorted(unknown))
    return ordered(asked)


def ordered(codes: Collection[str]) -> list[str]:
    """Known scopes among these, in our order."""
    return [scope.code for scope in SCOPES if scope.code in codes]


def rights(codes: Iterable[str]) -> list[str]:
    """The rights that these scopes stand for."""
    return sorted({_BY_CODE[code].right for code in codes if code in _BY_CODE and _BY_CODE[code].right})
