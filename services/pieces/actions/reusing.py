"""The wallet: a piece that a hospital has accepted is not asked twice."""

from datetime import date
from uuid import uuid4

from services.pieces.actions.depositing import take_away
from services.pieces.actions.traces import lock, move, record, require_changeable
from services.pieces.facts import NotReusable
from services.pieces.models import Piece, PiecePage


def reuse(piece: Piece, source: Piece, on: date, *, ticked: bool = False) -> None:
    """Answer a piece with the pages of an accepted one of another folder: the same files, without copy.

    on: the day of the stay, when it must still be valid. ticked: the patient agrees that a hospital sees what another
    one has accepted (each hospital is answerable for its own files); it then looks at the pages itself, whereas what
    this hospital has accepted is accepted at once. Raises NotReusable, PieceTransitionRefused.
    """
    for each in sorted((piece, source), key=lambda each: each.id):
        lock(each)  # the other one, too: its retention may be erasing it at this moment
    require_changeable(piece)
    _check(piece, source, on, ticked=ticked)
    take_away(piece, *piece.pages)
    for page in source.pages:
        piece.pages.append(
            PiecePage(
                id=uuid4(),
                patient_id=piece.patient_id,
                position=page.position,
                file=page.file,
                rotation=page.rotation,
            )
        )
    piece.expires_on, piece.reused_from = source.expires_on, source.id
    here = piece.establishment_id == source.establishment_id
    move(piece, "accepted" if here else "deposited", "reused")
    record("piece.reused", piece, source=str(source.id))


def _check(piece: Piece, source: Piece, on: date, *, ticked: bool) -> None:
    same = (piece.patient_id, piece.kind) == (source.patient_id, source.kind) and piece.id != source.id
    allowed = ticked or piece.establishment_id == source.establishment_id
    if not (same and allowed and source.state == "accepted" and source.is_readable and source.is_valid_on(on)):
        raise NotReusable(source.id)
