"""What patients, professionals and hospitals do about a patient's circle."""

from services.circle.actions.codes import CodeRefused, join, make_code
from services.circle.actions.members import (
    AlreadyThere,
    NothingShared,
    accept,
    add,
    declare,
    end,
    lift,
    object_to,
    open_file,
    refuse,
    say_none,
    share,
)
from services.circle.actions.proposals import lapse, look_for, propose, withdraw
from services.circle.actions.writing import Sharing, Somebody

__all__ = [
    "AlreadyThere", "CodeRefused", "NothingShared", "Sharing", "Somebody", "accept", "add", "declare", "end", "join",
    "lapse", "lift", "look_for", "make_code", "object_to", "open_file", "propose", "refuse", "say_none", "share",
    "withdraw",
]  # fmt: skip
