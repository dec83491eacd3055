"""Mails of the secure space of health (MSSanté): writing them, reading them, their receipts and their bounces.

Pure functions over bytes: no database, no network. What cannot be written is a `CannotSend`, what cannot be read a
`MailUnreadable`.
"""

from services.documents.mss.addresses import citizen_number, is_citizen, of_citizen
from services.documents.mss.bounces import Bounce, Cause, Delivered
from services.documents.mss.facts import (
    BadAddress,
    BadHeader,
    CannotSend,
    CitizenNotQualified,
    MailReason,
    MailTooLarge,
    MailUnreadable,
)
from services.documents.mss.incoming import Joined, Mail, MailKind, read_mail
from services.documents.mss.outgoing import CITIZEN_LIMIT, Copy, Outgoing, Pair, Sender, closing, compose, size_of
from services.documents.mss.pairing import has_ins, pair
from services.documents.mss.receipts import ERRORS, Answer, Outcome, Receipt, ReceiptError, receipt_for
from services.documents.mss.subjects import Subject, Traits

__all__ = [
    "CITIZEN_LIMIT",
    "ERRORS",
    "Answer",
    "BadAddress",
    "BadHeader",
    "Bounce",
    "CannotSend",
    "Cause",
    "CitizenNotQualified",
    "Copy",
    "Delivered",
    "Joined",
    "Mail",
    "MailKind",
    "MailReason",
    "MailTooLarge",
    "MailUnreadable",
    "Outcome",
    "Outgoing",
    "Pair",
    "Receipt",
    "ReceiptError",
    "Sender",
    "Subject",
    "Traits",
    "citizen_number",
    "closing",
    "compose",
    "has_ins",
    "is_citizen",
    "of_citizen",
    "pair",
    "read_mail",
    "receipt_for",
    "size_of",
]
