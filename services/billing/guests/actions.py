"""What a payer without an account does with a letter, and the agent who prints one."""

import secrets
from collections.abc import Collection, Sequence
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import delete, func, update
from sqlalchemy.dialects.postgresql import insert as upsert

from portal import audit, db
from portal.db import session
from services.billing import access_keys, queries
from services.billing.actions import NotPayable, UnknownBill, digest
from services.billing.guests.models import BillOpening
from services.billing.guests.queries import Found, bills_named
from services.billing.queries import Standing, source_of

OPEN_FOR = timedelta(minutes=30)
KEPT_FOR = timedelta(days=1)
"""A browser that comes back from its bank within this time sees the outcome without its letter."""

# No vowels (no words), no 0/O, no 1/I: 28 signs, 10 of them are 48 bits.
_KEY_SIGNS = "23456789BCDFGHJKLMNPQRSTVWXZ"
_KEY_LENGTH = 10


def open_bills(former: str, found: Sequence[Found], way: str) -> str:
    """Let a browser see and pay these bills beside those it had opened; returns its new secret.

    former: its cookie's value until now, "" when it has none: it is worth nothing afterwards, so that a cookie planted
    by somebody else never shows them what its victim opens. way: key, or birth.
    """
    token, now = secrets.token_urlsafe(32), db.now()
    until = now + OPEN_FOR
    session.execute(
        update(BillOpening)
        .where(BillOpening.digest == digest(former), BillOpening.expires_at > now)
        .values(digest=digest(token), expires_at=until)
    )
    for each in found:
        session.execute(
            upsert(BillOpening)
            .inline()
            .values(
                id=uuid4(),
                digest=digest(token),
                bill_id=each.bill_id,
                establishment_id=each.establishment_id,
                opened_at=now,
                expires_at=until,
            )
            .on_conflict_do_nothing()
        )
        _record("bill.opened_with_key", each, way=way)
    return token


def reopen(token: str, bill_ids: Collection[UUID]) -> bool:
    """A browser is back from its bank: whether it had opened all these bills, which it may then see again."""
    now = db.now()
    again = session.execute(
        update(BillOpening)
        .where(
            BillOpening.digest == digest(token),
            BillOpening.bill_id.in_(bill_ids),
            BillOpening.opened_at > now - KEPT_FOR,
        )
        .values(expires_at=func.greatest(BillOpening.expires_at, now + OPEN_FOR))
        .returning(BillOpening.bill_id, BillOpening.establishment_id)
    ).all()
    for bill_id, establishment_id in again:
        _record("bill.opened_with_key", Found(bill_id, establishment_id, None), way="return")
    return {row.bill_id for row in again} == set(bill_ids)


def leave(token: str) -> None:
    """Forget what this browser had opened: somebody else may sit at it next."""
    left = session.execute(
        delete(BillOpening)
        .where(BillOpening.digest == digest(token))
        .returning(BillOpening.bill_id, BillOpening.establishment_id)
    ).all()
    for bill_id, establishment_id in left:
        _record("bill.left", Found(bill_id, establishment_id, None))


def note_refused_keys(reference: str) -> None:
    """Somebody was wrong about this reference too often: say so of each bill that bears it, or of none."""
    for each in bills_named(reference) or (None,):
        _record("bill.key_refused", each)


def draw_key(places: Collection[UUID], bill_id: UUID) -> tuple[Standing, str]:
    """A new key for the notice of a bill; the former one, and what it had opened, are worth nothing any more.

    Raises UnknownBill, and NotPayable when nothing is left to pay or the source is closed to guests.
    """
    found = queries.one_at(places, bill_id)
    if found is None:
        raise UnknownBill(bill_id)
    if not may_be_noticed(found):
        raise NotPayable("no_notice")
    key = "".join(secrets.choice(_KEY_SIGNS) for _ in range(_KEY_LENGTH))
    found.bill.access_digest = access_keys.digest_of_key(found.bill.reference, key)
    session.execute(delete(BillOpening).where(BillOpening.bill_id == bill_id))
    _record("bill.key_drawn", Found(bill_id, found.bill.establishment_id, found.bill.patient_id))
    return found, key


def may_be_noticed(found: Standing) -> bool:
    """Whether a notice with a key makes sense: something is left to pay, by whoever holds the letter."""
    return found.left_cents > 0 and source_of(found.bill).access != "none"


def _record(action: str, found: Found | None, **details: str) -> None:
    audit.record(
        action,
        patient_id=found.patient_id if found else None,
        establishment_id=found.establishment_id if found else None,
        object_kind="bill",
        object_id=found.bill_id if found else None,
        **details,
    )
