"""Telling the patient, and those who act for them in medical matters; telling a professional of the circle."""

from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import case, select

from auth.mandates import queries as mandates
from auth.models import Account, Professional
from portal import notifications
from portal.db import session
from portal.notifications import Mail
from services.circle.models import CircleMember

ZONE: Final = ZoneInfo("Europe/Paris")
"""A circle belongs to no hospital: its days are those of the group."""
SCOPE: Final = "medical"
"""The matter of a mandate that reaches the circle."""


def tell_patient(patient_id: UUID, mail: Mail) -> None:
    for to in mandates.accounts_to_tell(patient_id, SCOPE):
        notifications.tell(mail, recipient=to.email, account_id=to.account_id, patient_id=patient_id, locale=to.locale)


def tell_professional(member: CircleMember, mail: Mail) -> None:
    """As the system; nobody is told when the professional never signed in here."""
    identity = case((Professional.rpps != "", "8" + Professional.rpps), else_=Professional.subject_name_id)
    found = select(Account).join(Professional, Professional.account_id == Account.id)
    account = session.scalar(found.where(identity == member.identity, Account.closed_at.is_(None)).limit(1))
    if account is not None:
        notifications.tell(mail, recipient=account.email, account_id=account.id, locale=account.locale)
