"""What people read for what circles hold as codes."""

from collections.abc import Iterable, Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

from services.circle import states

ROLES: Mapping[str, Any] = {
    "treating_doctor": _l("Treating doctor"),
    "doctor": _l("Doctor, specialist"),
    "nurse": _l("Nurse"),
    "pharmacist": _l("Pharmacist"),
    "midwife": _l("Midwife"),
    "dentist": _l("Dentist"),
    "physiotherapist": _l("Physiotherapist"),
    "psychologist": _l("Psychologist"),
    "coordinator": _l("Care coordinator"),
    "home_care": _l("Home care"),
    "other": _l("Another professional"),
}
SCOPES: Mapping[str, Any] = {
    "documents": _l("Documents of the hospital"),
    "appointments": _l("Coming appointments and stays"),
    "referrals": _l("Requests that doctors made for you"),
}
SCOPE_HINTS: Mapping[str, Any] = {
    "documents": _l("Letters, reports and results that you see in “My documents”, except those you keep to yourself"),
    "appointments": _l("The day and the unit, never the reason"),
    "referrals": _l("Which unit was asked, and where the request stands"),
}
STANDINGS: Mapping[str, Any] = {
    "team": _l("They treat me: they are in my care team"),
    "outside": _l("They are outside my care team: I allow them to see what I choose, until a day"),
}
STANDING_HINTS: Mapping[str, Any] = {
    "team": _l("Sharing within the team is provided by law; you may limit it or object to it at any time"),
    "outside": _l(
        "An expert, an occupational doctor, a doctor you consult once: they see nothing without your agreement"
    ),
}
STATES: Mapping[str, tuple[Any, str]] = {
    "asked": (_l("Waits for your answer"), "warning"),
    "active": (_l("In your circle"), "success"),
    "objected": (_l("Sees nothing: you objected"), "danger"),
    "refused": (_l("You refused"), "neutral"),
    "ended": (_l("No longer in your circle"), "neutral"),
}
ORIGINS: Mapping[str, Any] = {
    "patient": _l("You said so"),
    "code": _l("With a code that you showed"),
    "practitioner": _l("They asked, you agreed"),
    "hospital": _l("According to the hospital’s file"),
}
CHANGES: Mapping[str, Any] = {
    "added": _l("Added to the circle"),
    "declared": _l("Named treating doctor by the hospital’s file"),
    "shared": _l("What they may see was chosen"),
    "accepted": _l("Their request was accepted"),
    "refused": _l("Their request was refused"),
    "objected": _l("An objection was made: they see nothing any more"),
    "lifted": _l("The objection was taken back"),
    "ended": _l("They left the circle"),
    "treating_doctor_changed": _l("Another treating doctor was chosen"),
    "let_in": _l("They typed the code that was shown"),
    "asked": _l("They asked to join the circle"),
    "asked_no_more": _l("They no longer ask"),
}
"""Code of a change → words."""


def seen(scopes: Iterable[str]) -> list[Any]:
    """What somebody sees, in words, in the usual order."""
    listed = set(scopes)
    return [SCOPES[each] for each in states.SCOPES if each in listed]


def seen_by_me(scopes: Iterable[str]) -> list[Any]:
    """The same, as the professional who sees it reads it."""
    listed, said = set(scopes), {**SCOPES, "referrals": _l("Requests to hospital units")}
    return [said[each] for each in states.SCOPES if each in listed]
