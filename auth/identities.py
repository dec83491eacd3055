"""Accounts and the identities that open them: keyed by (issuer, subject), never by e-mail."""

from uuid import uuid4

from sqlalchemy import func, select

from auth.models import Account, Identity
from auth.oidc import SignIn
from portal import audit, db, kpi
from portal.db import session


class IdentityConflict(Exception):
    """The provider gives to one person the number of somebody else we know; nobody is signed in on a guess."""


def known(sign_in: SignIn, *, as_staff: bool = False) -> Account | None:
    """The account that this identity opens. as_staff: a health professional at the staff's door."""
    # Two first sign-ins of one person at once (two tabs): the second waits here and finds what the first made.
    person = f"{sign_in.issuer} {sign_in.subject}"
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(person, 0))))
    identity = session.scalar(
        select(Identity).where(
            Identity.issuer == sign_in.issuer, Identity.subject == sign_in.subject, Identity.as_staff == as_staff
        )
    )
    if identity is None:
        return None
    identity.last_used_at, identity.acr, identity.amr = db.now(), sign_in.acr, " ".join(sign_in.amr)
    return session.get(Account, identity.account_id)


def open_account(sign_in: SignIn, audience: str, name: str, email: str, *, as_staff: bool = False) -> Account:
    """A new account for somebody whom no account knew."""
    account = Account(id=uuid4(), audience=audience, name=name, email=email)
    session.add(account)
    add(sign_in, account, as_staff=as_staff)
    session.flush()
    audit.record("account.created", object_kind="account", object_id=account.id)
    kpi.count("account_created", audience=audience, account_id=account.id)
    return account


def add(sign_in: SignIn, account: Account, *, as_staff: bool = False) -> None:
    """Let this identity open the account too."""
    session.add(
        Identity(
            id=uuid4(),
            issuer=sign_in.issuer,
            subject=sign_in.subject,
            account_id=account.id,
            as_staff=as_staff,
            acr=sign_in.acr,
            amr=" ".join(sign_in.amr),
            last_used_at=db.now(),
        )
    )
