"""Pre-admissions, their pieces and files: they follow when two accounts are one person's, and come back.

A pre-admission is what a person filled in with their own account: a hospital's description has none, so a link moves
none, and an undone link leaves each one with who wrote it.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, update

from auth.enrolment.belongings import Belongings, Move, Rows, register
from portal.db import session
from portal.files import StoredFile
from services.pieces.models import Piece, PiecePage
from services.preadmission.models import Preadmission
from services.preadmission.states import READY

_TABLES: dict[str, type[Preadmission] | type[Piece]] = {"preadmission": Preadmission, "piece": Piece}


def owner_of(establishment_id: UUID, number: str) -> UUID | None:
    """The patient whose file bears this reference, once the hospital has accepted it."""
    return session.scalar(
        select(Preadmission.patient_id).where(
            Preadmission.establishment_id == establishment_id,
            Preadmission.reference == number.upper(),
            Preadmission.state.in_(READY),
        )
    )


def adopt(move: Move) -> Rows:
    moved = {
        name: session.scalars(
            update(table)
            .where(table.establishment_id == move.establishment_id, table.patient_id == move.from_id)
            .values(patient_id=move.to_id)
            .returning(table.id)
        ).all()
        for name, table in _TABLES.items()
    }
    return {**moved, "piece_page": _move_pages(moved["piece"], move), "stored_file": _move_files(moved["piece"], move)}


def release(move: Move, moved: Rows) -> None:
    for name, table in _TABLES.items():
        session.execute(update(table).where(table.id.in_(moved.get(name, ()))).values(patient_id=move.to_id))
    pages, files = moved.get("piece_page", ()), moved.get("stored_file", ())
    session.execute(update(PiecePage).where(PiecePage.id.in_(pages)).values(patient_id=move.to_id))
    session.execute(update(StoredFile).where(StoredFile.id.in_(files)).values(patient_id=move.to_id))


def _move_pages(pieces: Sequence[UUID], move: Move) -> list[UUID]:
    return list(
        session.scalars(
            update(PiecePage)
            .where(PiecePage.piece_id.in_(pieces))
            .values(patient_id=move.to_id)
            .returning(PiecePage.id),
            execution_options={"synchronize_session": False},
        )
    )


def _move_files(pieces: Sequence[UUID], move: Move) -> list[UUID]:
    of_pieces = select(PiecePage.file_id).where(PiecePage.piece_id.in_(pieces))
    return list(
        session.scalars(
            update(StoredFile)
            .where(StoredFile.id.in_(of_pieces), StoredFile.patient_id == move.from_id)
            .values(patient_id=move.to_id)
            .returning(StoredFile.id),
            execution_options={"synchronize_session": False},
        )
    )


def declare() -> None:
    """Say what this room holds to whoever links people."""
    register(Belongings("preadmission", adopt, release, owner_of))
