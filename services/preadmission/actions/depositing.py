"""The documents of a file: pages put in a piece, arranged, taken again from an accepted one."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from services.pieces import actions as piece_actions
from services.pieces import queries as piece_queries
from services.pieces.models import Piece, PiecePage
from services.preadmission.actions import traces
from services.preadmission.actions.facts import NotEditable
from services.preadmission.models import Preadmission


def add_pages(preadmission: Preadmission, piece: Piece, file_ids: Sequence[UUID], *, rotation: int = 0) -> None:
    """Put received files in a piece of a draft, or of a file sent back.

    Raises NotEditable, FileNotReadable (not the actor's own upload), TooManyFiles, PieceTransitionRefused.
    """
    _open(preadmission, piece)
    piece_actions.add_pages(piece, file_ids, rotation=rotation)


def deposit_piece(preadmission: Preadmission, piece: Piece, expires_on: date | None = None) -> None:
    """These are all the pages; the last piece asked again sends the file to the hospital.

    Raises NotEditable, NoPage, PieceTransitionRefused.
    """
    _open(preadmission, piece)
    piece_actions.deposit(piece, expires_on)
    _complete(preadmission)


def reuse_piece(preadmission: Preadmission, piece: Piece, source: Piece, *, ticked: bool = False) -> None:
    """Answer with a document that a hospital has accepted. ticked: as `services.pieces.actions.reuse`.

    Raises NotEditable, NotReusable, PieceTransitionRefused.
    """
    _open(preadmission, piece)
    piece_actions.reuse(piece, source, preadmission.planned_on, ticked=ticked)
    _complete(preadmission)


def arrange_page(preadmission: Preadmission, page: PiecePage, gesture: str) -> None:
    """gesture: a key of `services.pieces.actions.GESTURES`. Raises NotEditable, PieceTransitionRefused."""
    _open(preadmission, page.piece)
    piece_actions.GESTURES[gesture](page)


def takes_pages(preadmission: Preadmission, piece: Piece) -> bool:
    """The patient may send this piece now: the file is a draft, or was sent back for it."""
    return preadmission.state == "draft" or (preadmission.state == "to_complete" and piece.is_expected)


def _open(preadmission: Preadmission, piece: Piece) -> None:
    traces.lock(preadmission)
    if not takes_pages(preadmission, piece):
        raise NotEditable(preadmission.id)


def _complete(preadmission: Preadmission) -> None:
    if preadmission.state == "to_complete" and not any(
        each.is_expected for each in piece_queries.of_folder(preadmission.id)
    ):
        traces.move(preadmission, "completed")
