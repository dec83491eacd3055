"""What is read of the pieces of a folder; the caller has already found the folder under its own rules."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload, selectinload

from portal import db
from portal.db import session
from portal.establishments import Establishment
from portal.files import StoredFile
from services.pieces.models import Piece, PieceChange, PiecePage

_A_BATCH = 500


def of_folder(folder_id: UUID, *, withdrawn: bool = False) -> Sequence[Piece]:
    """The pieces asked in this folder, with their pages, in the order of `KINDS`. withdrawn: the others too."""
    return of_folders([folder_id], withdrawn=withdrawn).get(folder_id, [])


def of_folders(folder_ids: Iterable[UUID], *, withdrawn: bool = False) -> Mapping[UUID, Sequence[Piece]]:
    """Folder → its pieces, for lists, in two statements however many there are."""
    wanted = _with_pages().where(Piece.folder_id.in_(list(folder_ids)))
    if not withdrawn:
        wanted = wanted.where(Piece.state != "withdrawn")
    found: dict[UUID, list[Piece]] = defaultdict(list)
    for piece in session.scalars(wanted):
        found[piece.folder_id].append(piece)
    for pieces in found.values():
        pieces.sort(key=lambda piece: piece.rank)
    return found


def one_of_folder(folder_id: UUID, piece_id: UUID) -> Piece | None:
    """One piece of this folder, with its pages."""
    return session.scalar(
        _with_pages().where(Piece.folder_id == folder_id, Piece.id == piece_id, Piece.state != "withdrawn")
    )


def page_of(piece: Piece, page_id: UUID) -> PiecePage | None:
    return next((page for page in piece.pages if page.id == page_id), None)


def history(piece_id: UUID) -> Sequence[PieceChange]:
    """Every change of one piece, the latest first."""
    return session.scalars(
        select(PieceChange).where(PieceChange.piece_id == piece_id).order_by(PieceChange.at.desc(), PieceChange.id)
    ).all()


# -- the wallet ----------------------------------------------------------------------------------------------------


def wallet(patient_id: UUID) -> Sequence[Piece]:
    """The person's accepted pieces that are valid today, the latest of each kind at each hospital."""
    valid = [each for each in _accepted(patient_id) if each.is_valid_on(_today_at(each))]
    return _latest(valid)


def accepted_at(establishment_id: UUID, patient_id: UUID) -> Sequence[Piece]:
    """What this hospital has accepted of the person, the latest of each kind, even if its last day has passed since."""
    known = session.scalars(
        select(Piece)
        .where(
            Piece.patient_id == patient_id,
            Piece.establishment_id == establishment_id,
            Piece.state.in_(("accepted", "expired")),
            Piece.pages.any(),
        )
        .order_by(Piece.changed_at.desc())
        .limit(200)
    ).all()
    return _latest(known)


def reusable(piece: Piece, on: date) -> Sequence[Piece]:
    """Accepted pieces of the same kind and person that are valid on that day: this hospital's first, then others'.

    Those of another hospital are reused only when the patient ticks that they may be (`actions.reuse`).
    """
    found = [
        each
        for each in _latest(_accepted(piece.patient_id, piece.kind))
        if each.id != piece.id and each.folder_id != piece.folder_id and each.is_valid_on(on)
    ]
    return sorted(found, key=lambda each: each.establishment_id != piece.establishment_id)


def _accepted(patient_id: UUID, kind: str | None = None) -> Sequence[Piece]:
    wanted = (
        _with_pages()
        .options(joinedload(Piece.establishment))
        .where(Piece.patient_id == patient_id, Piece.state == "accepted", Piece.pages.any())
    )
    if kind is not None:
        wanted = wanted.where(Piece.kind == kind)
    return session.scalars(wanted.order_by(Piece.changed_at.desc()).limit(200)).all()


def _latest(pieces: Iterable[Piece]) -> list[Piece]:
    """One piece for each kind and hospital; `pieces` come the latest first."""
    kept: dict[tuple[str, UUID], Piece] = {}
    for piece in pieces:
        kept.setdefault((piece.kind, piece.establishment_id), piece)
    return sorted(kept.values(), key=lambda piece: piece.rank)


def _today_at(piece: Piece) -> date:
    return db.now().astimezone(piece.establishment.tz).date()


# -- the clock -----------------------------------------------------------------------------------------------------


def judged_by_scanner() -> Sequence[UUID]:
    """Pieces that still say `scanning` although the scanner has given its verdict on a page, or on all of them."""
    waiting = (
        select(PiecePage.id)
        .join(StoredFile, StoredFile.id == PiecePage.file_id)
        .where(PiecePage.piece_id == Piece.id, StoredFile.state == "waiting")
    )
    infected = (
        select(PiecePage.id)
        .join(StoredFile, StoredFile.id == PiecePage.file_id)
        .where(PiecePage.piece_id == Piece.id, StoredFile.state == "infected")
    )
    return session.scalars(
        select(Piece.id).where(Piece.state == "scanning", ~waiting.exists() | infected.exists()).limit(_A_BATCH)
    ).all()


def past_their_day(now: datetime) -> Sequence[UUID]:
    """Accepted pieces whose last day is over where the hospital is."""
    there = func.timezone(Establishment.time_zone, now)
    return session.scalars(
        select(Piece.id)
        .join(Establishment, Establishment.id == Piece.establishment_id)
        .where(Piece.state == "accepted", Piece.expires_on < func.date(there))
        .order_by(Piece.expires_on)
        .limit(_A_BATCH)
    ).all()


def _with_pages() -> Select[Piece]:
    return select(Piece).options(selectinload(Piece.pages).joinedload(PiecePage.file))
