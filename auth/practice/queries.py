"""What practitioners read of themselves: their sites, and the delegations they gave or received."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, or_, select

from auth.models import Delegation, Professional, WebSession
from auth.practice import activities
from auth.practice.activities import Described
from auth.practice.models import DelegationCode
from portal import calendar, db
from portal.db import session
from portal.establishments import goes_on

_PARIS = ZoneInfo("Europe/Paris")


def today() -> date:
    """The day on which delegations end, as the session's own function counts it."""
    return calendar.civil_day(db.now(), _PARIS)


def me() -> Professional:
    """The practitioner of the signed-in account, whomever they act for. Raises NoResultFound."""
    return session.scalars(select(Professional).where(Professional.account_id == db.current_actor().account_id)).one()


def sites_of(account_id: UUID) -> list[Described]:
    """Where this account's practitioner exercises, as Pro Santé Connect said at the last sign-in."""
    found = session.scalar(select(Professional.activities).where(Professional.account_id == account_id))
    return activities.distinct(found or [])


def live() -> ColumnElement[bool]:
    """Delegations in force today."""
    return and_(Delegation.revoked_at.is_(None), goes_on(Delegation.ends_on, today()))


def given_by(professional_id: UUID) -> Sequence[Delegation]:
    """Who may act for this practitioner now, the latest first."""
    return _listed(live(), Delegation.professional_id == professional_id)


def received_by(professional_id: UUID) -> Sequence[Delegation]:
    """For whom this person may act now, by name."""
    return sorted(_listed(live(), Delegation.delegate_id == professional_id), key=lambda each: each.professional_name)


def past_of(professional_id: UUID) -> Sequence[Delegation]:
    """Delegations given or received that are over, the latest first."""
    concerned = or_(Delegation.professional_id == professional_id, Delegation.delegate_id == professional_id)
    return _listed(~live(), concerned)[:20]


def news_for(professional_id: UUID) -> Sequence[Delegation]:
    """Delegations whose last change this person has not seen."""
    unseen = or_(
        and_(Delegation.delegate_id == professional_id, Delegation.delegate_seen_at.is_(None)),
        and_(Delegation.professional_id == professional_id, Delegation.professional_seen_at.is_(None)),
    )
    return _listed(unseen)


def concerned(professional_id: UUID, delegation_id: UUID) -> Delegation | None:
    """A delegation this person gave or received."""
    mine = or_(Delegation.professional_id == professional_id, Delegation.delegate_id == professional_id)
    return session.scalar(select(Delegation).where(Delegation.id == delegation_id, mine))


def code_until(professional_id: UUID) -> DelegationCode | None:
    """The last code of this person that may still be used."""
    return session.scalar(
        select(DelegationCode)
        .where(
            DelegationCode.professional_id == professional_id,
            DelegationCode.used_at.is_(None),
            DelegationCode.expires_at > db.now(),
        )
        .order_by(DelegationCode.created_at.desc())
        .limit(1)
    )


def acted_for(session_id: UUID) -> UUID | None:
    """In whose stead this session was to act, whether or not they still allow it."""
    return session.scalar(select(WebSession.on_behalf_of).where(WebSession.id == session_id))


def name_acted_for(professional_id: UUID) -> str:
    """The practitioner's name, as they gave it to whoever acts in their stead."""
    return (
        session.scalar(
            select(Delegation.professional_name)
            .where(Delegation.professional_id == professional_id)
            .order_by(Delegation.created_at.desc())
            .limit(1)
        )
        or ""
    )


def _listed(*conditions: ColumnElement[bool]) -> Sequence[Delegation]:
    return session.scalars(select(Delegation).where(*conditions).order_by(Delegation.created_at.desc())).all()
