"""Documents by the numbers of those who sent them: two systems of a hospital may give the same number to two."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from portal.db import session
from services.documents.his.models import HisDocument
from services.documents.models import Document


def custodian(sender: str) -> str:
    """Who keeps a file that came without envelope: the system that sent it."""
    return f"his:{sender}"[:128]


def remember(establishment_id: UUID, sender: str, number: str, document: Document, said_at: datetime) -> None:
    """Note the number under which a document came; again is the same."""
    row = {
        "id": uuid4(), "establishment_id": establishment_id, "sender": sender, "number": number,
        "document_id": document.id, "said_at": said_at,
    }  # fmt: skip
    session.execute(insert(HisDocument).values(row).on_conflict_do_nothing().inline())


def every(establishment_id: UUID, sender: str, number: str) -> Sequence[Document]:
    """All that this sender sent under this number, the latest first."""
    return session.scalars(
        select(Document)
        .join(HisDocument, HisDocument.document_id == Document.id)
        .where(
            HisDocument.establishment_id == establishment_id,
            HisDocument.sender == sender,
            HisDocument.number == number,
        )
        .order_by(HisDocument.said_at.desc(), Document.version.desc(), Document.received_at.desc())
    ).all()


def find(establishment_id: UUID, sender: str, number: str) -> Document | None:
    """The latest of them."""
    return next(iter(every(establishment_id, sender, number)), None)


def is_anothers(establishment_id: UUID, number: str) -> bool:
    """Whether somebody at this hospital sent something under this number."""
    here = (HisDocument.establishment_id == establishment_id, HisDocument.number == number)
    return session.scalar(select(HisDocument.id).where(*here).limit(1)) is not None
