"""The mails that machines write: bounces (RFC 3464), receipts (RFC 8098), automatic answers (RFC 3834), replies."""

import secrets
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

from portal.gateways.mssante.twin.boxes import Receipt

POSTMASTER = "MAILER-DAEMON@operateur.mssante.test"
_KO = "902^Identifiant patient inconnu^applicationErrorCondition|E^Error^errorSeverity"
_BOUNCES = {
    "5.1.1": "The account does not exist",
    "5.1.3": "The address is not valid",
    "5.2.1": "The mailbox is closed",
    "5.3.4": "The message is too large for this mailbox",
    "5.4.6": "Too many hops",
}


def parsed(raw: bytes) -> EmailMessage:
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def bounce(raw: bytes, sender: str, recipient: str, status: str) -> bytes:
    """To the one who sent `raw`: nobody has it."""
    text = (
        f"I'm sorry to have to inform you that your message could not be delivered.\n\n{_BOUNCES[status]}: {recipient}"
    )
    fields = {"Action": "failed", "Status": status, "Diagnostic-Code": f"smtp; 550 {status} {_BOUNCES[status]}"}
    return _delivery(raw, sender, recipient, "Undelivered Mail Returned to Sender", text, fields)


def delivered(raw: bytes, sender: str, recipient: str) -> bytes:
    """To the one who asked to be told of it."""
    text = f"Your message was delivered to {recipient}."
    fields = {"Action": "delivered", "Status": "2.0.0"}
    return _delivery(raw, sender, recipient, "Successful Mail Delivery Report", text, fields)


def delayed(raw: bytes, sender: str, recipient: str) -> bytes:
    """Nobody has it yet, and it is tried again."""
    text = f"Your message was not delivered yet to {recipient}. You need not send it again."
    fields = {"Action": "delayed", "Status": "4.4.1", "Diagnostic-Code": "smtp; 451 4.4.1 no answer from host"}
    return _delivery(raw, sender, recipient, "Delayed Mail (still being retried)", text, fields)


def receipt(raw: bytes, sender: str, reader: str, kind: Receipt) -> bytes:
    """What the reader's software sends to the address that asked. The whole original comes back (volet § MDN)."""
    original = parsed(raw)
    subject = str(original["Subject"] or "")
    dispositions = {
        Receipt.READ: "Disposition: manual-action/MDN-sent-manually; displayed",
        Receipt.PROCESSED: "Disposition: automatic-action/MDN-sent-automatically; processed",
        Receipt.KO: f"Disposition: automatic-action/MDN-sent-automatically; processed/error\r\nError: {_KO}",
        Receipt.KO_OLD: f"Disposition: automatic-action/MDN-sent-automatically; processed/Error: {_KO}",
    }
    is_ko = kind in (Receipt.KO, Receipt.KO_OLD)
    fields = (
        f"Reporting-UA: twin; mssante\r\nOriginal-Recipient: rfc822;{reader}\r\nFinal-Recipient: rfc822;{reader}\r\n"
        f"Original-Message-ID: {original['Message-ID']}\r\n{dispositions[kind]}\r\n"
    )
    prefix = "[KO Intégration système !][902]" if is_ko else "Lu :"
    headers = _headers(reader, sender, f"{prefix} {subject}", original)
    text = "Votre message n'a pas pu être intégré." if is_ko else "Votre message a été lu."
    return _report(headers, "disposition-notification", text, fields, b"message/rfc822", raw)


def away(raw: bytes, sender: str, absent: str, text: str) -> bytes:
    """An automatic answer that says that it is one."""
    made = _headers(absent, sender, f"Réponse automatique : {parsed(raw)['Subject'] or ''}", parsed(raw))
    made["Auto-Submitted"] = "auto-replied"
    made["Precedence"] = "bulk"
    made.set_content(text)
    return made.as_bytes()


def reply(raw: bytes, sender: str, author: str, text: str, package: bytes = b"") -> bytes:
    """A person's answer, with a package: the one given, or those that came."""
    original = parsed(raw)
    made = _headers(author, sender, f"RE: {original['Subject'] or ''}", original)
    made["Disposition-Notification-To"] = author
    made.set_content(text)
    came = [part.get_content() for part in original.iter_attachments() if part.get_content_type() == "application/zip"]
    for content in [package] if package else came:
        made.add_attachment(content, maintype="application", subtype="zip", filename="IHE_XDM.ZIP")
    return made.as_bytes()


def with_trace(raw: bytes, recipient: str) -> bytes:
    """RFC 5321 § 4.4: each hop says that it passed; loops are known by it."""
    stamp = format_datetime(datetime.now(UTC))
    return f"Received: by operateur.mssante.test for <{recipient}>; {stamp}\r\n".encode() + raw


def _headers(author: str, to: str, subject: str, original: EmailMessage) -> EmailMessage:
    made = EmailMessage(policy=policy.SMTP)
    made["From"], made["To"] = author, to
    made["Subject"] = " ".join(subject.split())
    made["Date"] = format_datetime(datetime.now(UTC))
    made["Message-ID"] = make_msgid(domain=author.rpartition("@")[2])
    if original["Message-ID"]:
        made["In-Reply-To"] = made["References"] = " ".join(str(original["Message-ID"]).split())
    return made


def _delivery(raw: bytes, sender: str, recipient: str, subject: str, text: str, fields: dict[str, str]) -> bytes:
    head = raw.partition(b"\r\n\r\n")[0] + b"\r\n"
    told = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    status = f"Reporting-MTA: dns; operateur.mssante.test\r\n\r\nFinal-Recipient: rfc822; {recipient}\r\n{told}"
    headers = _headers(POSTMASTER, sender, subject, parsed(head + b"\r\n"))
    headers["Auto-Submitted"] = "auto-replied"
    return _report(headers, "delivery-status", text, status, b"text/rfc822-headers", head)


def _report(headers: EmailMessage, kind: str, text: str, fields: str, returned_as: bytes, returned: bytes) -> bytes:
    """multipart/report (RFC 6522), put together by hand: the original comes back to the byte."""
    edge = f"=-{secrets.token_hex(12)}"
    head = headers.as_bytes().rstrip(b"\r\n")
    kinds = f'MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type={kind};\r\n boundary="{edge}"'
    mark = b"--" + edge.encode()
    said = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit"
    return b"\r\n".join(
        [
            head, kinds.encode(), b"", mark, said, b"", text.encode(), b"", mark,
            f"Content-Type: message/{kind}".encode(), b"", fields.encode(), mark,
            b"Content-Type: " + returned_as, b"", returned, mark + b"--", b"",
        ]
    )  # fmt: skip
