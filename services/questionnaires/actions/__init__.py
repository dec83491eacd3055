"""What people, agents and jobs do with questionnaires."""

from services.questionnaires.actions.answering import (
    Saved,
    correct,
    draft_of,
    give_up_correction,
    may_answer,
    save,
    submit,
)
from services.questionnaires.actions.care import open_answers, open_tray, read_list, see_to_alert
from services.questionnaires.actions.facts import (
    AlreadyWaiting,
    ChangedMeanwhile,
    CodeTaken,
    Incomplete,
    NotAnAnswer,
    NotEditable,
    NothingPublished,
    NothingToSee,
    WindowClosed,
)
from services.questionnaires.actions.forgetting import forget, to_forget
from services.questionnaires.actions.sending import (
    Window,
    expire,
    follow,
    published,
    remind,
    send,
    send_for,
    take_back,
)

__all__ = [
    "AlreadyWaiting",
    "ChangedMeanwhile",
    "CodeTaken",
    "Incomplete",
    "NotAnAnswer",
    "NotEditable",
    "NothingPublished",
    "NothingToSee",
    "Saved",
    "Window",
    "WindowClosed",
    "correct",
    "draft_of",
    "expire",
    "follow",
    "forget",
    "give_up_correction",
    "may_answer",
    "open_answers",
    "open_tray",
    "published",
    "read_list",
    "remind",
    "save",
    "see_to_alert",
    "send",
    "send_for",
    "submit",
    "take_back",
    "to_forget",
]
