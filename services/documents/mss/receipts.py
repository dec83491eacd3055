"""Receipts of processing and of reading (RFC 8098, as the "volet transmission" 1.1.3 of the CI-SIS uses them).

Before that version the error stood inside Disposition; both spellings are read, the new one is written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from services.documents.mss import addresses, mime, subjects, wire
from services.documents.mss.facts import BadHeader, MailUnreadable


class Outcome(StrEnum):
    """What became of a mail at its recipient's."""

    PROCESSED = "processed"  # its software took the documents
    DISPLAYED = "displayed"  # a person opened it
    DISPATCHED = "dispatched"
    DELETED = "deleted"  # it never was opened
    FAILED = "failed"  # its software could not take it: `error` says why


@dataclass(frozen=True)
class ReceiptError:
    """Why documents were not taken: a code of the CI-SIS or of HL7 table 0357, and its words."""

    code: str
    text: str


@dataclass(frozen=True)
class Receipt:
    """What a receipt says. recipient: whose box says it. original_message_id: with its brackets, empty when unsaid.

    Anybody can write one: whoever uses it compares the sender with the one the mail went to.
    """

    outcome: Outcome
    original_message_id: str
    recipient: str
    error: ReceiptError | None = None
    is_automatic: bool = True
    software: str = ""


ERRORS: Final = {
    "0": "Message accepted", "100": "Segment sequence error", "101": "Required field missing",
    "102": "Data type error", "103": "Table value not found", "198": "Non-conformant cardinality",
    "199": "Other HL7 error", "200": "Unsupported message type", "201": "Unsupported event code",
    "202": "Unsupported processing id", "203": "Unsupported version id", "207": "Application internal error",
    "900": "Version du document incorrecte", "901": "Auteur non habilité à remplacer ou supprimer le document",
    "902": "Identifiant patient inconnu", "903": "INS absent du document", "904": "INS non concordant",
    "905": "INS incomplet", "906": "Autre erreur",
}  # fmt: skip
_TAKEN: Final = "Document intégré."
_READ: Final = "Votre message a été lu."
_NOT_TAKEN: Final = "Document non intégré : {code} {text}."
_DISPOSITION: Final = re.compile(r"\s*([a-z-]{1,40})\s*/\s*([a-z-]{1,40})\s*;\s*([a-z]{1,20})(.*)", re.I | re.S)
_ERROR: Final = re.compile(r"\s*([0-9]{1,4})\s*\^\s*([^^|]{0,300})")
_MESSAGE_ID: Final = re.compile(r"<[^<>\s]{3,500}>")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A receipt to write. box: the one that received the mail; software: ours, for Reporting-UA.

    error_code: of `ERRORS`, when the documents were not taken. was_read: a person opened the mail and agrees to say so;
    otherwise it is our software that took it or refused it. text: what people read, the national words when empty.
    """

    message_id: str
    box: str
    label: str
    sent_at: datetime
    product: str
    software: str
    error_code: str = ""
    was_read: bool = False
    text: str = ""


def receipt_for(raw: bytes, answer: Answer) -> bytes:
    """Write the receipt of a mail, to who asks for it (else to its sender), with the mail as it came inside.

    Raises `BadAddress` and `BadHeader` when the mail names nobody to answer; `MailUnreadable`; KeyError for an error
    code that is none; ValueError for a moment without offset.
    """
    if answer.sent_at.tzinfo is None:
        raise ValueError("a mail needs a moment that says its offset")
    original = mime.parse(raw).head
    box = addresses.checked(answer.box)
    asks = original.get("disposition-notification-to") or original.get("from")
    headers = (
        ("From", wire.mailbox(answer.label, box)),
        ("To", addresses.checked(addresses.read(asks)[0])),
        ("Subject", _subject(original.words("subject"), answer.error_code)),
        ("Date", wire.moment(answer.sent_at)),
        ("Message-ID", _identifier(answer.message_id)),
        ("In-Reply-To", _original_id(original)),
        ("References", _original_id(original)),
        ("X-MSS-NIL", answer.product),
        ("Auto-Submitted", "" if answer.was_read else "auto-replied"),
    )
    parts = (
        wire.text(answer.text or _words(answer)),
        wire.plain("message/disposition-notification", _report(original, box, answer)),
        wire.plain("message/rfc822", raw),
    )
    return wire.mail_of(headers, "report; report-type=disposition-notification", parts)


def _subject(original: str, code: str) -> str:
    return f"{subjects.NOT_TAKEN}[{code}] {original}" if code else original


def _identifier(value: str) -> str:
    if not _MESSAGE_ID.fullmatch(value) or not value.isascii():
        raise BadHeader("Message-ID")
    return value


def _original_id(original: mime.Head) -> str:
    found = _MESSAGE_ID.search(original.get("message-id"))
    return found[0] if found and found[0].isascii() else ""


def _words(answer: Answer) -> str:
    if answer.error_code:
        return _NOT_TAKEN.format(code=answer.error_code, text=ERRORS[answer.error_code])
    return _READ if answer.was_read else _TAKEN


def _report(original: mime.Head, box: str, answer: Answer) -> bytes:
    mode = "manual-action/MDN-sent-manually" if answer.was_read else "automatic-action/MDN-sent-automatically"
    outcome = "processed/error" if answer.error_code else ("displayed" if answer.was_read else "processed")
    domain = box.rpartition("@")[2]
    fields = (
        wire.line("Reporting-UA", f"{domain}; {answer.software}"),
        f"Original-Recipient: rfc822;{box}\r\nFinal-Recipient: rfc822;{box}\r\n".encode(),
        f"Original-Message-ID: {_original_id(original)}\r\n".encode() if _original_id(original) else b"",
        f"Disposition: {mode}; {outcome}\r\n".encode(),
        _error_line(answer.error_code) if answer.error_code else b"",
    )
    return b"".join(fields)


def _error_line(code: str) -> bytes:
    words = subjects.unaccented(ERRORS[code])
    return f"Error: {code}^{words}^applicationErrorCondition| E^Error^errorSeverity\r\n".encode()


def read(mail: mime.Part) -> Receipt | None:
    """Return what a receipt says; None when it is none, or says nothing that can be read."""
    report = next((part for part in mail.walk() if part.media_type == "message/disposition-notification"), None)
    if report is None:
        return None
    try:
        said = mime.fields(report.content().strip())
    except MailUnreadable:
        return None
    found = _DISPOSITION.match(said.get("disposition"))
    if found is None:
        return None
    error = _error(said, found[4])
    outcome = _outcome(found[3].lower(), error, found[4])
    recipient = said.get("original-recipient") or said.get("final-recipient")
    return Receipt(
        outcome=outcome,
        original_message_id=_reported_id(mail, said),
        recipient=addresses.read(recipient.rpartition(";")[2])[0],
        error=error,
        is_automatic="automatic" in found[2].lower(),
        software=mime.decoded(said.get("reporting-ua"))[:200],
    )


def _outcome(word: str, error: ReceiptError | None, modifiers: str) -> Outcome:
    if error or word in ("failed", "denied") or re.match(r"\s*/\s*(?:error|failure)", modifiers, re.I):
        return Outcome.FAILED
    return Outcome(word) if word in set(Outcome) else Outcome.PROCESSED


def _error(said: mime.Head, modifiers: str) -> ReceiptError | None:
    """Read the error of its own field (now), or behind ``processed/Error:`` inside Disposition (before)."""
    old = re.match(r"\s*/\s*error\s*:(.*)", modifiers, re.I | re.S)
    text = said.get("error") or (old[1] if old else "")
    if not text:
        return None
    found = _ERROR.match(text)
    return ReceiptError(found[1], mime.decoded(found[2])) if found else ReceiptError("", mime.decoded(text)[:300])


def _reported_id(mail: mime.Part, said: mime.Head) -> str:
    candidates = (said.get("original-message-id"), mail.head.get("in-reply-to"), mail.head.get("references"))
    return next((found[0] for value in candidates if (found := _MESSAGE_ID.search(value))), "")
