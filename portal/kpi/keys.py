"""Pseudonyms: a random key for each civil month of the group, destroyed 35 days after its end.

A pseudonym tells two visits of one person in one month from two people, and nothing else: with its key gone nobody,
the portal included, can find out whose it was, nor recognise the same person in another month.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from portal import db, reading_only
from portal.db import session
from portal.kpi.models import GROUP_ZONE, KpiMonthKey

KEPT_DAYS: Final = 35
"""How long after its end a month stays open, and its key exists."""

_KEY_BYTES: Final = 32
_ZONE: Final = ZoneInfo(GROUP_ZONE)
_secrets: dict[str, bytes] = {}
_mixed_with: dict[date, bytes] = {}
_keys: dict[date, bytes] = {}


def configure(secrets: Sequence[str]) -> None:
    """What the keys of the months are mixed with: a copy of the database alone gives no pseudonym away. The first one
    is for new months; a month that has begun goes on with its own, as long as it is among them."""
    global _secrets
    _secrets = {_name_of(each): hashlib.sha256(b"kpi:" + each.encode()).digest() for each in secrets}
    _keys.clear()


def _name_of(secret: str) -> str:
    """What a row may say of it."""
    return hashlib.sha256(b"kpi name:" + secret.encode()).hexdigest()[:16]


def month_of(at: datetime) -> date:
    """The first day of the group's civil month. The same month as in the roll-up: else one person would have two
    pseudonyms in the first hours of a month."""
    return at.astimezone(_ZONE).date().replace(day=1)


def next_month(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


def first_open_month(today: date) -> date:
    """The oldest month that is not over for 35 days."""
    month = today.replace(day=1)
    while next_month(month) + timedelta(days=KEPT_DAYS) > today:
        month = (month - timedelta(days=1)).replace(day=1)
    return next_month(month)


def began_at(month: date) -> datetime:
    """The moment at which a month of the group begins."""
    return datetime.combine(month, time(), _ZONE).astimezone(UTC)


def pseudonym(account_id: UUID, at: datetime) -> str:
    """Whose event it is, for one month; "" when the month's key is destroyed."""
    month = month_of(at)
    key = of_month(month)
    if not key:
        return ""
    return hmac.new(_mixed_with[month] + key, account_id.bytes, hashlib.sha256).hexdigest()[:32]


def of_month(month: date) -> bytes:
    """The month's key, made at the first need. b"" when it is destroyed, or when the portal only reads and nobody made
    it before.

    Asked for once by each process, in a transaction of its own: a key that another process uses already must not
    go with the transaction of whoever needed it first, and nobody but the system may read it. A key is forgotten on the
    day when its month closes, whichever process destroys it.
    """
    _forget_before(first_open_month(db.now().astimezone(_ZONE).date()))
    if month not in _keys:
        with db.transaction(db.system("kpi.key")):
            found = _found(month)
        if found is None:
            return b""
        key, said = found
        # The secret that a month began with may be gone: it goes on with the one there is.
        _mixed_with[month] = _secrets.get(said) or next(iter(_secrets.values()))
        _keys[month] = key
    return _keys[month]


def _found(month: date) -> tuple[bytes, str] | None:
    """The month's row, made if it must be; None when it must and the portal only reads: then nothing is counted."""
    named = select(KpiMonthKey.key, KpiMonthKey.mixed_with).where(KpiMonthKey.month == month)
    found = session.execute(named).one_or_none()
    if reading_only.is_on() or (found is not None and found.mixed_with):
        return found and (found.key, found.mixed_with)
    current = next(iter(_secrets))
    made = {"month": month, "key": secrets.token_bytes(_KEY_BYTES), "made_at": db.now(), "mixed_with": current}
    session.execute(insert(KpiMonthKey).values(made).on_conflict_do_nothing())
    is_unsaid = KpiMonthKey.month == month, KpiMonthKey.mixed_with == ""
    session.execute(update(KpiMonthKey).where(*is_unsaid).values(mixed_with=current))
    key, said = session.execute(named).one()
    return key, said


def destroy_before(month: date) -> int:
    """Destroy the keys of the months before this one; returns how many."""
    _forget_before(month)
    gone = update(KpiMonthKey).where(KpiMonthKey.month < month, KpiMonthKey.destroyed_at.is_(None))
    return len(session.scalars(gone.values(key=b"", destroyed_at=db.now()).returning(KpiMonthKey.month)).all())


def _forget_before(month: date) -> None:
    for each in [known for known in _keys if known < month]:
        del _keys[each]
