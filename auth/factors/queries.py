"""The signed-in person's factors, and what is under way."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from auth.factors import sealing
from auth.factors.actions import SENT
from auth.factors.models import Factor, FactorChallenge
from portal import db
from portal.db import session


def factors(account_id: UUID) -> Sequence[Factor]:
    """The factors that an account may use, last used first."""
    mine = Factor.account_id == account_id, Factor.removed_at.is_(None)
    return session.scalars(select(Factor).where(*mine).order_by(Factor.last_used_at.desc(), Factor.id)).all()


def factor(account_id: UUID, factor_id: UUID) -> Factor | None:
    """One factor of an account; None for another account's, and for one that was removed."""
    found = session.get(Factor, factor_id)
    return found if found and found.account_id == account_id and found.removed_at is None else None


def open_code(session_id: UUID) -> FactorChallenge | None:
    """The code that was sent in this session and is still waited for."""
    mine = FactorChallenge.session_id == session_id, FactorChallenge.kind.in_(SENT), FactorChallenge.used_at.is_(None)
    return session.scalar(select(FactorChallenge).where(*mine, FactorChallenge.expires_at > db.now()))


def what_was_sent(challenge: FactorChallenge) -> dict[str, str]:
    """Where a code went and what it says; only a demonstration may show the latter."""
    return {key: str(value) for key, value in sealing.unseal("code", challenge.sealed).items()}
