"""What happens to a piece when a job has worked on its files."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from portal import db, files_erasing, jobs, retention
from portal.db import session
from portal.files import StoredFile
from services.pieces.actions.depositing import state_of_pages
from services.pieces.actions.traces import count, lock, move, record
from services.pieces.models import Piece, PiecePage


def conclude_scan(piece: Piece) -> None:
    """The scanner, back again, has judged pages that waited for it: deposited, or infected."""
    lock(piece)
    state = state_of_pages(piece)
    if piece.state != "scanning" or state == "scanning":
        return
    move(piece, state)
    record("piece.scanned", piece, verdict=state)
    if state == "deposited":
        count("piece_deposited", piece)


def let_go(file_id: UUID, folder_id: UUID) -> None:
    """Erase a file that no piece has any more. A legal hold on the folder or its patient keeps it until it is lifted:
    it is looked at again every day."""
    stored = session.get(StoredFile, file_id, with_for_update={"key_share": True})
    if stored is None or session.scalar(select(PiecePage.id).where(PiecePage.file_id == file_id).limit(1)):
        return
    if retention.holds_on([subject for subject in (folder_id, stored.patient_id) if subject]):
        again = db.now() + timedelta(days=1)
        jobs.enqueue("pieces.let_go", at=again, file_id=str(file_id), folder_id=str(folder_id))
        return
    files_erasing.erase_later(stored)
