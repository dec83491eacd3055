"""What happens to pieces later."""

from sqlalchemy.orm import joinedload

from portal import db, jobs
from services.pieces import actions, queries
from services.pieces.models import Piece


@jobs.periodic("* * * * *", "pieces.follow_scans")
def follow_scans() -> None:
    """Move the pieces whose file the scanner has judged since: it was down when they arrived.

    One transaction a piece; a second run finds them moved, so it needs no done-mark.
    """
    actor = db.system("pieces.follow_scans")
    with db.transaction(actor):
        waiting = queries.judged_by_scanner()
    for piece_id in waiting:
        with db.transaction(actor) as current:
            actions.conclude_scan(current.get_one(Piece, piece_id, options=[joinedload(Piece.file)]))
