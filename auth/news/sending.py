"""One message leaves: looked at again just before, by the door of its channel, and what became of it written down.

A mail cannot be taken back: sent, then marked. A crash in between sends the same message twice, never none.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select

from auth.news import boxes, kinds, mails, wishes
from auth.news.models import News, NewsBox, NewsMessage
from portal import db, kpi, notifications
from portal.db import session

MOST_DOUBTS: Final = 2
_PATIENCE: Final = timedelta(hours=2)


@dataclass(frozen=True)
class Parting:
    """What leaves now, where. later_at: when it may, since it may not now. withheld: why nothing leaves any more.
    is_overdue: a box has been out of reach for so long that plain mail takes its place."""

    message_id: UUID
    channel: str = kinds.MAIL
    to: str = ""
    subject: str = ""
    text: str = ""
    later_at: datetime | None = None
    withheld: str = ""
    is_overdue: bool = False
    headers: dict[str, str] = field(default_factory=dict)

    def leave(self) -> None:
        """By the door of its channel. Raises NoBox, Refused, Unavailable, OutcomeUnknown."""
        if self.channel == kinds.MSSANTE:
            boxes.send(self.to, self.subject, self.text, str(self.message_id))
        else:
            notifications.carry(self.to, self.subject, self.text, self.headers)


def prepare(message_id: UUID, now: datetime) -> Parting | None:
    """What is to be done with a message now; None when it was done."""
    message = session.get(NewsMessage, message_id)
    if message is None or message.state != "waiting":
        return None
    wanted = wishes.of(message.account_id)
    unread = _unread(message)
    if not unread:
        return Parting(message_id, withheld="read")
    if wanted.account.closed_at is not None:
        return Parting(message_id, withheld="closed")
    if _is_stopped(message, wanted):
        return Parting(message_id, withheld="stopped")
    later = None if message.urgent else wanted.hours.next_allowed(now)
    if later is not None and later > now:
        return Parting(message_id, later_at=later)
    return _parting(message, wanted, unread, now)


def _parting(message: NewsMessage, wanted: wishes.Wishes, unread: list[News], now: datetime) -> Parting:
    by_box = message.channel == kinds.MSSANTE
    to = wanted.box.address if by_box and wanted.has_box and wanted.box else "" if by_box else wanted.account.email
    if not to:
        return Parting(message.id, withheld="no_address")
    told = Counter(line.kind for line in unread)
    paths = {line.path for line in unread}
    stop = mails.stop_path(message.account_id, message.channel, told)
    path = paths.pop() if len(paths) == 1 else mails.LIST
    subject, text = mails.news(told, path, stop, wanted.account.locale, urgent=message.urgent)
    overdue = by_box and now - message.formed_at > _PATIENCE
    headers = mails.headers(stop, str(message.id))
    return Parting(message.id, message.channel, to, subject, text, is_overdue=overdue, headers=headers)


def _is_stopped(message: NewsMessage, wanted: wishes.Wishes) -> bool:
    """Whether the person chose meanwhile to hear of none of this. Plain mail in the place of a box is no choice."""
    silent = all(wanted.rhythm(kind, message.channel) == kinds.NEVER for kind in message.kinds)
    return silent and not message.urgent and not message.because


def settle(message_id: UUID, state: str, because: str = "") -> None:
    """What became of it."""
    message = _held(message_id)
    if message.state != "waiting":
        return
    message.state, message.because, message.ended_at = state, because, db.now()
    event = "news_told" if state == "sent" else "news_withheld" if state == "withheld" else "news_refused"
    kpi.count(event, channel=message.channel, dimension=because, quantity=message.lines)
    box = session.get(NewsBox, message.account_id) if message.channel == kinds.MSSANTE else None
    if box is not None:
        box.trouble = because if state == "refused" else ""
    session.flush()


def by_mail_instead(message_id: UUID, trouble: str) -> bool:
    """The box cannot be written to: plain mail takes its place. Whether there is an address for it, and the person is
    not told by plain mail anyway."""
    message = _held(message_id)
    wanted = wishes.of(message.account_id)
    if wanted.box is not None:
        wanted.box.trouble = trouble
    told_anyway = all(wanted.rhythm(kind, kinds.MAIL) != kinds.NEVER for kind in message.kinds)
    if told_anyway or not wanted.account.email:
        return False
    message.channel, message.because = kinds.MAIL, trouble
    session.flush()
    return True


def doubt(message_id: UUID) -> bool:
    """The line was cut while the server was taking it: whether it is worth another try."""
    message = _held(message_id)
    message.tries += 1
    session.flush()
    return message.tries < MOST_DOUBTS


def _unread(message: NewsMessage) -> list[News]:
    told_by = (News.mail_id == message.id) | (News.mssante_id == message.id)
    return list(session.scalars(select(News).where(told_by, News.read_at.is_(None)).order_by(News.created_at)))


def _held(message_id: UUID) -> NewsMessage:
    return session.get_one(NewsMessage, message_id, with_for_update={"key_share": True}, populate_existing=True)
