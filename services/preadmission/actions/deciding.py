"""What an agent of the admissions office does to a file."""

from datetime import date

from portal import db
from portal.files import FileNotReadable, StoredFile
from services.pieces import actions as piece_actions
from services.pieces import queries as piece_queries
from services.pieces.models import Piece
from services.preadmission.actions import traces
from services.preadmission.actions.facts import NothingToAskAgain, PiecesNotSettled
from services.preadmission.models import Preadmission


def look(preadmission: Preadmission) -> None:
    """An agent opens the file: written down, since the patient may ask who did."""
    traces.record("preadmission.opened", preadmission)


def reveal_nir(preadmission: Preadmission) -> None:
    """An agent reads the whole beneficiary number, to enter it in the hospital's system: written down."""
    traces.record("nir.revealed", preadmission, reason="admission")


def take(preadmission: Preadmission) -> None:
    """An agent takes the file in hand, again if it was accepted already. Raises TransitionRefused."""
    traces.lock(preadmission)
    traces.move(preadmission, "in_review")
    actor = db.current_actor()
    preadmission.agent_id, preadmission.agent_name = actor.account_id, actor.name


def accept_piece(preadmission: Preadmission, piece: Piece) -> None:
    """Raises TransitionRefused, PieceTransitionRefused, FileNotReadable."""
    in_review(preadmission)
    piece_actions.accept(piece)


def refuse_piece(preadmission: Preadmission, piece: Piece, reason: str) -> None:
    """Raises TransitionRefused, PieceTransitionRefused."""
    in_review(preadmission)
    piece_actions.refuse(piece, reason)


def waive_piece(preadmission: Preadmission, piece: Piece) -> None:
    """Raises TransitionRefused, PieceTransitionRefused."""
    in_review(preadmission)
    piece_actions.waive(piece)


def ask_again(preadmission: Preadmission, complete_by: date) -> None:
    """Send the file back for its refused pieces, in one message. Raises NothingToAskAgain, TransitionRefused."""
    traces.lock(preadmission)
    if not any(piece.is_to_redo for piece in piece_queries.of_folder(preadmission.id)):
        raise NothingToAskAgain
    traces.move(preadmission, "to_complete")
    preadmission.complete_by = complete_by
    traces.notify(preadmission)


def validate(preadmission: Preadmission) -> None:
    """Accept the file: the patient goes straight to the ward. Raises PiecesNotSettled, TransitionRefused."""
    in_review(preadmission)
    for piece in piece_queries.of_folder(preadmission.id):
        settled = piece.state in ("accepted", "waived")
        if not settled and (piece.needed or piece.state != "awaited"):
            raise PiecesNotSettled
    traces.move(preadmission, "validated")
    traces.notify(preadmission)


def refuse(preadmission: Preadmission, reason: str) -> None:
    """Refuse the whole file. reason: the agent's words to the patient. Raises TransitionRefused."""
    in_review(preadmission)
    traces.move(preadmission, "refused", reason)
    preadmission.decision_reason = reason
    traces.notify(preadmission)


def open_piece(piece: Piece) -> StoredFile:
    """Give a piece's first page as it was sent; written down. Raises FileNotReadable, OriginalKept."""
    if not piece.pages:
        raise FileNotReadable(piece.id)
    return piece_actions.hand_over_original(piece.pages[0])


def in_review(preadmission: Preadmission) -> None:
    """An agent's decision takes the file in hand by itself."""
    traces.lock(preadmission)
    if preadmission.state != "in_review":
        take(preadmission)
