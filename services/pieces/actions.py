"""All that changes a piece. The room that asked for it decides when these may be called."""

from collections.abc import Mapping
from datetime import date
from uuid import UUID, uuid4

from sqlalchemy import update

from portal import audit, db, files, kpi
from portal.db import session
from portal.files import FileNotReadable, StoredFile
from services.pieces import states
from services.pieces.models import Piece


def ask(folder_id: UUID, establishment_id: UUID, patient_id: UUID, kinds: Mapping[str, bool]) -> None:
    """Ask the patient for these kinds of pieces; True = the folder cannot be sent without it."""
    for kind, needed in kinds.items():
        session.add(
            Piece(
                id=uuid4(),
                folder_id=folder_id,
                establishment_id=establishment_id,
                patient_id=patient_id,
                kind=kind,
                needed=needed,
                state="awaited",
            )
        )
    audit.record(
        "pieces.asked",
        patient_id=patient_id,
        establishment_id=establishment_id,
        object_kind="folder",
        object_id=folder_id,
    )


def deposit(piece: Piece, file_id: UUID, *, staff_right: str, expires_on: date | None = None) -> None:
    """Put a received file in the piece. staff_right: which right at the hospital opens it.

    Raises FileNotReadable when the file is not the actor's own unattached upload, PieceTransitionRefused.
    """
    _lock(piece)
    former = piece.file
    stored = files.attach(
        file_id, patient_id=piece.patient_id, establishment_id=piece.establishment_id, staff_right=staff_right
    )
    piece.file, piece.file_id, piece.expires_on = stored, stored.id, expires_on
    _move(piece, "deposited" if stored.state == "clean" else "scanning")
    _record("piece.deposited", piece)
    if stored.state == "clean":
        _count("piece_deposited", piece)
    if former is not None:
        _let_go(former)


def share(folder_id: UUID, patient_id: UUID, establishment_id: UUID) -> None:
    """Let the hospital see the folder's pieces, from now on."""
    session.execute(update(Piece).where(Piece.folder_id == folder_id).values(shared_at=db.now()))
    audit.record(
        "pieces.shared",
        patient_id=patient_id,
        establishment_id=establishment_id,
        object_kind="folder",
        object_id=folder_id,
    )


def accept(piece: Piece) -> None:
    """The agent has seen it and it is good. Raises FileNotReadable, PieceTransitionRefused."""
    _lock(piece)
    if not piece.is_readable:
        raise FileNotReadable(piece.file_id)
    _move(piece, "accepted")
    _record("piece.accepted", piece)
    _count("piece_accepted", piece)


def refuse(piece: Piece, reason: str) -> None:
    """The agent asks for another one. reason: one of `states.REFUSAL_REASONS`. Raises PieceTransitionRefused."""
    _lock(piece)
    _move(piece, "refused", reason)
    _record("piece.refused", piece, reason=reason)
    _count("piece_refused", piece)


def waive(piece: Piece) -> None:
    """The paper will be seen on the day of the stay instead. Raises PieceTransitionRefused."""
    _lock(piece)
    _move(piece, "waived")
    _record("piece.waived", piece)


def hand_over(piece: Piece) -> StoredFile:
    """Give the file to whoever opens it, and write down that they did. Raises FileNotReadable."""
    if piece.file is None or not piece.is_readable:
        raise FileNotReadable(piece.file_id)
    _record("piece.opened", piece)
    return piece.file


def conclude_scan(piece: Piece) -> None:
    """The scanner, back again, has judged a file that waited for it: deposited, or infected."""
    _lock(piece)
    if piece.state != "scanning" or piece.file is None or piece.file.state == "waiting":
        return
    clean = piece.file.state == "clean"
    _move(piece, "deposited" if clean else "infected")
    _record("piece.scanned", piece, verdict=piece.file.state)
    if clean:
        _count("piece_deposited", piece)


def _let_go(former: StoredFile) -> None:
    """Nobody needs a replaced file any more: unattached again, it is deleted within a day.

    Only the account that sent it may do so; another parent's file stays until the folder's own end.
    """
    if former.account_id != db.current_actor().account_id:
        return
    former.patient_id = former.establishment_id = former.attached_at = None
    former.staff_right = ""
    session.flush()


def _lock(piece: Piece) -> None:
    """Two agents, or an agent and the scanner's job, change one piece one after the other."""
    session.flush()
    session.refresh(piece, ["state"], with_for_update={"key_share": True})


def _move(piece: Piece, to_state: str, reason: str = "") -> None:
    session.add(states.change(piece, to_state, db.current_actor(), reason))
    session.flush()


def _record(event: str, piece: Piece, **details: str) -> None:
    audit.record(
        event,
        patient_id=piece.patient_id,
        establishment_id=piece.establishment_id,
        object_kind="piece",
        object_id=piece.id,
        kind=piece.kind,
        **details,
    )


def _count(event: str, piece: Piece) -> None:
    kpi.count(event, establishment_id=piece.establishment_id, dimension=piece.kind)
