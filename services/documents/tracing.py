"""Who opened a letter while it was on the wrong shelf, as the audit says. Only the system may ask."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select

from auth.models import Account
from portal.audit import AuditEvent
from portal.db import session
from services.documents.models import DocumentReading, Misfiling

_OPENINGS: Final = ("document.opened", "document.downloaded")
_MOST: Final = 200


@dataclass(frozen=True)
class Opening:
    """One time that somebody opened it. kind: of actor. how: an action of the audit."""

    at: datetime
    who: str
    kind: str
    how: str

    @property
    def facts(self) -> dict[str, str]:
        """As it is kept."""
        return {"at": self.at.isoformat(), "who": self.who, "kind": self.kind, "how": self.how}


def openings(misfiling: Misfiling) -> Sequence[Opening]:
    """From the moment when it was given to the one when it was taken back, the first one first."""
    rows = session.scalars(
        select(AuditEvent)
        .where(
            AuditEvent.object_id == misfiling.document_id,
            AuditEvent.patient_id == misfiling.patient_id,
            AuditEvent.action.in_(_OPENINGS),
            AuditEvent.at.between(misfiling.given_at, misfiling.taken_back_at),
        )
        .order_by(AuditEvent.id)
        .limit(_MOST)
    )
    return [Opening(row.at, row.actor_name, row.actor.partition(":")[0], row.action) for row in rows]


def readers(misfiling: Misfiling) -> Sequence[Account]:
    """The accounts, of the patient or of those who act for them, that opened it."""
    return session.scalars(
        select(Account)
        .join(DocumentReading, DocumentReading.account_id == Account.id)
        .where(
            DocumentReading.document_id == misfiling.document_id,
            DocumentReading.patient_id == misfiling.patient_id,
        )
        .order_by(Account.id)
    ).all()
