"""What a mail door does, and what a message may hold."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid, parseaddr
from typing import Protocol

from portal.gateways import Refused

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", re.ASCII)
# 7bit: a relay without 8BITMIME (RFC 6152) may take the message as well.
_POLICY = SMTP.clone(cte_type="7bit")
_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}", re.ASCII)
_OURS = {"to", "from", "cc", "bcc", "sender", "subject", "date", "mime-version"}


@dataclass(frozen=True, slots=True)
class Message:
    """One mail to one person; never with health data.

    `headers` may add some (Reply-To, List-Unsubscribe, Message-ID, …), never replace those that make the mail.
    """

    to: str
    subject: str
    text: str
    html: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Mailer(Protocol):
    """Something that carries a message away."""

    def send(self, message: Message) -> None:
        """Hand the message over.

        Raises `Refused` (this message will never pass: the server's code, or "to", "subject", "header", "text" when
        it never left), `Unavailable` (nothing was sent), `OutcomeUnknown` (cut while the server was accepting it).
        """

    def check(self) -> None:
        """Return if the counterpart answers; raise `Unavailable` if not."""


def written(message: Message, sender: str) -> EmailMessage:
    """The message as RFC 5322 has it. Raises `Refused` when a field would forge a header or an address."""
    _check(message)
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = sender
    mail["To"] = message.to
    mail["Subject"] = message.subject
    mail["Date"] = format_datetime(datetime.now(UTC))
    # RFC 3834: keeps automatic answers ("I am away") from coming back to nobody.
    for name, value in {"Auto-Submitted": "auto-generated", **message.headers}.items():
        mail[name] = value
    if "Message-ID" not in mail:
        mail["Message-ID"] = make_msgid(domain=address_of(sender).rpartition("@")[2])
    mail.set_content(message.text)
    if message.html is not None:
        mail.add_alternative(message.html, subtype="html")
    return mail


def address_of(sender: str) -> str:
    """`Parvis <parvis@example.org>` is sent from `parvis@example.org`."""
    return parseaddr(sender)[1]


def _check(message: Message) -> None:
    if not _ADDRESS.fullmatch(message.to):
        raise Refused("to", "the address is not one address")
    if not _one_line(message.subject):
        raise Refused("subject", "the subject holds a line break or a control character")
    if not all(_is_text(part) for part in (message.text, message.html or "")):
        raise Refused("text", "the text holds a character that no mail can carry")
    for name, value in message.headers.items():
        forged = name.lower() in _OURS or name.lower().startswith("content-")
        if forged or not _HEADER_NAME.fullmatch(name) or not _one_line(value):
            raise Refused("header", "a header that may not be set, or with a line break in it")


def _is_text(value: str) -> bool:
    return "\x00" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)


def _one_line(value: str) -> bool:
    return value.isprintable()
