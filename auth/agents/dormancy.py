"""Agents who no longer sign in: shown after ninety days, told, then closed after the hospital's own delay.

The setting `dormant_agents_days` of a hospital says after how many days without a sign-in an agent's access ends
(180 unless it says otherwise; 0: never). The last administrator of a hospital stays.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from auth.agents import administrators, mails
from auth.agents.actions import departures
from auth.agents.models import DormancyNotice
from auth.models import Account, Identity, StaffRight
from portal import db, establishments, notifications
from portal.db import session
from portal.establishments import Establishment

SHOWN_AFTER = timedelta(days=90)
CLOSED_AFTER_DAYS = 180
NOTICE = timedelta(days=14)
SETTING = "dormant_agents_days"

_LAST_USE = func.coalesce(
    select(func.max(Identity.last_used_at)).where(Identity.account_id == Account.id).scalar_subquery(),
    Account.created_at,
)


def is_dormant(last_use: datetime, now: datetime) -> bool:
    """Whether somebody who last signed in (or was invited) then should be looked at."""
    return last_use < now - SHOWN_AFTER


def sweep() -> None:
    """Tell the dormant agents of each hospital, and end the access of those who were told long enough ago."""
    for hospital in establishments.establishments():
        if delay := _delay(hospital.id):
            for agent, last_use in _quiet_since(hospital.id, db.now() - delay + NOTICE):
                _tell_or_end(agent, last_use, hospital, delay)


def _delay(establishment_id: UUID) -> timedelta | None:
    days = establishments.setting(establishment_id, SETTING, str(CLOSED_AFTER_DAYS))
    # Never before one has been told: a short delay is counted from the notice.
    return timedelta(days=int(days)) if days.isdecimal() and int(days) else None


def _quiet_since(establishment_id: UUID, moment: datetime) -> list[tuple[Account, datetime]]:
    holds = select(StaffRight.account_id).where(StaffRight.establishment_id == establishment_id)
    query = select(Account, _LAST_USE).where(Account.id.in_(holds), Account.closed_at.is_(None), moment > _LAST_USE)
    found = session.execute(query.order_by(Account.id))
    return [(agent, last_use or agent.created_at) for agent, last_use in found]


def _tell_or_end(agent: Account, last_use: datetime, hospital: Establishment, delay: timedelta) -> None:
    notice = session.get(DormancyNotice, agent.id)
    if notice is None or notice.told_at < last_use:
        _tell(agent, hospital)
    elif notice.told_at <= db.now() - NOTICE and last_use <= db.now() - delay and not _is_last(agent.id, hospital.id):
        departures.end(agent, hospital.id, "agent.dormant")


def _tell(agent: Account, hospital: Establishment) -> None:
    row = insert(DormancyNotice).values(account_id=agent.id, told_at=db.now())
    session.execute(row.on_conflict_do_update(index_elements=["account_id"], set_={"told_at": db.now()}))
    mail = mails.dormant(hospital.name, NOTICE.days)
    notifications.tell(mail, recipient=agent.email, account_id=agent.id, locale=agent.locale)


def _is_last(account_id: UUID, establishment_id: UUID) -> bool:
    query = select(StaffRight.account_id).where(
        StaffRight.establishment_id == establishment_id, StaffRight.right == administrators.ADMINISTRATION
    )
    return set(session.scalars(query)) == {account_id}
