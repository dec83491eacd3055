"""Deposits that follow a patient's link to the hospital's number, and come back exactly when it was wrong."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from auth.enrolment.belongings import Belongings, Move, Rows, register
from portal.db import session
from portal.files import StoredFile
from services.documents.deposits.models import PIECE_KIND, Deposit
from services.pieces.models import Piece, PiecePage

_UNSEEN = {"synchronize_session": False}


def adopt(move: Move) -> Rows:
    """What the hospital asked of its own description of the person, and what was sent."""
    deposits = _move(
        Deposit, move, Deposit.patient_id == move.from_id, Deposit.establishment_id == move.establishment_id
    )
    pieces = _move(Piece, move, Piece.folder_id.in_(deposits), Piece.kind == PIECE_KIND)
    pages = _move(PiecePage, move, PiecePage.piece_id.in_(pieces))
    of_pages = select(PiecePage.file_id).where(PiecePage.id.in_(pages))
    files = _move(StoredFile, move, StoredFile.id.in_(of_pages), StoredFile.patient_id == move.from_id)
    session.expire_all()
    return {"deposit": deposits, "piece": pieces, "piece_page": pages, "stored_file": files}


def release(move: Move, moved: Rows) -> None:
    """Those that moved go back; what was sent since stays with who sent it."""
    for name, table in (("deposit", Deposit), ("piece", Piece), ("piece_page", PiecePage), ("stored_file", StoredFile)):
        _move(table, move, table.id.in_(moved.get(name, ())))
    session.expire_all()


def _move(table: Any, move: Move, *which: Any) -> Sequence[UUID]:
    rows = session.scalars(
        update(table).where(*which).values(patient_id=move.to_id).returning(table.id), execution_options=_UNSEEN
    )
    return list(rows)


def declare() -> None:
    """Say what this part of the room holds to whoever links people."""
    register(Belongings("deposits", adopt, release))
