"""Telling patients about what is asked of them and what became of what they sent."""

from uuid import UUID

from auth.mandates import queries as mandates
from portal import jobs, notifications
from portal.notifications import Mail
from services.documents.deposits import mails
from services.documents.deposits.models import Deposit


@jobs.task("documents.tell_asked")
def tell_asked(deposit_id: str) -> None:
    """Tell whoever may act for the patient that a unit asks for something."""
    _tell(deposit_id, mails.asked())


@jobs.task("documents.tell_judged")
def tell_judged(deposit_id: str) -> None:
    """Tell them that an agent has accepted or refused it."""
    _tell(deposit_id, mails.judged())


def _tell(deposit_id: str, mail: Mail) -> None:
    with jobs.effect() as current:
        deposit = current.get(Deposit, UUID(deposit_id))
        if deposit is None or deposit.closed_at is not None:
            return
        for account in mandates.accounts_to_tell(deposit.patient_id, "medical", masked=deposit.masked):
            notifications.tell(
                mail,
                recipient=account.email,
                account_id=account.account_id,
                patient_id=deposit.patient_id,
                establishment_id=deposit.establishment_id,
                locale=account.locale,
            )
