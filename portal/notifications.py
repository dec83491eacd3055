"""A message to a person, by mail or by text message. Never with health data, nor a service name that reveals any: it
says that something waits in the portal, and links to it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from portal import db, jobs, text_messages
from portal.config import Settings
from portal.db import Base, Keyed, session
from portal.gateways import Refused
from portal.gateways import mail as mail_door
from portal.message_texts import html, writing
from portal.message_texts.kinds import Mail, message, named
from portal.message_texts.writing import Words

__all__ = [
    "Check", "Group", "Mail", "Notification", "Reach", "address", "carry", "check", "configure", "grouped_by",
    "message", "named", "reached_by", "send", "send_text", "tell", "withhold_when", "write",
]  # fmt: skip

log = structlog.get_logger(__name__)


class Notification(Keyed, Base):
    """A message written in the transaction of what it tells, sent later by the worker.

    patient_id: whom it is about, when it is about somebody. locale: the language of its words. withheld_at: it was not
    to be sent any more.
    """

    __tablename__ = "notification"

    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    patient_id: Mapped[UUID | None]
    recipient: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str]
    locale: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    sent_at: Mapped[datetime | None]
    withheld_at: Mapped[datetime | None]


@dataclass
class _Outbox:
    door: Any = None


_outbox = _Outbox()


def configure(settings: Settings) -> None:
    """Connect the mail door named by the environment."""
    _outbox.door = mail_door.connect(settings.mail_url.get_secret_value(), sender=settings.mail_from)
    writing.stand_at(settings.base_url)


def check() -> None:
    """Raises Unavailable when the mail server does not answer."""
    _outbox.door.check()


Check = Callable[[UUID | None, UUID | None], bool]
_checks: list[Check] = []


def withhold_when(check: Check) -> None:
    """Ask this just before each sending: given the account and the patient, is the message no longer to be sent?"""
    if check not in _checks:
        _checks.append(check)


@dataclass(frozen=True)
class Reach:
    """How a person chose to be told. mobile: their verified number when text messages are among it, else ""."""

    by_mail: bool = True
    mobile: str = ""


_reach: list[Callable[[UUID], Reach]] = []


def reached_by(reach: Callable[[UUID], Reach]) -> None:
    """Ask this, as the system, how the account of a message wants to be told."""
    _reach[:] = [reach]


Group = Callable[[UUID, Mail], None]
_groups: list[Group] = []


def grouped_by(group: Group) -> None:
    """Give this, instead of sending it, what has a kind and is told to an account."""
    _groups[:] = [group]


def tell(
    mail: Mail,
    *,
    recipient: str,
    account_id: UUID | None = None,
    patient_id: UUID | None = None,
    locale: str = "",
    establishment_id: UUID | None = None,
) -> None:
    """Write a message and ask for its sending, in the current transaction. Without an address, nothing is sent.

    patient_id: whom it is about. establishment_id: the hospital it is about, whose own words are used if it has some.
    """
    if mail.kind and account_id and _groups:
        _groups[0](account_id, mail)
        return
    if recipient:
        words = writing.written(mail, locale or "fr", establishment_id)
        write(words, recipient=recipient, account_id=account_id, patient_id=patient_id, locale=locale)


def write(
    words: Words, *, recipient: str, account_id: UUID | None = None, patient_id: UUID | None = None, locale: str = ""
) -> None:
    """Ask for the sending of words that are ready to leave, in the current transaction."""
    row = Notification(
        account_id=account_id,
        patient_id=patient_id,
        recipient=recipient,
        subject=words.subject,
        body=words.body,
        locale=locale or "fr",
    )
    session.add(row)
    session.flush()
    jobs.enqueue("notifications.send", notification_id=str(row.id))


def address(path: str) -> str:
    """The whole address of a page, as messages give it."""
    return writing.address(path)


def carry(recipient: str, subject: str, text: str, headers: Mapping[str, str] | None = None) -> None:
    """Send a mail now and keep nothing of it (a one-time code). Only from a job. Raises Refused, Unavailable,
    OutcomeUnknown."""
    page = html.page(subject, text)
    _outbox.door.send(mail_door.Message(to=recipient, subject=subject, text=text, html=page, headers=headers or {}))


@jobs.task("notifications.send")
def send(notification_id: str) -> None:
    """Send one message. A mail cannot be taken back: sent, then marked; a crash in between sends it twice."""
    with jobs.reading() as current:
        row = current.get(Notification, UUID(notification_id))
        if row is None or row.sent_at or row.withheld_at:
            return
        withheld = any(check(row.account_id, row.patient_id) for check in _checks)
        reach = _reach[0](row.account_id) if row.account_id and _reach else Reach()
        page = html.page(row.subject, row.body, row.locale)
        mail = mail_door.Message(to=row.recipient, subject=row.subject, text=row.body, html=page)
    if not withheld and reach.by_mail:
        _outbox.door.send(mail)
    with jobs.effect() as current:
        row = current.get(Notification, UUID(notification_id))
        if row is not None and withheld:
            row.withheld_at = db.now()
        elif row is not None:
            row.sent_at = db.now()
            if reach.mobile:
                jobs.enqueue("notifications.send_text", notification_id=notification_id)


@jobs.task("notifications.send_text")
def send_text(notification_id: str) -> None:
    """Say by text message that something waits, and nothing of what it is: screens of telephones are read by others."""
    with jobs.reading() as current:
        row = current.get(Notification, UUID(notification_id))
        reach = _reach[0](row.account_id) if row is not None and row.account_id else Reach()
    if not reach.mobile:
        return
    with force_locale("fr"):
        text = _("A message waits for you on your hospital’s portal: %(address)s", address=address(""))
    try:
        text_messages.send(reach.mobile, text)
    except Refused as refused:
        log.warning("text.refused", reason=refused.code)
