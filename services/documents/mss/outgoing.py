"""Writing a mail for the secure space (MSSanté référentiel socle 2, "clients de messageries", 1.0.1, chapter 2)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from services.documents.mss import addresses, subjects, wire
from services.documents.mss.facts import BadHeader, CitizenNotQualified, MailTooLarge
from services.documents.mss.subjects import Traits

CITIZEN_LIMIT: Final = 25_000_000
"""Bytes of a whole mail that the citizens' operator takes (Mon espace santé, 25 MB; the smaller reading of it)."""
_MESSAGE_ID: Final = re.compile(r"<[!-;=?A-~]{1,250}@[!-;=?A-~]{1,250}>")
_TOKEN: Final = re.compile(r"[A-Za-z0-9._-]{1,60}")


@dataclass(frozen=True)
class Copy:
    """A document as a person opens it. is_pdfa: it says that it is PDF/A, which nobody checked here."""

    name: str
    data: bytes = field(repr=False)
    is_pdfa: bool = False


@dataclass(frozen=True)
class Pair:
    """The documents of one patient in both forms: a package for software, copies for people (ECO.2.1.1).

    number, has_ins: the patient's INS, and whether the package holds it with its authority and the four traits.
    label: the national name of the type of the only document.
    """

    package: bytes = field(repr=False)
    copies: tuple[Copy, ...]
    type_codes: tuple[str, ...]
    label: str
    traits: Traits
    number: str = ""
    has_ins: bool = False


@dataclass(frozen=True)
class Sender:
    """A box and its mandatory label: ``Titre Prénom NOM Entité`` for a person, the entity's name for a service."""

    address: str
    label: str


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """What a mail says. Message identifiers are written with their brackets, ``<…@…>``.

    subject: for a mail without documents; the rules write it otherwise. files: those of a mail without a package, about
    nobody whom the sender recognised. product: the reference of the product in the
    list of the ANS (X-MSS-NIL). qualified_ins: the matricule of the patient, given only when its state is "qualifiée".
    receipt_to: who is told that it was read; empty when nobody asks. closes: the patient may not answer this one.
    is_automatic: no person wrote it.
    """

    message_id: str
    sender: Sender
    recipients: tuple[str, ...]
    sent_at: datetime
    product: str
    text: str
    subject: str = ""
    pair: Pair | None = None
    files: tuple[Copy, ...] = ()
    replaces: bool = False
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    reply_to: str = ""
    receipt_to: str = ""
    qualified_ins: str = ""
    closes: bool = False
    is_automatic: bool = False


def compose(mail: Outgoing) -> bytes:
    """Write a mail, the same bytes each time.

    Raises `BadAddress`, `BadHeader`, `CitizenNotQualified`, `MailTooLarge` (all `CannotSend`); ValueError for a moment
    without offset.
    """
    if mail.sent_at.tzinfo is None:
        raise ValueError("a mail needs a moment that says its offset")
    _check_citizens(mail)
    headers = (*_routing(mail), *_thread(mail), *_secure(mail))
    raw = _written(headers, mail)
    if len(raw) > CITIZEN_LIMIT and any(map(addresses.is_citizen, mail.recipients)):
        raise MailTooLarge(len(raw), CITIZEN_LIMIT)
    return raw


def closing(mail: Outgoing) -> Outgoing:
    """Make of this a mail that closes the whole thread with a citizen: its subject is exactly ``[FIN]``."""
    return replace(mail, subject=subjects.CLOSED, pair=None, files=(), replaces=False, closes=True)


def size_of(mail: Outgoing) -> int:
    """Return how many bytes the joined files alone will take in a mail, without writing it."""
    copies = mail.pair.copies if mail.pair else mail.files
    files = [*([mail.pair.package] if mail.pair else []), *(copy.data for copy in copies)]
    return sum((len(data) + 2) // 3 * 4 * 78 // 76 for data in files)


def _check_citizens(mail: Outgoing) -> None:
    for address in mail.recipients:
        if not addresses.is_citizen(address):
            continue
        number = addresses.citizen_number(address)
        expected = {number, mail.qualified_ins.upper()} | ({mail.pair.number.upper()} if mail.pair else set())
        if not number or expected != {number}:
            raise CitizenNotQualified


def _routing(mail: Outgoing) -> wire.Headers:
    if not mail.recipients:
        raise BadHeader("To")
    if not mail.sender.label.strip():
        raise BadHeader("From")
    return (
        ("From", wire.mailbox(mail.sender.label, addresses.checked(mail.sender.address))),
        ("To", ", ".join(map(addresses.checked, mail.recipients))),
        ("Reply-To", addresses.checked(mail.reply_to) if mail.reply_to else ""),
        ("Subject", _subject(mail)),
        ("Date", wire.moment(mail.sent_at)),
        ("Message-ID", _message_id("Message-ID", mail.message_id)),
    )


def _subject(mail: Outgoing) -> str:
    if mail.pair is None:
        return mail.subject
    count = len(mail.pair.type_codes)
    return subjects.written(mail.pair.label, count, mail.pair.traits, replaces=mail.replaces)


def _thread(mail: Outgoing) -> wire.Headers:
    before = mail.references or ((mail.in_reply_to,) if mail.in_reply_to else ())
    return (
        ("In-Reply-To", _message_id("In-Reply-To", mail.in_reply_to) if mail.in_reply_to else ""),
        ("References", " ".join(_message_id("References", each) for each in before)),
    )


def _secure(mail: Outgoing) -> wire.Headers:
    return (
        (
            "X-MSS-CODECDA",
            ",".join(_token("X-MSS-CODECDA", code) for code in mail.pair.type_codes) if mail.pair else "",
        ),
        ("X-MSS-INS", "O" if mail.pair and mail.pair.has_ins else "N"),
        ("X-MSS-NIL", _token("X-MSS-NIL", mail.product)),
        ("X-MSS-MES", "FIN" if mail.closes else ""),
        ("Disposition-Notification-To", addresses.checked(mail.receipt_to) if mail.receipt_to else ""),
        ("Auto-Submitted", "auto-generated" if mail.is_automatic else ""),
    )


def _written(headers: wire.Headers, mail: Outgoing) -> bytes:
    if mail.pair is None:
        files = [wire.attached(subjects.file_name(file.name), "application/pdf", file.data) for file in mail.files]
        text = wire.text(mail.text)
        return wire.mail_of(headers, "mixed", (text, *files)) if files else wire.mail(headers, text)
    package = wire.attached("IHE_XDM.ZIP", "application/zip", mail.pair.package)
    copies = (wire.attached(copy.name, "application/pdf", copy.data) for copy in mail.pair.copies)
    return wire.mail_of(headers, "mixed", (wire.text(mail.text), package, *copies))


def _message_id(name: str, value: str) -> str:
    if not _MESSAGE_ID.fullmatch(value):
        raise BadHeader(name)
    return value


def _token(name: str, value: str) -> str:
    if not _TOKEN.fullmatch(value):
        raise BadHeader(name)
    return value
