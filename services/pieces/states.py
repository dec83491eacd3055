"""The life of a piece: allowed transitions as data, one immutable row per change."""

from collections.abc import Mapping
from uuid import uuid4

from portal import db
from portal.db import Actor
from services.pieces.models import Piece, PieceChange

_SENT = frozenset({"scanning", "deposited"})

TRANSITIONS: Mapping[str, frozenset[str]] = {
    "awaited": _SENT | {"waived"},
    "scanning": _SENT | {"infected"},
    "deposited": _SENT | {"accepted", "refused", "waived"},
    "infected": _SENT | {"waived"},
    "accepted": frozenset({"refused"}),
    "refused": _SENT | {"accepted", "waived"},
    "waived": frozenset(),
}
"""A draft's file may be replaced, and an agent may change their mind; a waived piece is seen on the day."""

REFUSAL_REASONS = (
    "unreadable",
    "side_missing",
    "out_of_date",
    "other_person",
    "wrong_document",
    "rights_not_current",
    "name_differs",
    "file_locked",
    "duplicate",
)
"""Why an agent refuses a piece; each has words for the patient in `forms`."""


class PieceTransitionRefused(Exception):
    """The piece is not in a state that allows this change."""

    def __init__(self, from_state: str, to_state: str) -> None:
        super().__init__(f"{from_state} to {to_state}")
        self.from_state, self.to_state = from_state, to_state


def change(piece: Piece, to_state: str, actor: Actor, reason: str = "") -> PieceChange:
    """Move the piece and return the row that says so. Raises PieceTransitionRefused."""
    if to_state not in TRANSITIONS[piece.state]:
        raise PieceTransitionRefused(piece.state, to_state)
    row = PieceChange(
        id=uuid4(),
        piece_id=piece.id,
        patient_id=piece.patient_id,
        at=db.now(),
        actor=actor.label,
        actor_name=actor.name,
        from_state=piece.state,
        to_state=to_state,
        reason=reason,
        file_id=piece.file_id,
    )
    piece.state, piece.changed_at = to_state, row.at
    piece.refusal_reason = reason if to_state == "refused" else ""
    return row
