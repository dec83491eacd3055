"""What people read about documents and exchanges: states, and why a letter waits for an agent."""

from collections.abc import Mapping
from typing import Any

from flask_babel import format_decimal
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

DOCUMENT_STATES: Mapping[str, tuple[Any, str]] = {
    "": (_l("Received"), "neutral"),
    "tray": (_l("To sort"), "warning"),
    "filed": (_l("Filed"), "success"),
    "superseded": (_l("Replaced"), "neutral"),
    "discarded": (_l("Set aside"), "neutral"),
    "withdrawn": (_l("Withdrawn by its sender"), "neutral"),
}
"""State → words and tone of its tag, as agents read it."""

FOR_PROFESSIONAL: Mapping[str, tuple[Any, str]] = {
    "received": (_l("Received by the unit"), "info"),
    "opened": (_l("Opened by the unit"), "success"),
    "delivered": (_l("New"), "warning"),
    "read": (_l("Read"), "neutral"),
    "closed": (_l("Closed"), "neutral"),
}
FOR_UNIT: Mapping[str, tuple[Any, str]] = {
    "received": (_l("To open"), "warning"),
    "opened": (_l("Opened"), "info"),
    "delivered": (_l("Sent"), "info"),
    "read": (_l("Read"), "success"),
    "closed": (_l("Closed"), "neutral"),
}
FOR_PATIENT: Mapping[str, tuple[Any, str]] = {
    "received": (_l("Sent"), "info"),
    "opened": (_l("Opened by the unit"), "info"),
    "delivered": (_l("New answer"), "warning"),
    "read": (_l("Answered"), "success"),
    "closed": (_l("Closed"), "neutral"),
}
"""State of an exchange → words and tone, on each side."""

INBOX_GROUPS: Mapping[str, Any] = {
    "to_open": _l("To open"),
    "mine": _l("Mine"),
    "to_answer": _l("To answer"),
    "sent": _l("Sent"),
    "closed": _l("Closed"),
}
"""Group of the units' inbox → words."""

CHANGES: Mapping[str, Any] = {
    "received": _l("Sent to the unit"),
    "opened": _l("Opened by the unit"),
    "delivered": _l("Sent by the unit"),
    "read": _l("Read by its correspondent"),
    "closed": _l("Closed by the unit"),
}
"""State of an exchange → what happened, for its history."""

OUTCOMES: Mapping[str, tuple[Any, str]] = {
    "filed": (_l("The letter is in its patient’s documents."), "success"),
    "tray": (_l("The letter waits in the tray: say whose it is."), "warning"),
    "quarantined": (_l("This file was refused."), "error"),
    "duplicate": (_l("This letter was already here."), "info"),
}
"""Outcome of a reception → words and tone of the message."""

CODES: Mapping[str, Any] = {
    "901": _l("Replacement not allowed"),
    "902": _l("Unknown patient"),
    "903": _l("No national health identity (INS)"),
    "904": _l("INS does not match"),
    "905": _l("Incomplete identity"),
    "906": _l("Other reason"),
}
"""National code → words (volet CI-SIS trans-cda-mss)."""

_UNREADABLE = _l("This letter cannot be read safely: ask the sender for another copy.")
_PACKAGE = _l("This package is damaged or unsafe: ask the sender to send it again.")

REASONS: Mapping[str, Any] = {
    "unknown": _l("No patient of the portal has this INS."),
    "namesake": _l("Somebody has the same name and birth date, with another INS or none. They may be two people."),
    "not_qualified": _l("The patient with this INS has an identity that is not qualified yet."),
    "traits_differ": _l("The patient with this INS has another name, birth date or sex."),
    "several_bearers": _l("Several patients share this INS: tell the identity office."),
    "ins_missing": _l("The letter carries no INS."),
    "ins_form": _l("The INS is not 15 characters long."),
    "ins_key": _l("The key of the INS is wrong: a digit may be mistyped."),
    "birth_date_missing": _l("The letter carries no full birth date."),
    "sex_missing": _l("The letter does not say the patient’s sex."),
    "name_missing": _l("The letter lacks the birth name or the first name."),
    "confidential": _l(
        "The sender restricted this letter: decide with the doctor whether the patient may read it here."
    ),
    "content_type": _l("The file in this letter is of a type that patients cannot open here."),
    "replaces_another_patient": _l("It claims to replace a letter of another patient."),
    "replaces_another_organization": _l("It claims to replace a letter that another organisation keeps."),
    "older_than_withdrawn": _l("It is an older version of a letter that its sender has withdrawn."),
    "by_hand": _l("The identity is exact. Your hospital files every letter by hand."),
    "not_final": _l("Its author has not signed it yet: the hospital system says that it is not final."),
    "identity_not_validated": _l("The hospital system says that the patient’s identity is not validated."),
    "number_taken": _l("The hospital system had already sent another document under this number."),
    "nothing_to_replace": _l("It claims to replace a document that never came here."),
    "message_differs": _l("The letter and the message that brought it do not write the patient in the same way."),
    "taken_back": _l("It was taken back from a patient’s documents."),
    "infected": _l("The antivirus recognised a virus. The file was not kept."),
    "empty": _l("The file is empty."),
    "too_large": _l("The file is too large."),
    "not_cda": _l("It is neither a CDA letter nor an IHE_XDM package."),
    "hl7_not_supported": _l("This HL7 v2 message is none that is taken here: MDM (T02, T10, T04) and ORU (R01) are."),
    "no_document": _l("No letter was found in it."),
    "too_many_documents": _l("It carries too many documents."),
    "several_patients": _l("It names several patients."),
    "patients_differ": _l("The letter and its package name two different patients."),
    "identifiers_differ": _l("The letter and its package do not bear the same identifier."),
    "file_type": _l("Files of this type are not taken from mails: ask for a PDF or a picture."),
    "citizen_file": _l("A patient sends PDF, JPEG or PNG files alone by secure mail."),
    "same_identifier": _l("Another letter, with other content, already bears its identifier."),
    "test_identity": _l("It is about a test identity, which this portal does not take."),
    "real_identity": _l("It is about a real identity, which a test portal never keeps."),
    **dict.fromkeys(
        (
            "dtd",
            "encoding",
            "too_deep",
            "too_many_elements",
            "no_identifier",
            "identifier_too_long",
            "no_type",
            "no_date",
            "no_patient",
            "no_body",
            "body_unreadable",
            "body_elsewhere",
            "media_type",
        ),
        _UNREADABLE,
    ),
    **dict.fromkeys(
        (
            "too_many_entries",
            "too_large_unpacked",
            "ratio",
            "name",
            "link",
            "nested",
            "locked",
            "damaged",
            "metadata",
            "document_missing",
            "size",
            "hash",
        ),
        _PACKAGE,
    ),
}
"""Reason → words for the agent; reasons of the parsers that need the same gesture share the same words."""

ASSIGN_REASONS: Mapping[str, Any] = {
    "identity_checked": _l("I compared the letter with the patient’s file"),
    "sender_confirmed": _l("The sender confirmed who it is about"),
    "identity_office": _l("The identity office decided"),
}
DISCARD_REASONS: Mapping[str, Any] = {
    "other_hospital": _l("It was meant for another hospital"),
    "not_our_patient": _l("The patient is not known here"),
    "not_for_patients": _l("It is not for the patient to read"),
    "sender_withdrew": _l("The sender asked for it to be withdrawn"),
}
TAKE_BACK_REASONS: Mapping[str, Any] = {
    "wrong_patient": _l("It is about somebody else"),
    "wrong_document": _l("It is not the right document"),
    "sender_withdrew": _l("The sender asked for it to be withdrawn"),
}
DROP_REASONS: Mapping[str, Any] = {
    "sent_again": _l("The sender has sent it again"),
    "not_a_letter": _l("It is no letter"),
    "harmful": _l("It was harmful"),
    "already_here": _l("Its letters came by another way"),
}
"""Code kept by the audit → words of the agent's choice."""

DECISIONS: Mapping[str, Any] = {
    "released": _l("Read anew, and taken in"),
    "tray": _l("Put in the tray as a plain file"),
    "returned": _l("Refused, the sender told"),
    "discarded": _l("Given up"),
}
"""What somebody made of a refused file → words."""

TRAITS: Mapping[str, Any] = {
    "ins": _l("INS"),
    "ipp": _l("IPP"),
    "birth_name": _l("Birth name"),
    "first_name": _l("First name"),
    "birth_on": _l("Birth date"),
    "sex": _l("Sex"),
}
"""Trait compared between a letter and a patient → words."""
OPENINGS: Mapping[str, Any] = {
    "document.opened": _l("opened it"),
    "document.downloaded": _l("downloaded it"),
}

TYPES: Mapping[str, Any] = {
    "11490-0": _l("Hospital letter"),
    "11488-4": _l("Consultation report"),
    "11502-2": _l("Laboratory report"),
    "18748-4": _l("Imaging report"),
    "57833-6": _l("Prescription"),
    "51851-4": _l("Administrative document"),
}
"""LOINC code (JDV_J07) → the types of document an agent or a practitioner sends, in words."""


_AGENTS_REASONS = {**ASSIGN_REASONS, **DISCARD_REASONS, **TAKE_BACK_REASONS, **DROP_REASONS}


def reason(word: str) -> Any:
    """Why a letter waits, was put aside, or was given to somebody; empty when nothing is known."""
    return REASONS.get(word) or _AGENTS_REASONS.get(word, "")


def weight(size: int) -> str:
    """The size of a file for people: `48 KB`, `1.2 MB`."""
    if size < 1_000_000:
        return str(_("%(size)s KB", size=format_decimal(max(1, round(size / 1000)))))
    return str(_("%(size)s MB", size=format_decimal(round(size / 1_000_000, 1))))


CHANNELS: Mapping[str, Any] = {
    "command": _l("An operator’s command"),
    "upload": _l("An agent’s machine"),
    "staff": _l("An agent"),
    "exchange": _l("A practitioner, in the portal"),
    "mssante": _l("The secure mail (MSSanté)"),
    "deposit": _l("A patient"),
    "his": _l("The hospital’s system (HL7)"),
    "fhir": _l("The hospital’s system (FHIR)"),
}
"""Channel of an arrival → by which way it came."""


def channel(code: str) -> Any:
    return CHANNELS.get(code, code)
