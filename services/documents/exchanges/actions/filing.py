"""From a thread to a patient's documents."""

from sqlalchemy import select

from portal import audit
from portal.db import session
from portal.files import StoredFile
from services.documents.actions import Publication
from services.documents.actions.filing import check_known, give, written
from services.documents.exchanges.models import ExchangeFile
from services.documents.models import Document


class AlreadyFiled(Exception):
    """This file of an exchange is already in a patient's documents."""


def file_joined(joined: ExchangeFile, author: str, publication: Publication, reason: str) -> Document:
    """An agent files what a correspondent joined in a patient's documents. Raises PatientNotKnown, AlreadyFiled."""
    check_known(publication.patient_id, joined.establishment_id)
    stored = session.get_one(StoredFile, joined.file_id, with_for_update={"key_share": True})
    if session.scalar(select(Document.id).where(Document.joined_id == joined.id)):
        raise AlreadyFiled
    document = written(joined.establishment_id, stored, publication, channel="exchange")
    document.joined_id, document.author_name = joined.id, author
    give(document, publication.patient_id, reason)
    audit.record(
        "exchange.filed",
        patient_id=publication.patient_id,
        establishment_id=joined.establishment_id,
        object_kind="document",
        object_id=document.id,
        reason=reason,
    )
    return document
