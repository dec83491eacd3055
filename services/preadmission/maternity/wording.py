"""What people read about places for births."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

STATES: Mapping[str, tuple[Any, str]] = {
    "received": (_l("Request received"), "info"),
    "studied": (_l("Being studied"), "info"),
    "offered": (_l("Place offered"), "warning"),
    "waiting_list": (_l("On the waiting list"), "warning"),
    "refused": (_l("No place"), "danger"),
    "confirmed": (_l("Place confirmed"), "success"),
    "cancelled": (_l("Request over"), "neutral"),
    "born_elsewhere": (_l("Born elsewhere"), "neutral"),
}
"""State → its words and tone."""
EXPLAINED: Mapping[str, Any] = {
    "received": _l("The maternity unit has your request. Its answer will come here."),
    "studied": _l("The maternity unit is looking at your request."),
    "offered": _l("A place is kept for you. Accept it before the last day, or let somebody else have it."),
    "waiting_list": _l(
        "Every place of that month is taken for now. You are on the list: places are offered in its order."
    ),
    "refused": _l("This maternity unit has no place for you."),
    "confirmed": _l("Your place is yours. The maternity unit will invite you to prepare your stay."),
    "cancelled": _l("This request is over."),
    "born_elsewhere": _l("This request is over."),
}
BECAUSE: Mapping[str, Any] = {
    "declined": _l("You did not take the place."),
    "no_answer": _l("The place was not accepted in time: you wait for another one."),
    "elsewhere": _l("You accepted a place at another maternity unit."),
    "withdrawn": _l("You gave the request up."),
    "by_hospital": _l("The maternity unit closed it."),
}
FOLLOW_UPS: Mapping[str, Any] = {
    "hospital": _l("At the hospital"),
    "midwife": _l("With a midwife in town"),
    "doctor": _l("With my doctor"),
    "none": _l("I do not know yet"),
}
GROUPS: Mapping[str, Any] = {
    "to_answer": _l("To answer"),
    "offered": _l("Offered"),
    "waiting_list": _l("Waiting list"),
    "confirmed": _l("Confirmed"),
    "over": _l("Ended"),
}
SHORT_LEVELS: Mapping[str, Any] = {"I": _l("Level I"), "II": _l("Level II"), "III": _l("Level III")}
LEVELS: Mapping[str, Any] = {
    "I": _l("Level I: births without particular risk"),
    "II": _l("Level II: with care for newborns"),
    "III": _l("Level III: with intensive care for newborns"),
}
