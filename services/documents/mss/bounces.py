"""Mails that say that another did not arrive (RFC 3464), also those that say it in words alone.

The reason is told to the person who wrote: what is wrong with the address, and what can be done.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.documents.mss import addresses, mime
from services.documents.mss.facts import MailUnreadable


class Cause(StrEnum):
    """Why a mail did not reach its box."""

    MAILBOX_CLOSED = "mailbox_closed"  # there was one; its holder closed it, or never opened it
    UNKNOWN_RECIPIENT = "unknown_recipient"
    INVALID_ADDRESS = "invalid_address"  # no such domain, or no address at all
    TOO_LARGE = "too_large"
    TEMPORARY = "temporary"  # the operator still tries, or it may succeed later
    OTHER = "other"


@dataclass(frozen=True)
class Bounce:
    """One recipient that a mail did not reach. original_message_id: empty when the bounce does not say.

    status: RFC 3463, such as 5.1.1. said: what the operator answered, cut, for the history.
    """

    cause: Cause
    recipient: str
    original_message_id: str = ""
    status: str = ""
    said: str = ""


@dataclass(frozen=True)
class Delivered:
    """One recipient whose operator says that the mail is in the box (a receipt of delivery)."""

    recipient: str
    original_message_id: str = ""


_BY_STATUS: Final = {
    "1.1": Cause.UNKNOWN_RECIPIENT, "1.6": Cause.MAILBOX_CLOSED, "1.10": Cause.INVALID_ADDRESS,
    "1.2": Cause.INVALID_ADDRESS, "1.3": Cause.INVALID_ADDRESS, "4.4": Cause.INVALID_ADDRESS,
    "2.1": Cause.MAILBOX_CLOSED, "2.2": Cause.TEMPORARY, "2.3": Cause.TOO_LARGE, "3.4": Cause.TOO_LARGE,
    "4.1": Cause.TEMPORARY, "4.5": Cause.TEMPORARY, "4.7": Cause.TEMPORARY,
}  # fmt: skip
# In the order in which they are looked for: the words of operators, in French and in English.
_BY_WORDS: Final = (
    (
        Cause.TOO_LARGE,
        r"too (?:large|big)|size limit|exceeds? (?:the )?(?:maximum|size|fixed)|trop volumineu|taille max|\b552\b",
    ),
    (
        Cause.TEMPORARY,
        r"quota|mailbox (?:is )?full|over ?quota|bo[iî]te (?:pleine|satur)|try again|r[ée]essay|greylist",
    ),
    (
        Cause.MAILBOX_CLOSED,
        r"(?:mailbox|account|bo[iî]te|compte|messagerie)[^.\n]{0,60}"
        r"(?:closed|disabled|inactive|suspended|ferm[ée]|cl[oô]tur|d[ée]sactiv|inacti)",
    ),
    (
        Cause.INVALID_ADDRESS,
        r"bad destination|host (?:or domain name )?not found|domain (?:name )?not found|no such domain|"
        r"invalid (?:address|recipient)|syntax|"
        r"adresse (?:e-?mail |de messagerie )?(?:invalide|incorrecte)|domaine (?:inconnu|inexistant)",
    ),
    (
        Cause.UNKNOWN_RECIPIENT,
        r"user unknown|unknown (?:user|recipient|address)|no such (?:user|mailbox|recipient|address)|does not exist|"
        r"doesn't exist|recipient (?:address )?rejected|not a known user|not found|"
        r"(?:destinataire|utilisateur|patient|adresse|bo[iî]te)[^.\n]{0,40}"
        r"(?:inconnu|introuvable|inexistant|n'existe pas|non trouv)",
    ),
)
_WORDS: Final = tuple((cause, re.compile(pattern, re.IGNORECASE)) for cause, pattern in _BY_WORDS)
_STATUS: Final = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_MESSAGE_ID: Final = re.compile(r"<[^<>\s]{3,500}>")
_FAILED_SUBJECTS: Final = re.compile(
    r"undelivered mail|undeliverable|delivery (?:status notification|failed|failure|has failed)|mail delivery|"
    r"returned (?:mail|to sender)|non[ -]?(?:remis|distribu|d[ée]livr)|[ée]chec de (?:la )?(?:remise|distribution)|"
    r"failure notice",
    re.IGNORECASE,
)
_ROBOTS: Final = re.compile(r"(?:mailer-daemon|postmaster|mail-daemon|no-?reply)(?:[+._-][^@]{0,60})?@", re.IGNORECASE)
_FAILED_ADDRESS: Final = re.compile(r"<([^<>\s@]{1,64}@[^<>\s]{1,190})>\s{0,5}:?")
_MAX_WORDS: Final = 20_000


def read(mail: mime.Part, text: str) -> tuple[tuple[Bounce, ...], tuple[Delivered, ...]]:
    """Return what a mail says of the fate of another: failures and delays, deliveries; nothing for any other mail."""
    status = next((part for part in mail.walk() if part.media_type == "message/delivery-status"), None)
    if status is not None:
        return _reported(mail, status)
    return (_in_words(mail, text), ()) if _says_failure(mail) else ((), ())


def _reported(mail: mime.Part, status: mime.Part) -> tuple[tuple[Bounce, ...], tuple[Delivered, ...]]:
    blocks = [_fields(block) for block in re.split(rb"\r?\n\r?\n", status.content()[: mime.MAX_HEAD].strip())]
    original = _original_id(mail, blocks[0])
    failed: list[Bounce] = []
    arrived: list[Delivered] = []
    for block in blocks[:100]:
        recipient = _recipient(block)
        action = block.get("action").strip().lower()
        if action in ("failed", "delayed"):
            failed.append(_bounce(block, recipient, original, is_delay=action == "delayed"))
        elif action in ("delivered", "relayed", "expanded") and recipient:
            arrived.append(Delivered(recipient, original))
    return tuple(failed), tuple(arrived)


def _fields(block: bytes) -> mime.Head:
    try:
        return mime.fields(block)
    except MailUnreadable:
        return mime.Head({})


def _recipient(block: mime.Head) -> str:
    """Return whom the sender wrote to: the original recipient, before any forwarding."""
    said = block.get("original-recipient") or block.get("final-recipient")
    return addresses.read(said.rpartition(";")[2])[0]


def _bounce(block: mime.Head, recipient: str, original: str, *, is_delay: bool) -> Bounce:
    said = mime.decoded(block.get("diagnostic-code"))[:500]
    found = _STATUS.search(block.get("status")) or _STATUS.search(said)
    status = found[0] if found else ""
    cause = Cause.TEMPORARY if is_delay else classified(status, said)
    return Bounce(cause, recipient, original, status, said)


def classified(status: str, said: str) -> Cause:
    """Say why, from the status when it is precise (5.1.1), else from the words of the operator."""
    found = _STATUS.match(status)
    if found and found[1] == "4":
        return Cause.TEMPORARY
    by_words = next((cause for cause, words in _WORDS if words.search(said)), Cause.OTHER)
    by_status = _BY_STATUS.get(f"{found[2]}.{found[3]}") if found else None
    if by_words is Cause.MAILBOX_CLOSED:  # operators answer 5.1.1 for closed boxes too
        return by_words
    return by_status or by_words


def _says_failure(mail: mime.Part) -> bool:
    """Whether a robot writes that a mail failed: its words alone would let a person's mail pass for a bounce."""
    sender = addresses.read(mail.head.get("from"))[0]
    is_robot = mail.head.get("return-path").strip() == "<>" or bool(_ROBOTS.match(sender))
    return is_robot and bool(_FAILED_SUBJECTS.search(mail.head.words("subject")))


def _in_words(mail: mime.Part, text: str) -> tuple[Bounce, ...]:
    said = text[:_MAX_WORDS]
    status = _STATUS.search(said)
    found = mail.head.get("x-failed-recipients") or next(iter(_FAILED_ADDRESS.findall(said)), "")
    cause = classified(status[0] if status else "", said)
    return (Bounce(cause, addresses.read(found)[0], _original_id(mail), status[0] if status else "", said[:500]),)


def _original_id(mail: mime.Part, report: mime.Head | None = None) -> str:
    """Find which mail it is about: in the report, in the mail that is returned, or in the thread."""
    candidates = [report.get("x-original-message-id"), report.get("original-message-id")] if report else []
    candidates += [_returned(part) for part in mail.walk()]
    candidates += [mail.head.get("in-reply-to"), *reversed(mail.head.get("references").split()[-1:])]
    return next((found[0] for value in candidates if (found := _MESSAGE_ID.search(value))), "")


def _returned(part: mime.Part) -> str:
    if part.media_type not in ("message/rfc822", "text/rfc822-headers", "message/global", "message/rfc822-headers"):
        return ""
    return returned_head(part).get("message-id")


def returned_head(part: mime.Part) -> mime.Head:
    """Read the headers of a mail that is inside another; none when they cannot be."""
    content = part.content()[: mime.MAX_HEAD]
    try:
        return mime.head_of(content, 0, len(content))[0]
    except MailUnreadable:
        return mime.Head({})
