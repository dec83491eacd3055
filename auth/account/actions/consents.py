"""Agreeing to a version of a text, and taking it back."""

from uuid import UUID, uuid4

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from auth.account.models import Consent
from auth.account.texts import Text
from portal import audit, db
from portal.db import session


class UnknownConsent(Exception):
    """The actor gave no such consent, or took it back already."""


def accept(text: Text, locale: str, **evidence: str) -> None:
    """The actor agrees to this version, as shown in this language. Agreed to already, nothing changes."""
    account_id = db.current_actor().account_id
    row = insert(Consent).values(
        id=uuid4(),
        account_id=account_id,
        kind=text.kind,
        version=text.version,
        text_digest=text.digest(locale),
        locale=locale,
        channel="web",
        evidence=evidence,
        given_at=db.now(),
    )
    if session.execute(row.on_conflict_do_nothing().returning(Consent.id)).one_or_none():
        audit.record("consent.given", object_kind="account", object_id=account_id, kind=text.kind, version=text.version)


def withdraw_consent(consent_id: UUID) -> Consent:
    """The actor takes a consent back; what was done meanwhile stays lawful. Raises UnknownConsent."""
    account_id = db.current_actor().account_id
    mine = Consent.id == consent_id, Consent.account_id == account_id, Consent.withdrawn_at.is_(None)
    consent = session.scalar(select(Consent).where(*mine))
    if consent is None:
        raise UnknownConsent
    session.execute(update(Consent).where(*mine).values(withdrawn_at=db.now()))
    audit.record(
        "consent.withdrawn", object_kind="account", object_id=account_id, kind=consent.kind, version=consent.version
    )
    return consent
