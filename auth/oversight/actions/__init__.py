"""What those who watch over accesses do."""

from auth.oversight.actions.endings import UnknownAccount, end_sessions_of, end_sessions_of_all
from auth.oversight.actions.incidents import (
    AlreadyClosed,
    Report,
    StillOpen,
    add_step,
    close_incident,
    open_incident,
    revise,
)
from auth.oversight.actions.reviews import (
    OwnRights,
    ReviewClosed,
    ReviewUnderWay,
    close_review,
    decide,
    open_review,
)
from auth.oversight.actions.unusual import OwnAccess, ask_for_verification, judge, keep_findings

__all__ = [
    "AlreadyClosed", "OwnAccess", "OwnRights", "Report", "ReviewClosed", "ReviewUnderWay", "StillOpen",
    "UnknownAccount", "add_step", "ask_for_verification", "close_incident", "close_review", "decide",
    "end_sessions_of", "end_sessions_of_all", "judge", "keep_findings", "open_incident", "open_review", "revise",
]  # fmt: skip
