"""Every minute: the news that are due become one message for each account and channel. As the system.

Whatever is due is marked in the transaction that writes the message and asks for its sending, so that none is lost and
none is in two messages; two workers do not gather for one account at once.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import func, select, update

from auth.news import kinds, windows, wishes
from auth.news.models import News, NewsMessage
from auth.news.wishes import Wishes
from portal import db, jobs, kpi
from portal.db import session

_A_BATCH: Final = 2000


def accounts(now: datetime) -> Sequence[UUID]:
    """Those of whom a news may be due."""
    return session.scalars(
        select(News.account_id).where(News.waiting, News.look_at <= now).distinct().limit(_A_BATCH)
    ).all()


def look_again(account_id: UUID) -> None:
    """What waits is looked at at the next minute, since something about how it is told has changed."""
    waits = (News.account_id == account_id, News.waiting)
    session.execute(update(News).where(*waits).values(look_at=db.now()))


def gather(account_id: UUID, now: datetime) -> int:
    """Make the messages of one account that are due; returns how many."""
    if not session.scalar(select(func.pg_try_advisory_xact_lock(func.hashtextextended(f"news {account_id}", 0)))):
        return 0  # another worker is at it
    lines = session.scalars(
        select(News)
        .where(News.account_id == account_id, News.waiting)
        .order_by(News.created_at, News.id)
        .with_for_update(key_share=True, skip_locked=True)
    ).all()
    wanted = wishes.of(account_id)
    if wanted.account.closed_at is not None:
        _end(lines)
        return 0
    return _gather(wanted, lines, now)


def _gather(wanted: Wishes, lines: Sequence[News], now: datetime) -> int:
    formed = 0
    later: dict[UUID, datetime] = {}
    for channel in kinds.CHANNELS:
        last_at = _last_at(wanted.account.id, channel) if lines else None
        due = []
        for line in (each for each in lines if _told_by(each, channel) is None):
            rhythm = wanted.rhythm(line.kind, channel, urgent=line.urgent)
            at = windows.due_at(rhythm, wanted.hours, line.created_at, last_at, urgent=line.urgent)
            if at is not None and at <= now:
                due.append(line)
            elif at is not None:
                later[line.id] = min(at, later.get(line.id, at))
        if due:
            _form(wanted.account.id, channel, due, now)
            formed += 1
    for line in lines:
        line.waiting, line.look_at = line.id in later, later.get(line.id, line.look_at)
    session.flush()
    return formed


def _form(account_id: UUID, channel: str, due: Sequence[News], now: datetime) -> None:
    message = NewsMessage(
        id=uuid4(), account_id=account_id, channel=channel, kinds=sorted({line.kind for line in due}), lines=len(due),
        urgent=any(line.urgent for line in due), formed_at=now,
    )  # fmt: skip
    session.add(message)
    session.flush()
    for line in due:
        setattr(line, f"{channel}_id", message.id)
    kpi.count("news_gathered", channel=channel, quantity=len(due))
    jobs.enqueue("news.send", message_id=str(message.id))


def _told_by(line: News, channel: str) -> UUID | None:
    return line.mail_id if channel == kinds.MAIL else line.mssante_id


def _last_at(account_id: UUID, channel: str) -> datetime | None:
    """When the former message of this channel was made, unless nothing of it left."""
    return session.scalar(
        select(func.max(NewsMessage.formed_at)).where(
            NewsMessage.account_id == account_id, NewsMessage.channel == channel, NewsMessage.state != "withheld"
        )
    )


def _end(lines: Sequence[News]) -> None:
    for line in lines:
        line.waiting = False
    session.flush()
