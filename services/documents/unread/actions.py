"""Reminding once, and writing down that a letter left on paper."""

from collections.abc import Sequence
from uuid import UUID

from auth.mandates import queries as mandates
from portal import audit, db, kpi, notifications
from portal.db import session
from services.documents.models import Document
from services.documents.states import NotPossibleNow
from services.documents.unread import mails


def remind(patient_id: UUID, documents: Sequence[Document]) -> None:
    """One message for all that a person has not opened; of what is masked, the person alone hears."""
    for document in documents:
        document.reminded_at = db.now()
        _record("document.reminded", document)
    session.flush()
    places = {each.establishment_id for each in documents}
    place = places.pop() if len(places) == 1 else None
    for account in mandates.accounts_to_tell(patient_id, "medical", masked=all(each.masked for each in documents)):
        notifications.tell(
            mails.reminder(),
            recipient=account.email,
            account_id=account.account_id,
            patient_id=patient_id,
            establishment_id=place,
            locale=account.locale,
        )


def mark_posted(document: Document) -> None:
    """An agent sent it by post: it leaves the list, and no one sends it again. Raises NotPossibleNow."""
    session.refresh(document, with_for_update={"of": Document, "key_share": True})
    if document.state != "filed" or document.posted_at is not None:
        raise NotPossibleNow(document.state)
    document.posted_at, document.posted_by = db.now(), db.current_actor().name
    session.flush()
    _record("document.posted", document)
    kpi.count("document_posted", establishment_id=document.establishment_id, dimension=document.kind)


def list_for_post(documents: Sequence[Document]) -> None:
    """An agent takes the list of letters to send away, as a file."""
    for document in documents:
        _record("document.listed_for_post", document)


def _record(event: str, document: Document) -> None:
    audit.record(
        event,
        patient_id=document.patient_id,
        establishment_id=document.establishment_id,
        object_kind="document",
        object_id=document.id,
    )
