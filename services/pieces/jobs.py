"""What happens to pieces later."""

from uuid import UUID

from sqlalchemy.orm import selectinload

from portal import db, jobs
from services.pieces import actions, queries
from services.pieces.models import Piece
from services.pieces.states import PieceTransitionRefused


@jobs.periodic("* * * * *", "pieces.follow_scans")
def follow_scans() -> None:
    """Move the pieces whose pages the scanner has judged since: it was down when they arrived.

    One transaction a piece; a second run finds them moved, so it needs no done-mark.
    """
    actor = db.system("pieces.follow_scans")
    with db.transaction(actor):
        waiting = queries.judged_by_scanner()
    for piece_id in waiting:
        with db.transaction(actor) as current:
            actions.conclude_scan(current.get_one(Piece, piece_id, options=[selectinload(Piece.pages)]))


@jobs.periodic("13 * * * *", "pieces.expire")
def expire_overdue() -> None:
    """Say of the accepted pieces whose day has passed that they are no longer valid. One transaction a piece."""
    actor = db.system("pieces.expire")
    with db.transaction(actor):
        over = queries.past_their_day(db.now())
    for piece_id in over:
        try:
            with db.transaction(actor) as current:
                actions.expire(current.get_one(Piece, piece_id, options=[selectinload(Piece.pages)]))
        except PieceTransitionRefused:  # an agent decided otherwise meanwhile
            continue


@jobs.task("pieces.let_go")
def let_go(file_id: str, folder_id: str) -> None:
    """Erase the bytes of a page that was taken away, unless another piece has them or a legal hold keeps them."""
    with jobs.effect():
        actions.let_go(UUID(file_id), UUID(folder_id))
