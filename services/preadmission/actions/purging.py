"""The end of what a file held: answers deleted, pieces erased, and whatever other parts of the room keep of it."""

from collections.abc import Callable
from uuid import UUID

from sqlalchemy import delete

from portal.db import session
from services.pieces import actions as piece_actions
from services.pieces import queries as piece_queries
from services.preadmission.actions import traces
from services.preadmission.models import Preadmission, StepAnswers

Forget = Callable[[UUID], object]
_also: list[Forget] = []


def forget_too(forget: Forget) -> None:
    """Ask this, given a file, when it is purged: it deletes what it keeps of it. Twice, it does nothing more."""
    if forget not in _also:
        _also.append(forget)


def purge(preadmission: Preadmission, reason: str) -> None:
    """Delete what the file held; its number, its days and its changes stay. As the system. reason: a retention rule.

    Raises TransitionRefused.
    """
    traces.lock(preadmission)
    traces.move(preadmission, "purged", reason)
    for piece in piece_queries.of_folder(preadmission.id, withdrawn=True):
        if piece.state != "purged":
            piece_actions.purge(piece, reason)
    session.execute(delete(StepAnswers).where(StepAnswers.preadmission_id == preadmission.id))
    preadmission.nir_digest = None
    preadmission.decision_reason = preadmission.agent_name = ""
    for forget in _also:
        forget(preadmission.id)
    session.flush()
