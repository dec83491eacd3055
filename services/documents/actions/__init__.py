"""All that changes a document or an exchange: one function per intention, which checks, writes, audits and counts."""

from services.documents.actions.exchanges import (
    Draft,
    EmptyMessage,
    answer,
    hand_over_message,
    open_exchange,
    send_to_professional,
    send_to_unit,
)
from services.documents.actions.filing import (
    AlreadyFiled,
    PatientNotKnown,
    Publication,
    assign,
    discard,
    file_message,
    hand_over,
    open_document,
    publish,
    take_back,
)
from services.documents.actions.intake import Came, Kept, Outcome, quarantine, receive
from services.documents.models import RIGHT

__all__ = [
    "RIGHT",
    "AlreadyFiled",
    "Came",
    "Draft",
    "EmptyMessage",
    "Kept",
    "Outcome",
    "PatientNotKnown",
    "Publication",
    "answer",
    "assign",
    "discard",
    "file_message",
    "hand_over",
    "hand_over_message",
    "open_document",
    "open_exchange",
    "publish",
    "quarantine",
    "receive",
    "send_to_professional",
    "send_to_unit",
    "take_back",
]
