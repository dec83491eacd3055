"""What practitioners, administrators, agents and jobs do with direct lines."""

from services.lines.actions.calling import (
    AlreadyAsked,
    Asked,
    CallbackOver,
    NotBefore,
    NotTaken,
    TooMany,
    answer,
    ask,
    give_back,
    lapse,
    open_callback,
    take,
    tell_delay,
    withdraw,
)
from services.lines.actions.duties import DutyTaken, Entered, Wanted, change, copy_week, enter, put_in, remove_duty
from services.lines.actions.lines import Described, add_line, change_line, close_line, open_line, remove_line
from services.lines.actions.own import keep, let_go
from services.lines.actions.words import forget_words

__all__ = [
    "AlreadyAsked",
    "Asked",
    "CallbackOver",
    "Described",
    "DutyTaken",
    "Entered",
    "NotBefore",
    "NotTaken",
    "TooMany",
    "Wanted",
    "add_line",
    "answer",
    "ask",
    "change",
    "change_line",
    "close_line",
    "copy_week",
    "enter",
    "forget_words",
    "give_back",
    "keep",
    "lapse",
    "let_go",
    "open_callback",
    "open_line",
    "put_in",
    "remove_duty",
    "remove_line",
    "take",
    "tell_delay",
    "withdraw",
]
