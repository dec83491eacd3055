"""What a document and an exchange may become. Each change leaves one row that nobody edits."""

from typing import Final

from portal import db
from portal.db import Actor
from services.documents.models import Document, DocumentChange, Exchange, ExchangeChange

NEW: Final = ""

DOCUMENT: Final = {
    NEW: {"tray", "filed", "superseded"},
    "tray": {"filed", "superseded", "discarded"},
    "filed": {"superseded", "tray"},  # back to the tray: it was given to the wrong person
    "superseded": {"filed", "tray"},  # filed again: the version that replaced it was taken back
    "discarded": {"tray"},
}

# received: the unit has something to open; delivered: the practitioner has.
EXCHANGE: Final = {
    NEW: {"received", "delivered"},
    "received": {"opened", "received", "delivered"},
    "opened": {"received", "delivered"},
    "delivered": {"read", "received", "delivered"},
    "read": {"received", "delivered"},
}


class NotPossibleNow(Exception):
    """The object's state does not allow it, mostly because somebody did it first. The argument is that state."""


def move_document(document: Document, to: str, by: Actor, reason: str = "") -> DocumentChange:
    """Change the state of a document and return the row that says so. Raises NotPossibleNow."""
    before = document.state or NEW
    if to not in DOCUMENT[before]:
        raise NotPossibleNow(before)
    document.state = to
    return DocumentChange(
        document_id=document.id,
        establishment_id=document.establishment_id,
        from_state=before,
        to_state=to,
        reason=reason,
        actor=by.label,
        actor_name=by.name,
    )


def move_exchange(exchange: Exchange, to: str, by: Actor) -> ExchangeChange:
    """Change the state of an exchange and return the row that says so. Raises NotPossibleNow."""
    before = exchange.state or NEW
    if to not in EXCHANGE[before]:
        raise NotPossibleNow(before)
    exchange.state, exchange.changed_at = to, db.now()
    return ExchangeChange(
        exchange_id=exchange.id,
        establishment_id=exchange.establishment_id,
        professional_id=exchange.professional_id,
        from_state=before,
        to_state=to,
        actor=by.label,
        actor_name=by.name,
        at=exchange.changed_at,
    )
