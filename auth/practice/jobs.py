"""What follows a change of a delegation: both people are told."""

from uuid import UUID

from sqlalchemy import select

from auth.models import Account, Delegation, Professional
from auth.practice import mails
from portal import jobs, notifications


@jobs.task("practice.tell")
def tell(delegation_id: str) -> None:
    """Write to both, when their accounts have an address; their own pages tell them anyway."""
    with jobs.effect() as current:
        delegation = current.get_one(Delegation, UUID(delegation_id))
        both = (delegation.professional_id, delegation.delegate_id)
        query = select(Account).join(Professional, Professional.account_id == Account.id)
        for account in current.scalars(query.where(Professional.id.in_(both), Account.closed_at.is_(None))):
            notifications.tell(mails.CHANGED, recipient=account.email, account_id=account.id, locale=account.locale)
