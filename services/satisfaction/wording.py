"""How pages say services, answers and what the rules found in a comment."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from flask_babel import format_date, format_decimal, format_percent
from flask_babel import lazy_gettext as _l

from services.satisfaction import screening

SERVICES: Final[Mapping[str, Any]] = {
    "appointments": _l("Your appointment online"),
    "preadmission": _l("Your pre-admission"),
    "billing": _l("Your payment online"),
    "documents": _l("Your documents"),
    "messages": _l("Your messages"),
    "questionnaires": _l("Your questionnaires"),
    "referrals": _l("Your referrals to the hospital"),
}
"""To whoever used them."""
NAMES: Final[Mapping[str, Any]] = {
    "appointments": _l("Appointments"),
    "preadmission": _l("Pre-admission"),
    "billing": _l("Payments"),
    "documents": _l("Documents"),
    "messages": _l("Messages"),
    "questionnaires": _l("Questionnaires"),
    "referrals": _l("Referrals"),
}
"""To agents."""
SCORES: Final[Mapping[int, Any]] = {
    5: _l("Very satisfied"),
    4: _l("Satisfied"),
    3: _l("Neither satisfied nor dissatisfied"),
    2: _l("Dissatisfied"),
    1: _l("Very dissatisfied"),
}
TONES: Final[Mapping[int, str]] = {5: "success", 4: "success", 3: "neutral", 2: "warning", 1: "danger"}
FLAGS: Final[Mapping[str, Any]] = {
    screening.HEALTH: _l("Health"),
    screening.NUMBER: _l("Number or date"),
    screening.CONTACT: _l("Address"),
    screening.NAME: _l("Name"),
}
REASONS: Final[Mapping[str, Any]] = {
    "health": _l("It tells of somebody’s health"),
    "somebody": _l("It names or describes somebody"),
    "insult": _l("It insults or threatens"),
    "nothing": _l("It says nothing of the service"),
}
"""Why a comment is removed."""
AUDIENCES: Final[Mapping[str, Any]] = {"patient": _l("Patient"), "professional": _l("Practitioner")}


def month(day: date) -> str:
    """When it was said, to agents of the service: the day would tell who, where few people came."""
    return str(format_date(day, "LLLL y"))


def number(mean: float | None) -> str:
    """A mean out of 5."""
    return "–" if mean is None else str(format_decimal(mean, "0.0"))


def share(part: float | None) -> str:
    """A part of the answers."""
    return "–" if part is None else str(format_percent(part, "#,##0 %"))
