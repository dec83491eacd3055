"""Everything that changes a request for an appointment, by intention."""

from services.appointments.requests.actions.facts import (
    AlreadyAsked,
    ChangedMeanwhile,
    LetterNeeded,
    NotThere,
    ProposalGone,
    RequestOver,
    TooManyProposals,
    TooSoon,
)
from services.appointments.requests.actions.forgetting import forget_words
from services.appointments.requests.actions.handling import (
    ask_more,
    book,
    leave,
    open_letter,
    open_request,
    open_tray,
    refuse,
    take,
    transfer,
)
from services.appointments.requests.actions.proposing import (
    ANSWER_DAYS,
    MOST,
    accept,
    decline,
    expire,
    propose,
    take_back,
)
from services.appointments.requests.actions.sending import SILENT_AFTER, Asked, answer, close_silent, send, withdraw

__all__ = [
    "ANSWER_DAYS",
    "MOST",
    "SILENT_AFTER",
    "AlreadyAsked",
    "Asked",
    "ChangedMeanwhile",
    "LetterNeeded",
    "NotThere",
    "ProposalGone",
    "RequestOver",
    "TooManyProposals",
    "TooSoon",
    "accept",
    "answer",
    "ask_more",
    "book",
    "close_silent",
    "decline",
    "expire",
    "forget_words",
    "leave",
    "open_letter",
    "open_request",
    "open_tray",
    "propose",
    "refuse",
    "send",
    "take",
    "take_back",
    "transfer",
    "withdraw",
]
