"""The life of a piece: allowed transitions as data, one immutable row per change."""

from collections.abc import Mapping
from uuid import uuid4

from portal import db
from portal.db import Actor
from services.pieces.models import Piece, PieceChange

_SENT = frozenset({"scanning", "deposited"})
_OVER = frozenset({"withdrawn", "purged"})

TRANSITIONS: Mapping[str, frozenset[str]] = {
    "awaited": _SENT | _OVER | {"waived", "accepted"},
    "scanning": _SENT | _OVER | {"infected", "awaited", "waived"},
    "deposited": _SENT | _OVER | {"infected", "awaited", "accepted", "refused", "waived"},
    "infected": _SENT | _OVER | {"awaited", "waived"},
    "accepted": _OVER | {"refused", "expired"},
    "refused": _SENT | _OVER | {"awaited", "accepted", "waived"},
    "waived": _SENT | _OVER,
    "expired": _SENT | _OVER | {"awaited", "accepted", "waived"},
    "withdrawn": frozenset(
        {"awaited", "scanning", "deposited", "infected", "accepted", "refused", "waived", "expired", "purged"}
    ),
    "purged": frozenset(),
}
"""A draft's pages may be replaced or taken away, and an agent may change their mind. `awaited` to `accepted`: pages
that this hospital has accepted already. `waived` to sent: the patient found the paper before the day. `withdrawn` goes
back to where it was when the piece is asked again."""

DEPOSITABLE = frozenset(state for state in TRANSITIONS if TRANSITIONS[state] >= _SENT and state != "withdrawn")
"""States in which pages may be added, turned or taken away."""

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
"""Why an agent refuses a piece; each has words for the patient in `wording`."""


class PieceTransitionRefused(Exception):
    """The piece is not in a state that allows this change."""

    def __init__(self, from_state: str, to_state: str) -> None:
        super().__init__(f"{from_state} to {to_state}")
        self.from_state, self.to_state = from_state, to_state


def change(piece: Piece, to_state: str, actor: Actor, reason: str = "", note: str = "") -> PieceChange:
    """Move the piece and return the row that says so. reason: a code. note: an agent's own words beside it.

    Raises PieceTransitionRefused.
    """
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
        note=note,
        digests=[page.file.sha256.hex() for page in piece.pages],
    )
    piece.state, piece.changed_at = to_state, row.at
    piece.refusal_reason, piece.note = (reason, note) if to_state == "refused" else ("", "")
    return row
