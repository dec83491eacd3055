"""What a document may become. Each change leaves one row that nobody edits."""

from typing import Final

from portal.db import Actor
from services.documents.models import Document, DocumentChange

NEW: Final = ""

DOCUMENT: Final = {
    NEW: {"tray", "filed", "superseded"},
    "tray": {"filed", "superseded", "discarded", "withdrawn"},
    "filed": {"superseded", "tray", "withdrawn"},  # back to the tray: it was given to the wrong person
    "superseded": {"filed", "tray", "withdrawn"},  # filed again: the version that replaced it was taken back
    "discarded": {"tray", "withdrawn"},
    "withdrawn": set(),  # its sender took it back: another version comes under another identifier
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
