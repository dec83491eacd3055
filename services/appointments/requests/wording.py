"""Words for what requests hold as codes."""

from collections.abc import Mapping
from typing import Any

from flask import Flask
from flask_babel import lazy_gettext as _l

STATES: Mapping[str, Any] = {
    "sent": _l("Sent"),
    "handled": _l("Being handled"),
    "more_asked": _l("Something is missing"),
    "proposed": _l("Times proposed"),
    "accepted": _l("Appointment booked"),
    "refused": _l("Refused"),
    "withdrawn": _l("Withdrawn"),
    "expired": _l("Closed without an answer"),
}
TONES: Mapping[str, str] = {
    "sent": "info",
    "handled": "info",
    "more_asked": "warning",
    "proposed": "warning",
    "accepted": "success",
    "refused": "danger",
    "withdrawn": "neutral",
    "expired": "neutral",
}
REFUSALS: Mapping[str, tuple[Any, Any]] = {
    "not_here": (
        _l("The hospital does not do this"),
        _l("Ask your general practitioner, or choose another hospital of the group."),
    ),
    "letter_needed": (
        _l("A letter from a practitioner is needed"),
        _l("Ask your practitioner for a letter, then send a new request with it."),
    ),
    "seen_sooner_elsewhere": (
        _l("You would be seen sooner elsewhere"),
        _l("Your general practitioner can tell you where."),
    ),
    "not_needed": (
        _l("An appointment is not needed for this"),
        _l("If something changes, send a new request or call the unit."),
    ),
    "no_time_soon": (
        _l("There is no time on the days you wished"),
        _l("Send a new request with other days, or look for a free time online."),
    ),
    "already_booked": (_l("You already have an appointment for this"), _l("You find it among your appointments.")),
    "no_answer": (
        _l("The hospital could not reach you"),
        _l("Send a new request when it suits you, or call the unit."),
    ),
    "unit_closed": (
        _l("The unit has closed"),
        _l("Send a new request to another unit, or ask your general practitioner."),
    ),
}
"""Code → why, and what to do now."""
BACK = {
    "other_dates": _l("The patient asks for other dates"),
    "proposal_expired": _l("The date to answer has passed"),
    "taken_back": _l("The hospital took the times back"),
    "answered": _l("The patient has answered"),
    "transferred": _l("Given to another unit"),
    "left": _l("Left to the others"),
}
OUTCOMES = {
    "": _l("Proposed"),
    "accepted": _l("Taken"),
    "declined": _l("Declined"),
    "expired": _l("Date to answer passed"),
    "taken_back": _l("Taken back"),
    "given_back": _l("Given back"),
}


def register(app: Flask) -> None:
    app.jinja_env.globals.update(
        request_states=STATES,
        request_tones=TONES,
        request_refusals=REFUSALS,
        request_back=BACK,
        proposal_outcomes=OUTCOMES,
    )
