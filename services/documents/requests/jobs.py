"""What happens later: applicants and offices are told, drafts that nobody sends are forgotten."""

from typing import Final
from uuid import UUID

from auth.mandates import queries as mandates
from auth.models import Account
from portal import establishments, jobs, notifications
from portal.db import session
from services.documents.requests import actions, mails, queries
from services.documents.requests.models import RecordRequest

TRAYS: Final = {"documents": "/admin/documents/demandes", "administration": "/admin/usagers/demandes"}


@jobs.task("documents.tell_applicant")
def tell_applicant(request_id: str, news: str) -> None:
    """Tell whoever asked while they may hear of it, else the person it is about."""
    with jobs.effect() as current:
        request = current.get(RecordRequest, UUID(request_id))
        if request is None:
            return
        if request.patient_id is None:
            account = current.get_one(Account, request.account_id)
            to = mandates.Address(account.email, account.locale, account.id)
        else:
            found = mandates.address_for(
                request.patient_id, request.scope, masked=request.masked, account_id=request.account_id
            )
            if found is None:
                return
            to = found
        notifications.tell(
            mails.of(request.id, news),
            recipient=to.email,
            account_id=to.account_id,
            patient_id=request.patient_id,
            establishment_id=request.establishment_id,
            locale=to.locale,
        )


@jobs.task("documents.tell_request_desk")
def tell_request_desk(request_id: str) -> None:
    """Tell the office's mailbox, when it has one."""
    with jobs.effect() as current:
        request = current.get(RecordRequest, UUID(request_id))
        if request is not None:
            path = f"{TRAYS[request.desk]}/{request.id}"
            notifications.tell(mails.to_desk(path), recipient=_mailbox(request.establishment_id))


@jobs.periodic("10 5 * * 1-5", "documents.tell_requests_due")
def tell_requests_due() -> None:
    """Each working morning, tell the offices what is late and what will be."""
    with jobs.reading():
        for place, desk, late, soon in queries.waiting_mailboxes():
            notifications.tell(mails.due(TRAYS[desk], late, soon), recipient=_mailbox(place))


@jobs.periodic("37 4 * * *", "documents.forget_request_drafts")
def forget_request_drafts() -> None:
    """Delete drafts that nobody touched for a month; their files are then nobody's."""
    with jobs.reading():
        actions.forget_drafts()
        session.flush()


def _mailbox(establishment_id: UUID) -> str:
    return establishments.setting(establishment_id, "requests.mailbox")
