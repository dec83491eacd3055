"""Sessions elsewhere, and the browsers that an account was opened with."""

import hashlib
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from auth.account import mails
from auth.account.models import KnownDevice
from auth.models import Account, WebSession
from portal import audit, db, notifications
from portal.db import session

DEVICE_LIFE = timedelta(days=400)
"""How long a browser keeps its mark: the longest that browsers allow."""


class UnknownDevice(Exception):
    """The actor has no such device."""


def recognise(account: Account, token: str, browser: str) -> bool:
    """Note that the account was opened with this browser (`token` is its mark); tell its owner when it is a new one.

    Returns whether the browser was known. The very first one of an account surprises nobody: no message.
    """
    known = session.scalars(select(KnownDevice.digest).where(KnownDevice.account_id == account.id)).all()
    mark = digest(account.id, token)
    now = db.now()
    row = insert(KnownDevice).values(
        id=uuid4(), account_id=account.id, digest=mark, browser=browser[:200], first_seen_at=now, last_seen_at=now
    )
    session.execute(
        row.on_conflict_do_update(
            index_elements=["account_id", "digest"], set_={"last_seen_at": now, "browser": browser[:200]}
        )
    )
    if mark in known:
        return True
    audit.record("device.added", object_kind="account", object_id=account.id)
    if known:
        notifications.tell(
            mails.new_device(account.locale, now, browser),
            recipient=account.email,
            account_id=account.id,
            locale=account.locale,
        )
    return False


def digest(account_id: UUID, token: str) -> bytes:
    """Different for each account of one browser: nobody can tell that they share it."""
    return hashlib.sha256(account_id.bytes + token.encode()).digest()


def forget_device(device_id: UUID) -> None:
    """Be told again when this browser comes back. Raises UnknownDevice."""
    device = session.get(KnownDevice, device_id)
    if device is None or device.account_id != db.current_actor().account_id:
        raise UnknownDevice
    session.delete(device)
    audit.record("device.forgotten", object_kind="account", object_id=device.account_id)


def close_other_sessions(current_id: UUID) -> int:
    """End every session of the actor but this one, at once; returns how many."""
    account_id = db.current_actor().account_id
    closed = session.scalars(
        update(WebSession)
        .where(WebSession.account_id == account_id, WebSession.id != current_id, WebSession.ended_at.is_(None))
        .values(ended_at=db.now(), id_token="")
        .returning(WebSession.id)
    ).all()
    if closed:
        audit.record("session.closed", object_kind="account", object_id=account_id, sessions=len(closed))
    return len(closed)
