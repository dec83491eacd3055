"""What every action on a piece does: lock it, move it, write down who did what, count it."""

from portal import audit, db, kpi
from portal.db import session
from portal.files import FileNotReadable
from services.pieces import states
from services.pieces.models import Piece
from services.pieces.states import PieceTransitionRefused


def lock(piece: Piece) -> None:
    """Two agents, or an agent and the scanner's job, change one piece one after the other."""
    session.flush()
    session.refresh(piece, ["state"], with_for_update={"key_share": True})
    session.refresh(piece, ["pages"])


def lock_to_change_pages(piece: Piece) -> None:
    """Raises PieceTransitionRefused when its pages are settled."""
    lock(piece)
    require_changeable(piece)


def require_changeable(piece: Piece) -> None:
    """Raises PieceTransitionRefused when its pages are settled."""
    if piece.state not in states.DEPOSITABLE:
        raise PieceTransitionRefused(piece.state, "deposited")


def require_readable(piece: Piece) -> None:
    """Raises FileNotReadable while the antivirus has not accepted every page."""
    if not piece.is_readable:
        raise FileNotReadable(piece.id)


def move(piece: Piece, to_state: str, reason: str = "", note: str = "") -> None:
    """Raises PieceTransitionRefused."""
    session.add(states.change(piece, to_state, db.current_actor(), reason, note))
    session.flush()


def record(event: str, piece: Piece, **details: str) -> None:
    audit.record(
        event,
        patient_id=piece.patient_id,
        establishment_id=piece.establishment_id,
        object_kind="piece",
        object_id=piece.id,
        kind=piece.kind,
        **details,
    )


def count(event: str, piece: Piece) -> None:
    kpi.count(event, establishment_id=piece.establishment_id, dimension=piece.kind)
