"""Accounts without an identity provider, the last resort: a one-time link, then a passkey, or a password and the code
of an application. A password alone opens nothing."""

import hashlib
import secrets
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from auth import actions as auth_actions
from auth.factors import actions as factor_actions
from auth.factors import codes
from auth.factors.actions import Added, WrongCode
from auth.factors.models import Factor
from auth.factors.passkeys import Registered, Site
from auth.local import passwords
from auth.local.models import LocalInvitation, LocalPassword
from auth.models import Account, WebSession
from auth.oidc import SignIn
from portal import audit, db
from portal.db import session

PROVIDER = "local"
PRINTED_LIFE = timedelta(minutes=15)
"""A link printed at the desk, for the person who stands there."""
MAILED_LIFE = timedelta(hours=24)
PATH = "/connexion/premiere-fois/"
PASSKEY = ("hwk", "user", "mfa")
PASSWORD_AND_CODE = ("pwd", "otp", "mfa")
"""Authentication methods (RFC 8176) that a local session has proven."""


class LinkRefused(Exception):
    """The link is unknown, was used, or is too old; or the account is closed."""


class SignInRefused(WrongCode):
    """Something did not match; nobody is told what."""


def invite(account_id: UUID, *, printed: bool = False) -> str:
    """Make the one-time link with which this account sets up how it signs in; return its token, never kept.

    The actor holds the right `identity` or `administration` somewhere, or is a system job; the caller checks that the
    account is theirs to invite. `path(token)` is the page to print or to mail. The link lives 15 minutes printed, 24
    hours mailed, and an account may have several: the first one used makes the others useless. What the account had
    set up before ends when the link is used, so it also serves whoever lost everything.
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


def is_local(account_id: UUID) -> bool:
    """Whether an account signs in without a provider: a passkey that somebody added to FranceConnect does not replace
    FranceConnect. As the system."""
    used = LocalInvitation.account_id == account_id, LocalInvitation.used_at.is_not(None)
    return session.scalar(select(LocalInvitation.id).where(*used).limit(1)) is not None


# -- setting up, as the system: nobody is signed in yet -----------------------------------------------------------


def invited(token: str) -> Account:
    """Whose link this is. Raises LinkRefused."""
    mine = LocalInvitation.digest == digest(token), LocalInvitation.used_at.is_(None)
    account = session.scalar(
        select(Account)
        .join(LocalInvitation, LocalInvitation.account_id == Account.id)
        .where(*mine, LocalInvitation.expires_at > db.now(), Account.closed_at.is_(None))
    )
    if account is None:
        raise LinkRefused
    return account


def set_up_passkey(token: str, label: str, registered: Registered, challenge: bytes) -> Added:
    """The account signs in with this passkey from now on. Raises LinkRefused, PasskeyRefused, FactorKnown."""
    account = _begin_anew(token)
    return factor_actions.add_passkey(account, label, registered, challenge)


def set_up_password(token: str, password: str, label: str, secret: str, code: str) -> Added:
    """The account signs in with this password and the codes of this application. Raises LinkRefused, WrongCode."""
    account = _begin_anew(token)
    now = db.now()
    row = upsert(LocalPassword).values(
        account_id=account.id, login=login_of(account), hash=passwords.hashed(password), created_at=now, changed_at=now
    )
    changed = {"hash": row.excluded.hash, "changed_at": now}
    session.execute(row.on_conflict_do_update(index_elements=["account_id"], set_=changed))
    return factor_actions.add_totp(account, label, secret, code)


def login_of(account: Account) -> str:
    """The name that goes with the password: the one it has, an agent's mail address, or letters drawn from its id."""
    kept = session.get(LocalPassword, account.id)
    if kept is not None:
        return kept.login
    address = account.email.strip().lower()
    if account.audience != "patient" and address and not _is_taken(address):
        return address
    number = int.from_bytes(hashlib.sha256(b"login" + account.id.bytes).digest()[:8])
    return codes.spelled(number)


def _is_taken(login: str) -> bool:
    return session.scalar(select(LocalPassword.account_id).where(LocalPassword.login == login)) is not None


def _begin_anew(token: str) -> Account:
    """Spend the link and every other one of the account, and end what it had set up before."""
    account = invited(token)
    session.execute(
        update(LocalInvitation)
        .where(LocalInvitation.account_id == account.id, LocalInvitation.used_at.is_(None))
        .values(used_at=db.now())
    )
    factor_actions.remove_all(account.id)
    audit.record("local_account.opened", object_kind="account", object_id=account.id)
    return account


# -- signing in, as the system ------------------------------------------------------------------------------------


def sign_in_by_passkey(site: Site, answer: str, challenge: bytes, audience: str) -> tuple[Account, str]:
    """The account whose passkey this is, and its cookie's token.

    Raises SignInRefused, PasskeyRefused, PasskeyCopied.
    """
    factor = factor_actions.sign_in_by_passkey(site, answer, challenge)
    account = session.get_one(Account, factor.account_id)
    return account, _open_session(account, audience, PASSKEY)


def sign_in_by_password(login: str, password: str, code: str, audience: str) -> tuple[Account, str]:
    """The account whose name, password and code (of its application, or of its recovery sheet) these are, and its
    cookie's token. Raises SignInRefused."""
    kept = session.scalar(select(LocalPassword).where(LocalPassword.login == one_spelling(login)))
    is_right = passwords.matches(kept.hash if kept else None, password)
    if kept is None or not is_right:
        raise SignInRefused
    account = session.get_one(Account, kept.account_id)
    _check_code(account, code)
    return account, _open_session(account, audience, PASSWORD_AND_CODE)


def open_first_session(account_id: UUID, proven: tuple[str, ...]) -> str:
    """Whoever has just set up is signed in; returns the cookie's token. Raises SignInRefused."""
    account = session.get_one(Account, account_id)
    return _open_session(account, account.audience, proven)


def end_former_sessions(account_id: UUID, session_token: str) -> None:
    """Whoever had taken what was set up before is out at once; only the session that was just opened goes on."""
    former = WebSession.account_id == account_id, WebSession.ended_at.is_(None)
    others = update(WebSession).where(*former, WebSession.digest != digest(session_token))
    session.execute(others.values(ended_at=db.now(), id_token=""))


def _check_code(account: Account, code: str) -> None:
    """Tried on each application, since nobody said which; a code that is not six digits is one of the sheet."""
    if len(codes.digits_of(code)) != 6 or len(codes.letters_of(code)) > 6:
        try:
            return factor_actions.prove_by_sheet(account, code)
        except WrongCode as error:
            raise SignInRefused from error
    mine = Factor.account_id == account.id, Factor.kind == "totp", Factor.removed_at.is_(None)
    for factor in session.scalars(select(Factor).where(*mine).with_for_update(key_share=True)):
        if factor_actions.accepts(factor, code):
            return None
    raise SignInRefused


def _open_session(account: Account, audience: str, proven: tuple[str, ...]) -> str:
    if account.audience != audience or account.closed_at is not None or not is_local(account.id):
        raise SignInRefused
    vouched = SignIn(PROVIDER, str(account.id), "", proven, None, {}, "", "")
    return auth_actions.open_session(account, PROVIDER, vouched)


def one_spelling(login: str) -> str:
    """The identifier as it is kept, however it was typed: what is tried under one name is counted under it."""
    typed = login.strip()
    return typed.lower() if "@" in typed else codes.with_dashes(codes.letters_of(typed))
