"""All that changes boxes and their mails: one function per intention, which checks, writes, audits and counts."""

from services.documents.mailboxes.actions.boxes import (
    KINDS,
    BoxDraft,
    BoxTaken,
    HolderMissing,
    NotABoxAddress,
    UnknownUnit,
    add_box,
    change_box,
    close_box,
    note_trial,
    set_operator,
)
from services.documents.mailboxes.actions.receiving import ask_reading, discard
from services.documents.mailboxes.actions.sending import send_again, send_elsewhere, send_on_paper

__all__ = [
    "KINDS",
    "BoxDraft",
    "BoxTaken",
    "HolderMissing",
    "NotABoxAddress",
    "UnknownUnit",
    "add_box",
    "ask_reading",
    "change_box",
    "close_box",
    "discard",
    "note_trial",
    "send_again",
    "send_elsewhere",
    "send_on_paper",
    "set_operator",
]
