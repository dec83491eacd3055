"""Reading a mail that came through the secure space: what it is, who wrote, what it carries."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final

from services.documents.mss import addresses, bounces, mime, receipts, safe_text, subjects
from services.documents.mss.bounces import Bounce, Delivered
from services.documents.mss.facts import MailReason, MailUnreadable
from services.documents.mss.receipts import Receipt
from services.documents.mss.subjects import Subject

MAX_BYTES: Final = 40 * 1024 * 1024  # 25 MB of files and a third for base64, and some room
MAX_ATTACHMENTS: Final = 30
MAX_TEXT: Final = 200_000  # characters; the longest letter typed by hand has a tenth
_MESSAGE_ID: Final = re.compile(r"<[^<>\s]{3,500}>")
_A_MAIL_HAS: Final = frozenset({"from", "subject", "message-id", "date", "received", "to"})
_ZIP: Final = b"PK\x03\x04"
_REPORTS: Final = frozenset({"message/disposition-notification", "message/delivery-status"})
_TEXTS: Final = ("text/plain", "text/html")


class MailKind(StrEnum):
    """What a mail is."""

    MESSAGE = "message"
    RECEIPT = "receipt"  # of processing or of reading
    DELIVERY = "delivery"  # an operator says that a mail is in its box
    BOUNCE = "bounce"
    AUTOMATIC = "automatic"  # somebody is away; nothing that a person wrote, and no document


_CARRIERS: Final = (MailKind.MESSAGE, MailKind.AUTOMATIC)  # a report has the mail that it returns inside, and no more


@dataclass(frozen=True)
class Joined:
    """A joined file, as it was sent; the media type is what the sender says, which proves nothing."""

    name: str
    media_type: str
    data: bytes = field(repr=False)

    @property
    def is_package(self) -> bool:
        return self.data.startswith(_ZIP)


@dataclass(frozen=True)
class Mail:
    """A mail that came. Identifiers have their brackets, addresses are in small letters.

    message_id: made from its bytes when it has none, so that the same mail has the same. patient_number: the INS, when
    a citizen wrote. receipt_to: who asks to be told that it is read; empty for nobody, and for what needs none.
    is_answerable: whether software may answer by itself; False for all that software wrote, or loops would not end.
    """

    kind: MailKind
    message_id: str
    in_reply_to: str
    references: tuple[str, ...]
    sender: str
    label: str
    reply_to: str
    recipients: tuple[str, ...]
    sent_at: datetime | None
    subject: Subject
    text: str
    attachments: tuple[Joined, ...]
    type_codes: tuple[str, ...]
    has_ins: bool
    product: str
    receipt_to: str
    closes: bool
    patient_number: str
    is_answerable: bool
    receipt: Receipt | None = None
    bounces: tuple[Bounce, ...] = ()
    delivered: tuple[Delivered, ...] = ()

    @property
    def packages(self) -> tuple[Joined, ...]:
        """The joined packages of documents; the other files are their copies for people (ECO.2.1.1)."""
        return tuple(joined for joined in self.attachments if joined.is_package)


def read_mail(raw: bytes, max_bytes: int = MAX_BYTES) -> Mail:
    """Read a mail. Raises `MailUnreadable`; nothing else, whatever the bytes."""
    if len(raw) > max_bytes:
        raise MailUnreadable(MailReason.TOO_LARGE)
    mail = mime.parse(raw)
    if not _A_MAIL_HAS & mail.head.values.keys():
        raise MailUnreadable(MailReason.NOT_A_MAIL)
    text, attachments = _text(mail), _attachments(mail)
    receipt = receipts.read(mail)
    failed, arrived = ((), ()) if receipt else bounces.read(mail, text)
    is_automatic = _is_automatic(mail.head)
    carries = any(joined.is_package for joined in attachments)
    kind = _kind(receipt, failed, arrived, is_automatic=is_automatic and not carries)
    return _mail(mail, kind, text, attachments, Reports(receipt, failed, arrived), is_automatic=is_automatic)


@dataclass(frozen=True)
class Reports:
    """What a mail says of others."""

    receipt: Receipt | None
    bounces: tuple[Bounce, ...]
    delivered: tuple[Delivered, ...]


def _mail(
    mail: mime.Part, kind: MailKind, text: str, attachments: tuple[Joined, ...], reports: Reports, *, is_automatic: bool
) -> Mail:
    head = mail.head
    sender, label = addresses.author(head.values.get("from", ()))
    subject = subjects.read(head.words("subject"))
    is_answerable = kind is MailKind.MESSAGE and not is_automatic and bool(sender)
    asks = addresses.read(head.get("disposition-notification-to"))[0]
    return Mail(
        kind=kind,
        message_id=_first_id(head.get("message-id")) or _made_id(mail.raw),
        in_reply_to=_first_id(head.get("in-reply-to")),
        references=tuple(_MESSAGE_ID.findall(head.get("references"))[-50:]),
        sender=sender,
        label=mime.decoded(label)[:200],
        reply_to=addresses.read(head.get("reply-to"))[0],
        recipients=addresses.all_of(f"{head.get('to')}, {head.get('cc')}"),
        sent_at=_sent_at(head.get("date")),
        subject=subject,
        text=text,
        attachments=attachments if kind in _CARRIERS else (),
        type_codes=_codes(head.get("x-mss-codecda")),
        has_ins=head.get("x-mss-ins").strip().upper() == "O",
        product=head.words("x-mss-nil")[:60],
        receipt_to=asks if kind is MailKind.MESSAGE else "",
        closes=subject.is_closing or head.get("x-mss-mes").strip().upper() == "FIN",
        patient_number=addresses.citizen_number(sender),
        is_answerable=is_answerable,
        receipt=reports.receipt,
        bounces=reports.bounces,
        delivered=reports.delivered,
    )


def _kind(
    receipt: Receipt | None, failed: tuple[Bounce, ...], arrived: tuple[Delivered, ...], *, is_automatic: bool
) -> MailKind:
    if receipt:
        return MailKind.RECEIPT
    if failed:
        return MailKind.BOUNCE
    if arrived:
        return MailKind.DELIVERY
    return MailKind.AUTOMATIC if is_automatic else MailKind.MESSAGE


def _is_automatic(head: mime.Head) -> bool:
    """Whether software wrote it (RFC 3834): an answer by software to such a mail may be answered for ever."""
    said = head.get("auto-submitted").partition(";")[0].strip().lower()
    return (
        said not in ("", "no")
        or head.get("precedence").strip().lower() in ("bulk", "junk", "list", "auto_reply", "auto-reply")
        or head.get("return-path").strip() == "<>"
        or any(name in head.values for name in ("x-autoreply", "x-autorespond", "list-id"))
        or "report-type" in head.get("content-type").lower()
    )


def _first_id(value: str) -> str:
    found = _MESSAGE_ID.search(value)
    return found[0] if found else ""


def _made_id(raw: bytes) -> str:
    return f"<{hashlib.sha256(raw).hexdigest()}@without-message-id.invalid>"


def _sent_at(value: str) -> datetime | None:
    """Read when it says it was sent, in UTC; None when it says nothing that can be."""
    try:
        at = parsedate_to_datetime(value[:100])
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _codes(value: str) -> tuple[str, ...]:
    return tuple(
        code for code in (each.strip() for each in value.split(",")[:50]) if re.fullmatch(r"[\w.-]{1,60}", code)
    )


def _is_attached(part: mime.Part) -> bool:
    said = part.head.get("content-disposition").partition(";")[0].strip().lower()
    return said == "attachment" or bool(part.name) or part.media_type not in (*_TEXTS, *_REPORTS)


def _text(mail: mime.Part) -> str:
    """Return the words for people: the plain ones when there are some, else those of the HTML."""
    parts = [part for part in mail.walk() if not part.parts and not _is_attached(part)]
    for media_type in _TEXTS:
        said = [part.text(MAX_TEXT) for part in parts if part.media_type == media_type]
        if media_type == "text/html":
            said = [safe_text.of_html(html, MAX_TEXT) for html in said]
        text = "\n\n".join(filter(None, (words.strip() for words in said)))
        if text:
            return _shown(text)
    return ""


def _shown(text: str) -> str:
    """Leave out the signs that nothing shows or that turn words round."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", "", text)[:MAX_TEXT]


def _attachments(mail: mime.Part) -> tuple[Joined, ...]:
    parts = [part for part in mail.walk() if not part.media_type.startswith("multipart/") and _is_attached(part)]
    if len(parts) > MAX_ATTACHMENTS:
        raise MailUnreadable(MailReason.TOO_MANY_ATTACHMENTS)
    return tuple(Joined(part.name or "", part.media_type, part.content()) for part in parts)
