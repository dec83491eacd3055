"""What an agent of the admissions office does to a file. version: of the file as they read it, None to act blindly.

Each raises ChangedMeanwhile (somebody acted since) and HeldByAnother (a colleague has taken the file).
"""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from portal import db
from portal.files import FileNotReadable, StoredFile
from services.pieces import actions as piece_actions
from services.pieces import queries as piece_queries
from services.pieces.models import Piece
from services.preadmission.actions import traces
from services.preadmission.actions.facts import HeldByAnother, NothingToAskAgain, PiecesNotSettled
from services.preadmission.models import Preadmission
from services.preadmission.states import TransitionRefused

_AT_THE_DESK = ("submitted", "in_review", "to_complete", "completed")


def look(preadmission: Preadmission) -> None:
    """An agent opens the file: written down, since the patient may ask who did."""
    traces.record("preadmission.opened", preadmission)


def reveal_nir(preadmission: Preadmission) -> None:
    """An agent reads the whole beneficiary number, to enter it in the hospital's system: written down."""
    traces.record("nir.revealed", preadmission, reason="admission")


def take(preadmission: Preadmission, version: int | None = None) -> None:
    """An agent takes the file in hand, again if it was accepted already. Raises TransitionRefused."""
    traces.lock(preadmission, version)
    _leave_to_its_agent(preadmission)
    traces.move(preadmission, "in_review")
    _make_mine(preadmission)


def accept_piece(
    preadmission: Preadmission, piece: Piece, expires_on: date | None = None, version: int | None = None
) -> None:
    """expires_on: read on the document. Raises TransitionRefused, PieceTransitionRefused, FileNotReadable."""
    in_review(preadmission, version)
    piece_actions.accept(piece, expires_on)
    preadmission.version += 1


def refuse_piece(
    preadmission: Preadmission, piece: Piece, reason: str, note: str = "", version: int | None = None
) -> None:
    """note: the agent's words beside the reason. Raises TransitionRefused, PieceTransitionRefused."""
    in_review(preadmission, version)
    piece_actions.refuse(piece, reason, note)
    preadmission.version += 1


def waive_piece(preadmission: Preadmission, piece: Piece, version: int | None = None) -> None:
    """The paper was seen at the desk, or will be on the day. Raises TransitionRefused, PieceTransitionRefused."""
    if preadmission.state == "draft" and preadmission.origin == "desk":
        traces.lock(preadmission, version)
    else:
        in_review(preadmission, version)
    piece_actions.waive(piece)
    preadmission.version += 1


def receive_piece(
    preadmission: Preadmission,
    piece: Piece,
    file_ids: Sequence[UUID],
    expires_on: date | None = None,
    version: int | None = None,
) -> None:
    """The agent scans a document that the patient shows or brings; these pages take the place of former ones.

    Raises TransitionRefused (the file is settled, or a draft that is the patient's), PieceTransitionRefused, NoPage,
    FileNotReadable (not the agent's own upload), TooManyFiles.
    """
    traces.lock(preadmission, version)
    _leave_to_its_agent(preadmission)
    desk_draft = preadmission.state == "draft" and preadmission.origin == "desk"
    if not desk_draft and preadmission.state not in _AT_THE_DESK:
        raise TransitionRefused(preadmission.state, "in_review")
    first, *others = file_ids
    piece_actions.send(piece, first, expires_on)
    for file_id in others:
        piece_actions.add_page(piece, file_id)
    preadmission.version += 1


def ask_again(
    preadmission: Preadmission,
    complete_by: date,
    message: str = "",
    more: Collection[str] = (),
    version: int | None = None,
) -> None:
    """Ask the patient for all that is missing, in one message. more: kinds of piece asked for besides, now needed.

    message: the agent's words to the patient. Raises NothingToAskAgain, TransitionRefused.
    """
    in_review(preadmission, version)
    pieces = piece_queries.of_folder(preadmission.id)
    if more:
        wanted = {piece.kind: piece.needed for piece in pieces} | dict.fromkeys(more, True)
        pieces = piece_actions.require(preadmission.id, preadmission.establishment_id, preadmission.patient_id, wanted)
    if not missing(pieces):
        raise NothingToAskAgain
    traces.move(preadmission, "to_complete", message)
    preadmission.complete_by, preadmission.decision_reason = complete_by, message
    traces.notify(preadmission)


def missing(pieces: Sequence[Piece]) -> list[Piece]:
    """What the patient still has to send: refused, or needed and not there."""
    return [piece for piece in pieces if piece.is_expected]


def validate(preadmission: Preadmission, version: int | None = None) -> None:
    """Accept the file: the patient goes straight to the ward. Raises PiecesNotSettled, TransitionRefused."""
    in_review(preadmission, version)
    if not settled(piece_queries.of_folder(preadmission.id)):
        raise PiecesNotSettled
    traces.move(preadmission, "validated")
    preadmission.decision_reason = ""
    traces.notify(preadmission)


def settled(pieces: Sequence[Piece]) -> bool:
    """Whether each piece is judged, and each needed one accepted or waived."""
    return all(
        piece.state in ("accepted", "waived") or (not piece.needed and piece.state == "awaited") for piece in pieces
    )


def refuse(preadmission: Preadmission, reason: str, version: int | None = None) -> None:
    """Refuse the whole file. reason: the agent's words to the patient. Raises TransitionRefused."""
    in_review(preadmission, version)
    traces.move(preadmission, "refused", reason)
    preadmission.decision_reason = reason
    traces.notify(preadmission)


def reopen(preadmission: Preadmission, reason: str, version: int | None = None) -> None:
    """Look again at a file that was accepted. reason: for the history. Raises TransitionRefused."""
    traces.lock(preadmission, version)
    if preadmission.state not in ("validated", "transmitted"):
        raise TransitionRefused(preadmission.state, "in_review")
    traces.move(preadmission, "in_review", reason)
    _make_mine(preadmission)


def open_piece(piece: Piece) -> StoredFile:
    """Give a piece's first page as it was sent; written down. Raises FileNotReadable, OriginalKept."""
    if not piece.pages:
        raise FileNotReadable(piece.id)
    return piece_actions.hand_over_original(piece.pages[0])


def in_review(preadmission: Preadmission, version: int | None = None) -> None:
    """An agent's decision takes the file in hand by itself."""
    traces.lock(preadmission, version)
    _leave_to_its_agent(preadmission)
    if preadmission.state != "in_review":
        traces.move(preadmission, "in_review")
        _make_mine(preadmission)


def _leave_to_its_agent(preadmission: Preadmission) -> None:
    """Raises HeldByAnother while a colleague reviews it; whoever acts for nobody in particular may go on."""
    own = db.current_actor().account_id
    held = preadmission.agent_id is not None and preadmission.agent_id != own
    if preadmission.state == "in_review" and held and own is not None:
        raise HeldByAnother(preadmission.agent_name)


def _make_mine(preadmission: Preadmission) -> None:
    actor = db.current_actor()
    preadmission.agent_id, preadmission.agent_name = actor.account_id, actor.name
