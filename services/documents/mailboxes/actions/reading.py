"""Whose turn it is to be read: boxes are lent to one reader at a time, and left alone a while when they fail."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert

from portal.db import session
from portal.gateways.mssante import Place
from services.documents.mailboxes.actions import sending
from services.documents.mailboxes.models import Mailbox, MailboxReading

_LEASE: Final = timedelta(minutes=10)
"""Longer than one mail may take; each mail renews it."""
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
READ_BY_JOBS: Final = ("ORG", "APP")


@dataclass(frozen=True)
class Turn:
    """A box that is lent to its reader."""

    mailbox_id: UUID
    establishment_id: UUID
    address: str
    unit_id: UUID | None
    lease: UUID
    place: Place


def lease_due(now: datetime) -> Sequence[tuple[UUID, UUID]]:
    """Lend every box whose turn it is to a reader: (box, lease). Two workers never get the same one."""
    _meet_new_boxes()
    due = session.scalars(
        select(MailboxReading)
        .join(Mailbox, Mailbox.id == MailboxReading.mailbox_id)
        .where(
            Mailbox.closed_at.is_(None),
            or_(MailboxReading.again_at.is_(None), MailboxReading.again_at <= now),
            or_(MailboxReading.leased_until.is_(None), MailboxReading.leased_until <= now),
        )
        .order_by(MailboxReading.read_at.asc().nulls_first())
        .with_for_update(of=MailboxReading, key_share=True, skip_locked=True)
    ).all()
    for each in due:
        each.lease, each.leased_until = uuid4(), now + _LEASE
    session.flush()
    return [(each.mailbox_id, each.lease) for each in due if each.lease]


def _meet_new_boxes() -> None:
    unmet = session.execute(
        select(Mailbox.id, Mailbox.establishment_id)
        .outerjoin(MailboxReading, MailboxReading.mailbox_id == Mailbox.id)
        .where(Mailbox.kind.in_(READ_BY_JOBS), Mailbox.closed_at.is_(None), MailboxReading.mailbox_id.is_(None))
    ).all()
    if unmet:
        rows = [
            {"mailbox_id": box_id, "establishment_id": place, "validity": 0, "uid": 0, "failures": 0, "trouble": ""}
            for box_id, place in unmet
        ]
        session.execute(insert(MailboxReading).on_conflict_do_nothing().inline(), rows)


def turn_of(box: Mailbox, lease: UUID) -> Turn | None:
    """What its reader begins with; None when the lease ended and somebody else has the box, or when it was closed."""
    reading = _reading(box.id)
    if reading is None or reading.lease != lease or not box.is_open:
        return None
    place = Place(reading.validity, reading.uid)
    return Turn(box.id, box.establishment_id, box.address, box.unit_id, lease, place)


def go_on(turn: Turn, place: Place, now: datetime) -> bool:
    """Remember how far the box was read, with what was read; False when somebody else reads it now."""
    reading = _reading(turn.mailbox_id)
    if reading is None or reading.lease != turn.lease:
        return False
    reading.validity, reading.uid, reading.leased_until = place.validity, place.uid, now + _LEASE
    session.flush()
    return True


def end_turn(turn: Turn, host: str, trouble: str, now: datetime, *, away: bool = False) -> None:
    """Give the box back. trouble: our word for why its reading failed; away: its operator failed, not the box."""
    sending.note_operator(turn.establishment_id, host, trouble if away else "", now)
    reading = _reading(turn.mailbox_id)
    if reading is None or reading.lease != turn.lease:
        return
    reading.lease = reading.leased_until = None
    reading.trouble = trouble
    reading.failures = reading.failures + 1 if trouble else 0
    wait = min(_FIRST_WAIT * 2 ** min(max(reading.failures - 1, 0), 6), _LONGEST_WAIT)
    reading.again_at = now + wait if trouble else None
    if not trouble:
        reading.read_at = now
    session.flush()


def put_off(mailbox_id: UUID, lease: UUID, at: datetime | None, trouble: str, now: datetime) -> None:
    """Give a box back unread: its operator is left alone until `at`, or nothing says how to reach it."""
    reading = _reading(mailbox_id)
    if reading is not None and reading.lease == lease:
        reading.lease = reading.leased_until = None
        reading.trouble, reading.again_at = trouble, at or now + _LONGEST_WAIT
        session.flush()


def _reading(mailbox_id: UUID) -> MailboxReading | None:
    return session.get(MailboxReading, mailbox_id, with_for_update={"key_share": True}, populate_existing=True)
