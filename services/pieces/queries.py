"""What is read of the pieces of a folder; the caller has already found the folder under its own rules."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.db import session
from portal.files import StoredFile
from services.pieces.models import KINDS, Piece


def of_folder(folder_id: UUID) -> Sequence[Piece]:
    """The folder's pieces with their files, in the order of `KINDS`."""
    return of_folders([folder_id]).get(folder_id, [])


def of_folders(folder_ids: Iterable[UUID]) -> Mapping[UUID, Sequence[Piece]]:
    """Folder → its pieces, for lists, in one statement."""
    found: dict[UUID, list[Piece]] = defaultdict(list)
    wanted = select(Piece).options(joinedload(Piece.file)).where(Piece.folder_id.in_(list(folder_ids)))
    for piece in session.scalars(wanted):
        found[piece.folder_id].append(piece)
    for pieces in found.values():
        pieces.sort(key=lambda piece: KINDS.index(piece.kind))
    return found


def one_of_folder(folder_id: UUID, piece_id: UUID) -> Piece | None:
    """One piece of this folder, with its file."""
    return session.scalar(
        select(Piece).options(joinedload(Piece.file)).where(Piece.folder_id == folder_id, Piece.id == piece_id)
    )


def judged_by_scanner() -> Sequence[UUID]:
    """Pieces that still say `scanning` although the scanner has given its verdict."""
    return session.scalars(
        select(Piece.id)
        .join(StoredFile, StoredFile.id == Piece.file_id)
        .where(Piece.state == "scanning", StoredFile.state != "waiting")
        .limit(500)
    ).all()
