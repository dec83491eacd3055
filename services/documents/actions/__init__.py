"""All that changes a document: one function per intention, which checks, writes, audits and counts."""

from services.documents.actions.filing import (
    PatientNotKnown,
    Publication,
    assign,
    change_visibility,
    discard,
    hand_over,
    open_document,
    publish,
    take_back,
    withdraw,
)
from services.documents.actions.intake import Came, Kept, Outcome, quarantine, receive
from services.documents.models import RIGHT

__all__ = [
    "RIGHT",
    "Came",
    "Kept",
    "Outcome",
    "PatientNotKnown",
    "Publication",
    "assign",
    "change_visibility",
    "discard",
    "hand_over",
    "open_document",
    "publish",
    "quarantine",
    "receive",
    "take_back",
    "withdraw",
]
