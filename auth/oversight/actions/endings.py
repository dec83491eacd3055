"""Putting people out: of one account whose holder is no longer the one who uses it, or of a whole public."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ColumnElement, select, update

from auth.models import Account, Audience, WebSession
from portal import audit, db
from portal.db import session


class UnknownAccount(Exception):
    """No account has this number."""


def end_sessions_of(account_id: UUID, reason: str) -> int:
    """End every session of one account; how many there were. As the system. Raises UnknownAccount."""
    if session.get(Account, account_id) is None:
        raise UnknownAccount(account_id)
    number = _end(WebSession.account_id == account_id)
    audit.record("sessions.ended", object_kind="account", object_id=account_id, number=number, reason=reason)
    return number


def end_sessions_of_all(audiences: Collection[Audience], reason: str) -> int:
    """End every session of these publics; how many there were. As the system."""
    public = select(Account.id).where(Account.audience.in_(audiences))
    number = _end(WebSession.account_id.in_(public))
    audit.record("sessions.ended", what=" ".join(sorted(audiences)), number=number, reason=reason)
    return number


def _end(which: ColumnElement[bool]) -> int:
    ended = update(WebSession).where(which, WebSession.ended_at.is_(None), WebSession.expires_at > db.now())
    return len(session.scalars(ended.values(ended_at=db.now(), id_token="").returning(WebSession.id)).all())
