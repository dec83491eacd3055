"""What the hospital decides about a piece, and what the clock and the retention rules do to it."""

from datetime import date

from portal import kpi
from services.pieces.actions.depositing import take_away
from services.pieces.actions.traces import count, lock, move, record, require_readable
from services.pieces.models import Piece


def accept(piece: Piece, expires_on: date | None = None) -> None:
    """The agent has seen it and it is good. expires_on: the day read on the document, when the patient's is wrong.

    Raises FileNotReadable, PieceTransitionRefused.
    """
    lock(piece)
    require_readable(piece)
    if expires_on is not None:
        piece.expires_on = expires_on
    move(piece, "accepted")
    record("piece.accepted", piece)
    count("piece_accepted", piece)


def refuse(piece: Piece, reason: str, note: str = "") -> None:
    """The agent asks for another one. reason: one of `states.REFUSAL_REASONS`. note: words to the patient beside it.

    Raises PieceTransitionRefused.
    """
    lock(piece)
    move(piece, "refused", reason, note)
    record("piece.refused", piece, reason=reason)
    count("piece_refused", piece)
    kpi.count("piece_refused_because", establishment_id=piece.establishment_id, dimension=reason)


def waive(piece: Piece) -> None:
    """The paper will be seen on the day of the stay instead. Raises PieceTransitionRefused."""
    lock(piece)
    move(piece, "waived")
    record("piece.waived", piece)


def expire(piece: Piece) -> None:
    """Its last day is over: it is not reused, and is asked again when needed. Raises PieceTransitionRefused."""
    lock(piece)
    move(piece, "expired")
    record("piece.expired", piece)


def purge(piece: Piece, reason: str = "") -> None:
    """Erase its pages: the row, its history and the digest of each page stay. reason: a code of the retention rules.

    Bytes that another piece has are kept for that one. Raises PieceTransitionRefused.
    """
    lock(piece)
    move(piece, "purged", reason)
    take_away(piece, *piece.pages)
    record("piece.purged", piece, reason=reason)
