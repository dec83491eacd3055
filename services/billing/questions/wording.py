"""Words for what the thread holds as codes."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

KINDS: Mapping[str, Any] = {
    "question": _l("I have a question"),
    "unclear": _l("I do not understand this bill"),
    "dispute": _l("I dispute the amount"),
    "paid": _l("I have already paid"),
    "instalments": _l("I cannot pay everything at once"),
}
HINTS: Mapping[str, Any] = {
    "dispute": _l("While the hospital looks into it, it sends you no reminder."),
    "paid": _l("Say when and how: at the desk, by cheque, by transfer."),
    "instalments": _l("Say what you could pay each month. Nothing is decided before the answer."),
}
TITRE_HINTS: Mapping[str, Any] = {
    **HINTS,
    "dispute": _l("The hospital checks the amount. Only the Treasury can put its own reminders off."),
    "instalments": _l("For this bill, only the Treasury (public accountant) grants a delay: write to it directly."),
}
STATES: Mapping[str, tuple[Any, str]] = {
    "open": (_l("Waiting for the hospital"), "info"),
    "answered": (_l("Answer given"), "success"),
    "closed": (_l("Question closed"), "neutral"),
}
DESK_STATES: Mapping[str, tuple[Any, str]] = {
    "open": (_l("To answer"), "warning"),
    "answered": (_l("Answer given"), "success"),
    "closed": (_l("Question closed"), "neutral"),
}
BECAUSE: Mapping[str, Any] = {
    "settled": _l("By the hospital"),
    "withdrawn": _l("By whoever asked"),
    "silent": _l("A month after the answer"),
}
