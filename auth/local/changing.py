"""Changing one's password: with the former one, and everybody else who is inside is out."""

from uuid import UUID

from sqlalchemy import update

from auth.account.actions import close_other_sessions
from auth.local import mails, passwords
from auth.local.actions import SignInRefused
from auth.local.models import LocalPassword
from auth.models import Account
from auth.records import as_system
from portal import audit, db
from portal.db import session


def password_of(account_id: UUID) -> LocalPassword | None:
    """The actor's own password, for when it was changed last; None for whoever signs in another way."""
    return session.get(LocalPassword, account_id)


def change_password(account: Account, session_id: UUID, former: str, new: str) -> None:
    """Keep this password in the place of the former one, end the actor's other sessions, and tell them.

    The caller has seen a fresh proof of the second factor, counted the try and refused a weak password. Raises
    SignInRefused when `former` is not the password.
    """
    kept = password_of(account.id)
    is_right = passwords.matches(kept.hash if kept else None, former)
    if kept is None or not is_right:
        raise SignInRefused
    changed = {"hash": passwords.hashed(new), "changed_at": db.now()}
    with as_system("auth.local"):
        session.execute(update(LocalPassword).where(LocalPassword.account_id == account.id).values(changed))
    audit.record("local_account.password_changed", object_kind="account", object_id=account.id)
    close_other_sessions(session_id)
    mails.password_changed(account)
