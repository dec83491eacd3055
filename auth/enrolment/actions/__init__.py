"""All that changes a link: made on a proof, asked for, decided by an agent, undone."""

from auth.enrolment.actions.asking import TooManyTries, ask, count_try, prove
from auth.enrolment.actions.codes import CODE_LIFE, make_code
from auth.enrolment.actions.deciding import link_as_agent, refuse_request
from auth.enrolment.actions.linking import (
    AlreadyLinked,
    AlreadyUndone,
    NumberHeld,
    UnknownNumber,
    link,
    push_link,
    undo_link,
)
from auth.enrolment.actions.receiving import Merged, merge_patients

__all__ = [
    "CODE_LIFE",
    "AlreadyLinked",
    "AlreadyUndone",
    "Merged",
    "NumberHeld",
    "TooManyTries",
    "UnknownNumber",
    "ask",
    "count_try",
    "link",
    "link_as_agent",
    "make_code",
    "merge_patients",
    "prove",
    "push_link",
    "refuse_request",
    "undo_link",
]
