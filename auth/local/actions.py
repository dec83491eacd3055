"""Accounts without an identity provider, the last resort: a one-time link, then a passkey, or a password and the code
of an application. A password alone opens nothing."""

import hashlib
import secrets
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import insert

from auth.local.models import LocalInvitation
from portal import audit, db
from portal.db import session

PRINTED_LIFE = timedelta(minutes=15)
"""A link printed at the desk, for the person who stands there."""
MAILED_LIFE = timedelta(hours=24)
PATH = "/connexion/premiere-fois/"


def invite(account_id: UUID, *, printed: bool = False) -> str:
    """Make the one-time link with which this account sets up how it signs in; return its token, never kept.

    The actor holds the right `identity` or `administration` somewhere, or is a system job; the caller checks that the
    account is theirs to invite. `path(token)` is the page to print or to mail. The link lives 15 minutes printed, 24
    hours mailed, and an account may have several: the first one used makes the others useless.
    """
    token = secrets.token_urlsafe(24)
    life = PRINTED_LIFE if printed else MAILED_LIFE
    row = {"id": uuid4(), "digest": digest(token), "account_id": account_id, "created_at": db.now()}
    session.execute(insert(LocalInvitation).inline().values(**row, expires_at=db.now() + life))
    audit.record("local_account.invited", object_kind="account", object_id=account_id, printed=int(printed))
    return token


def path(token: str) -> str:
    """The page that the token opens, without the portal's address."""
    return PATH + token


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
