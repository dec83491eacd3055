"""Words for what the waiting list holds as codes."""

from collections.abc import Mapping
from typing import Any

from flask import Flask
from flask_babel import lazy_gettext as _l

STATES: Mapping[str, Any] = {
    "waiting": _l("Waiting"),
    "served": _l("Took a time"),
    "left": _l("Left the list"),
    "ended": _l("Ended"),
}
TONES: Mapping[str, str] = {"waiting": "info", "served": "success", "left": "neutral", "ended": "neutral"}
OUTCOMES: Mapping[str, Any] = {
    "": _l("Waits for an answer"),
    "accepted": _l("Taken"),
    "declined": _l("Declined"),
    "expired": _l("No answer"),
    "withdrawn": _l("Taken back"),
}
OUTCOME_TONES: Mapping[str, str] = {
    "": "warning",
    "accepted": "success",
    "declined": "neutral",
    "expired": "neutral",
    "withdrawn": "neutral",
}
WHY: Mapping[str, Any] = {
    "practitioner_asked": _l("A practitioner asked for it"),
    "cancelled_by_hospital": _l("The hospital had cancelled their visit"),
    "long_wait": _l("They have waited for too long"),
    "date_passed": _l("The last day has passed"),
    "visit_changed": _l("The visit was cancelled, or has come"),
    "unit_closed": _l("The unit has closed"),
}
"""Why an agent put somebody first, or why an entry ended."""
NOTICES: Mapping[int, Any] = {
    2: _l("2 hours"),
    24: _l("A day"),
    48: _l("Two days"),
    168: _l("A week"),
}
"""Hours that a patient needs between the offer and the visit."""


def register(app: Flask) -> None:
    app.jinja_env.globals.update(
        waiting_states=STATES,
        waiting_tones=TONES,
        offer_outcomes=OUTCOMES,
        offer_tones=OUTCOME_TONES,
        waiting_why=WHY,
        waiting_notices=NOTICES,
    )
