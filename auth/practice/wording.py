"""Words for the codes of places and professions (ANS, NOS: TRE_G15-ProfessionSante, TRE_R23-ModeExercice)."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from auth.practice import activities

PROFESSIONS = {
    "10": _l("Doctor"),
    "21": _l("Pharmacist"),
    "26": _l("Hearing-aid specialist"),
    "28": _l("Optician"),
    "40": _l("Dental surgeon"),
    "50": _l("Midwife"),
    "60": _l("Nurse"),
    "69": _l("Psychiatric nurse"),
    "70": _l("Physiotherapist"),
    "80": _l("Podiatrist"),
    "86": _l("Medical laboratory technician"),
    "91": _l("Speech therapist"),
    "92": _l("Orthoptist"),
    "94": _l("Occupational therapist"),
    "95": _l("Dietitian"),
    "96": _l("Psychomotor therapist"),
    "98": _l("Radiographer"),
}
MODES = {"L": _l("independent practice"), "S": _l("salaried"), "B": _l("volunteer")}


def profession(activity: Mapping[str, Any]) -> str:
    """The profession in words, "" for a code we have no word for."""
    return str(PROFESSIONS.get(activity.get("profession") or "", ""))


def site(activity: Mapping[str, Any]) -> str:
    """The place in words: its sign, its legal name, its number, or how one works there."""
    named = activity.get("sign") or activity.get("raison_sociale")
    if named:
        return str(named)
    if number := activities.number(activity):
        return str(_("Site %(number)s", number=number))
    if mode := MODES.get(activity.get("mode") or ""):
        return str(_("Place not named (%(mode)s)", mode=mode))
    return str(_("Place not named"))


def details(activity: Mapping[str, Any]) -> str:
    """What tells two places of one name apart: how one works there, as what, its number and postcode."""
    named = activity.get("sign") or activity.get("raison_sociale")
    number = activities.number(activity) if named else ""
    parts = [
        profession(activity),
        str(MODES.get(activity.get("mode") or "", "")) if named or number else "",
        number,
        activity.get("postal_code") or "",
    ]
    return ", ".join(part for part in parts if part)
