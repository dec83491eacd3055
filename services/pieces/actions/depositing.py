"""What the patient does: put pages in a piece, order them, turn them, take them away, say that it is all."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from uuid import UUID, uuid4

from portal import files, files_shown, jobs
from portal.db import session
from portal.files import FileNotReadable
from services.pieces.actions.traces import count, lock_to_change_pages, move, record
from services.pieces.facts import NoPage, TooManyFiles
from services.pieces.models import ROTATIONS, Piece, PiecePage

_ON_THE_WAY = ("scanning", "deposited", "infected")


def add_page(piece: Piece, file_id: UUID, *, rotation: int = 0) -> PiecePage:
    """Put a received file after the other pages. The same bytes twice are one page: whoever posted twice sees it once.

    Raises FileNotReadable when the file is not the actor's own unattached upload, TooManyFiles, PieceTransitionRefused.
    """
    lock_to_change_pages(piece)
    arriving = files.unattached(file_id)
    if arriving is None:
        raise FileNotReadable(file_id)
    if there := next((page for page in piece.pages if page.file.sha256 == arriving.sha256), None):
        return there
    if len(piece.pages) >= piece.rules.most_pages:
        raise TooManyFiles(piece.rules.most_pages)
    # No right of its own: an agent opens it through a piece that they see (row-level security).
    stored = files.attach(file_id, patient_id=piece.patient_id, establishment_id=piece.establishment_id)
    files_shown.make_later(stored)
    page = PiecePage(
        id=uuid4(), patient_id=piece.patient_id, position=len(piece.pages) + 1, file=stored, rotation=_turn(rotation)
    )
    piece.pages.append(page)
    _follow_pages(piece)
    record("piece.page_added", piece)
    return page


def add_pages(piece: Piece, file_ids: Sequence[UUID], *, rotation: int = 0) -> None:
    """Put received files after the other pages. Those that the hospital refused, or that are worth nothing any more,
    make room for the first of the new ones; when a side was missing, they stay. Raises as `add_page`.
    """
    lock_to_change_pages(piece)
    judged = [page for page in piece.pages if _is_to_replace(piece, page)] if file_ids else []
    if judged:
        take_away(piece, *judged)
        session.refresh(piece, ["pages"])
    for file_id in file_ids:
        add_page(piece, file_id, rotation=rotation)


def remove_page(page: PiecePage) -> None:
    """Take a page away; its bytes are erased when no other piece has them. Raises PieceTransitionRefused."""
    piece = page.piece
    lock_to_change_pages(piece)
    if page not in piece.pages:
        return
    take_away(piece, page)
    _follow_pages(piece)
    record("piece.page_removed", piece)


def turn_page(page: PiecePage, rotation: int) -> None:
    """Turn a page: rotation clockwise from how it was sent, 0, 90, 180 or 270 degrees. An agent may, too.

    Nothing is judged by it, so any state allows it.
    """
    page.rotation = _turn(rotation)
    session.flush()
    record("piece.page_turned", page.piece)


def move_page(page: PiecePage, position: int) -> None:
    """Put the page at this place among the others, from 1. Raises PieceTransitionRefused."""
    piece = page.piece
    lock_to_change_pages(piece)
    if page not in piece.pages:
        return
    others = [each for each in piece.pages if each is not page]
    others.insert(min(max(position, 1), len(piece.pages)) - 1, page)
    _number(others)
    session.refresh(piece, ["pages"])
    record("piece.page_moved", piece)


def deposit(piece: Piece, expires_on: date | None = None) -> None:
    """The patient says that all the pages are there. expires_on: the last day written on the document.

    Raises NoPage (none, or one with a virus), PieceTransitionRefused.
    """
    lock_to_change_pages(piece)
    state = state_of_pages(piece)
    if state in ("awaited", "infected"):
        raise NoPage
    if expires_on is not None:
        piece.expires_on = expires_on
    piece.reused_from = None
    move(piece, state)
    record("piece.deposited", piece)
    if state == "deposited":
        count("piece_deposited", piece)


def send(piece: Piece, file_id: UUID, expires_on: date | None = None) -> None:
    """One file is the whole piece: it takes the place of the former pages.

    Raises FileNotReadable (not the actor's own unattached upload), NoPage, PieceTransitionRefused.
    """
    lock_to_change_pages(piece)
    former = list(piece.pages)
    kept = add_page(piece, file_id)
    take_away(piece, *(page for page in former if page is not kept))
    deposit(piece, expires_on)


def state_of_pages(piece: Piece) -> str:
    """What the antivirus says of the pages, taken together."""
    verdicts = {page.file.state for page in piece.pages}
    if not verdicts:
        return "awaited"
    if "infected" in verdicts:
        return "infected"
    return "scanning" if "waiting" in verdicts else "deposited"


def take_away(piece: Piece, *pages: PiecePage) -> None:
    """Remove the rows of these pages; a job erases the files that no other piece has."""
    for page in pages:
        piece.pages.remove(page)
        jobs.enqueue("pieces.let_go", file_id=str(page.file_id), folder_id=str(piece.folder_id))
    _number(piece.pages)


def _is_to_replace(piece: Piece, page: PiecePage) -> bool:
    if page.file.state == "infected":
        return True
    return piece.state in ("refused", "expired") and page.added_at <= piece.changed_at and not piece.lacks_a_side


def _follow_pages(piece: Piece) -> None:
    """A piece that had been sent says at once what its pages have become."""
    session.flush()
    state = state_of_pages(piece)
    if piece.state in _ON_THE_WAY and state != piece.state:
        move(piece, state)


def _number(pages: list[PiecePage]) -> None:
    for position, page in enumerate(pages, 1):
        page.position = position
    session.flush()


GESTURES: Mapping[str, Callable[[PiecePage], None]] = {
    "turn": lambda page: turn_page(page, page.rotation + 90),
    "earlier": lambda page: move_page(page, page.position - 1),
    "remove": remove_page,
}
"""What the buttons beside a page do."""


def _turn(rotation: int) -> int:
    turned = rotation % 360
    return turned if turned in ROTATIONS else 0
