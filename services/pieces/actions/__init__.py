"""All that changes a piece. The room that asked for it decides when these may be called."""

from services.pieces.actions.asking import require, share
from services.pieces.actions.deciding import accept, expire, purge, refuse, waive
from services.pieces.actions.depositing import (
    GESTURES,
    add_page,
    add_pages,
    deposit,
    move_page,
    remove_page,
    send,
    turn_page,
)
from services.pieces.actions.following import conclude_scan, let_go
from services.pieces.actions.reusing import reuse
from services.pieces.actions.showing import hand_over, hand_over_original
from services.pieces.facts import NoPage, NotReusable, OriginalKept, TooManyFiles

__all__ = [
    "GESTURES",
    "NoPage",
    "NotReusable",
    "OriginalKept",
    "TooManyFiles",
    "accept",
    "add_page",
    "add_pages",
    "conclude_scan",
    "deposit",
    "expire",
    "hand_over",
    "hand_over_original",
    "let_go",
    "move_page",
    "purge",
    "refuse",
    "remove_page",
    "require",
    "reuse",
    "send",
    "share",
    "turn_page",
    "waive",
]
