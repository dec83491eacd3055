"""What is read of boxes and mails for a page: always for a given set of hospitals."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload, selectinload

from auth.models import Professional
from portal.db import session
from portal.establishments import Establishment
from services.documents.exchanges.models import Exchange, ExchangeMessage
from services.documents.mailboxes.models import Mailbox, MailboxReading, MailOperator, ReceivedMail, Transmission

PAGE = 50
WAITING = ("waiting", "uncertain")
TO_MEND = ("refused", "given_up")


@dataclass(frozen=True)
class BoxLine:
    """A box, how its reading goes, how many of its mails wait to leave, and how many came and were put aside."""

    box: Mailbox
    reading: MailboxReading | None
    waiting: int
    aside: int
    holder: str = ""


def boxes_at(establishments: Collection[UUID]) -> Sequence[BoxLine]:
    """The hospitals' boxes, open ones first, by hospital and address."""
    waiting = (
        select(Transmission.mailbox_id, func.count().label("count"))
        .where(Transmission.state.in_(WAITING), Transmission.establishment_id.in_(establishments))
        .group_by(Transmission.mailbox_id)
        .subquery()
    )
    aside = (
        select(ReceivedMail.mailbox_id, func.count().label("count"))
        .where(ReceivedMail.outcome == "quarantined", ReceivedMail.establishment_id.in_(establishments))
        .group_by(ReceivedMail.mailbox_id)
        .subquery()
    )
    rows = session.execute(
        select(Mailbox, MailboxReading, waiting.c.count, aside.c.count, Professional)
        .join(Establishment, Establishment.id == Mailbox.establishment_id)
        .outerjoin(MailboxReading, MailboxReading.mailbox_id == Mailbox.id)
        .outerjoin(waiting, waiting.c.mailbox_id == Mailbox.id)
        .outerjoin(aside, aside.c.mailbox_id == Mailbox.id)
        .outerjoin(Professional, Professional.account_id == Mailbox.holder_id)
        .options(joinedload(Mailbox.establishment), joinedload(Mailbox.unit))
        .where(Mailbox.establishment_id.in_(establishments))
        .order_by(Mailbox.closed_at.is_not(None), Establishment.name, Mailbox.address)
    ).all()
    return [
        BoxLine(box, reading, sent or 0, put or 0, holder.full_name if holder else "")
        for box, reading, sent, put, holder in rows
    ]


def box_at(establishments: Collection[UUID], mailbox_id: UUID) -> Mailbox | None:
    return session.scalar(
        select(Mailbox)
        .options(joinedload(Mailbox.establishment), joinedload(Mailbox.unit))
        .where(Mailbox.id == mailbox_id, Mailbox.establishment_id.in_(establishments))
    )


def operators_at(establishments: Collection[UUID]) -> Sequence[MailOperator]:
    """The operators that fail at this moment."""
    return session.scalars(
        select(MailOperator)
        .where(MailOperator.establishment_id.in_(establishments), MailOperator.trouble != "")
        .order_by(MailOperator.host)
    ).all()


def open_boxes(establishments: Collection[UUID] = ()) -> Sequence[Mailbox]:
    """The boxes that jobs read, of these hospitals or of all."""
    query = select(Mailbox).where(Mailbox.closed_at.is_(None)).order_by(Mailbox.address)
    return session.scalars(query.where(Mailbox.establishment_id.in_(establishments)) if establishments else query).all()


def backlog() -> tuple[int, int, int]:
    """Mails that wait to leave, boxes in trouble, mails put aside; as the system."""
    waiting = select(func.count()).select_from(Transmission).where(Transmission.state.in_(WAITING))
    troubled = select(func.count()).select_from(MailboxReading).where(MailboxReading.trouble != "")
    aside = select(func.count()).select_from(ReceivedMail).where(ReceivedMail.outcome == "quarantined")
    row = session.execute(select(waiting.scalar_subquery(), troubled.scalar_subquery(), aside.scalar_subquery())).one()
    return int(row[0] or 0), int(row[1] or 0), int(row[2] or 0)


# -- transmissions -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wanted:
    """Which transmissions to show. show: mend (those that need somebody) | waiting | all, or one state."""

    show: str = "all"
    mailbox_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    page: int = 1


@dataclass(frozen=True)
class Sent:
    """A transmission with its message and thread."""

    transmission: Transmission
    exchange: Exchange


def transmissions_at(establishments: Collection[UUID], wanted: Wanted) -> tuple[Sequence[Sent], bool]:
    """The hospitals' transmissions, those that need somebody first, then the latest; whether there are more."""
    query = _transmissions().where(Transmission.establishment_id.in_(establishments))
    groups = {"mend": TO_MEND, "waiting": WAITING}
    if wanted.show != "all":
        query = query.where(Transmission.state.in_(groups.get(wanted.show, (wanted.show,))))
    if wanted.mailbox_id:
        query = query.where(Transmission.mailbox_id == wanted.mailbox_id)
    if wanted.since:
        query = query.where(Transmission.created_at >= wanted.since)
    if wanted.until:
        query = query.where(Transmission.created_at < wanted.until)
    needs = Transmission.state.in_(TO_MEND) & Transmission.reason.not_in(("paper", "other_address"))
    query = query.order_by((~needs), Transmission.changed_at.desc(), Transmission.id)
    rows = session.execute(query.offset((wanted.page - 1) * PAGE).limit(PAGE + 1)).all()
    return [Sent(mail, thread) for mail, thread in rows[:PAGE]], len(rows) > PAGE


def transmission_at(establishments: Collection[UUID], transmission_id: UUID) -> Sent | None:
    """One with its whole history."""
    row = session.execute(
        _transmissions()
        .options(selectinload(Transmission.changes))
        .where(Transmission.id == transmission_id, Transmission.establishment_id.in_(establishments))
    ).one_or_none()
    return Sent(row[0], row[1]) if row else None


def _transmissions() -> Select[Transmission, Exchange]:
    return (
        select(Transmission, Exchange)
        .join(ExchangeMessage, ExchangeMessage.id == Transmission.message_id)
        .join(Exchange, Exchange.id == ExchangeMessage.exchange_id)
        .options(
            joinedload(Transmission.mailbox).joinedload(Mailbox.establishment),
            joinedload(Exchange.professional),
            joinedload(Exchange.unit),
            joinedload(Exchange.establishment),
        )
    )


def deliveries_of(exchange: Exchange) -> Mapping[UUID, list[Transmission]]:
    """Message → where it went by MSSanté, the oldest first."""
    found: dict[UUID, list[Transmission]] = {}
    ids = [message.id for message in exchange.messages]
    for each in session.scalars(
        select(Transmission).where(Transmission.message_id.in_(ids)).order_by(Transmission.created_at, Transmission.id)
    ):
        found.setdefault(each.message_id, []).append(each)
    return found


# -- mails that came -----------------------------------------------------------------------------------------------


def received_at(establishments: Collection[UUID], show: str, page: int = 1) -> tuple[Sequence[ReceivedMail], bool]:
    """The mails that came and became no message: `quarantined`, or `noted` (they changed nothing)."""
    rows = session.scalars(
        select(ReceivedMail)
        .options(joinedload(ReceivedMail.mailbox))
        .where(ReceivedMail.establishment_id.in_(establishments), ReceivedMail.outcome == show)
        .order_by(ReceivedMail.received_at.desc(), ReceivedMail.id)
        .offset((page - 1) * PAGE)
        .limit(PAGE + 1)
    ).all()
    return rows[:PAGE], len(rows) > PAGE


def received_one(establishments: Collection[UUID], received_id: UUID) -> ReceivedMail | None:
    return session.scalar(
        select(ReceivedMail).where(ReceivedMail.id == received_id, ReceivedMail.establishment_id.in_(establishments))
    )
