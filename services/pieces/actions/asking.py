"""Which pieces a folder asks for, and when the hospital begins to see them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from portal import audit, db
from portal.db import session
from services.pieces import queries
from services.pieces.actions.depositing import state_of_pages
from services.pieces.actions.traces import move, record
from services.pieces.models import KINDS, Piece, PieceChange


def require(folder_id: UUID, establishment_id: UUID, patient_id: UUID, asked: Mapping[str, bool]) -> Sequence[Piece]:
    """Make the folder ask for exactly these kinds; True = it cannot be sent without. Safe to repeat.

    A kind that is no longer asked is withdrawn and keeps its pages; asked again, it comes back as it was. Returns the
    pieces asked, as `queries.of_folder`. Raises KeyError for an unknown kind. The caller has locked the folder.
    """
    present = {piece.kind: piece for piece in queries.of_folder(folder_id, withdrawn=True)}
    new = [kind for kind in KINDS if kind in asked and kind not in present]
    if unknown := asked.keys() - KINDS.keys():
        raise KeyError(*unknown)
    for kind, piece in present.items():
        _reconcile(piece, asked.get(kind))
    if new:
        _add(folder_id, establishment_id, patient_id, {kind: asked[kind] for kind in new}, _shared_at(present))
    return queries.of_folder(folder_id)


def share(folder_id: UUID, patient_id: UUID, establishment_id: UUID) -> None:
    """Let the hospital see the folder's pieces, from now on."""
    session.execute(
        update(Piece).where(Piece.folder_id == folder_id, Piece.shared_at.is_(None)).values(shared_at=db.now())
    )
    _record("pieces.shared", folder_id, patient_id, establishment_id)


def _reconcile(piece: Piece, needed: bool | None) -> None:
    """needed: None when it is not asked any more."""
    if piece.state == "purged":
        return
    if needed is None:
        if piece.state != "withdrawn":
            move(piece, "withdrawn")
            record("piece.withdrawn", piece)
        return
    piece.needed = needed
    if piece.state == "withdrawn":
        move(piece, _state_before(piece))
        record("piece.asked_again", piece)


def _state_before(piece: Piece) -> str:
    """Where it was when it was withdrawn; the antivirus may have judged its pages since."""
    last = select(PieceChange.from_state).where(PieceChange.piece_id == piece.id, PieceChange.to_state == "withdrawn")
    former = session.scalar(last.order_by(PieceChange.at.desc()).limit(1)) or "awaited"
    return state_of_pages(piece) if former in ("scanning", "deposited", "infected") else former


def _add(
    folder_id: UUID, establishment_id: UUID, patient_id: UUID, asked: Mapping[str, bool], shared_at: datetime | None
) -> None:
    rows = [
        {
            "id": uuid4(),
            "folder_id": folder_id,
            "establishment_id": establishment_id,
            "patient_id": patient_id,
            "kind": kind,
            "needed": needed,
            "staff_right": KINDS[kind].staff_right,
            "refusal_reason": "",
            "state": "awaited",
            "shared_at": shared_at,
            "changed_at": db.now(),
        }
        for kind, needed in asked.items()
    ]
    # A clerk does not see the pieces of the care team: one that is there already is no conflict to tell them about.
    session.execute(insert(Piece).values(rows).on_conflict_do_nothing().inline())
    _record("pieces.asked", folder_id, patient_id, establishment_id)


def _shared_at(present: Mapping[str, Piece]) -> datetime | None:
    """The hospital sees what it asks itself, and a piece added to a folder that it sees already."""
    if db.current_actor().kind in ("staff", "machine"):
        return db.now()
    return max((piece.shared_at for piece in present.values() if piece.shared_at), default=None)


def _record(event: str, folder_id: UUID, patient_id: UUID, establishment_id: UUID) -> None:
    audit.record(
        event,
        patient_id=patient_id,
        establishment_id=establishment_id,
        object_kind="folder",
        object_id=folder_id,
    )
