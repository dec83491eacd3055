"""The words of invitations, for agents."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

GROUPS: Mapping[str, Any] = {
    "waiting": _l("Not reached yet"),
    "sent": _l("Code sent"),
    "reached": _l("In their space"),
    "over": _l("Over"),
}

STATES: Mapping[str, tuple[Any, str]] = {
    "waiting": (_l("To print or send"), "warning"),
    "sent": (_l("Code sent"), "info"),
    "told": (_l("In their space"), "success"),
    "opened": (_l("Opened with the code"), "success"),
    "expired": (_l("Day passed"), "neutral"),
    "withdrawn": (_l("Taken back"), "neutral"),
    "cancelled": (_l("Stay cancelled"), "neutral"),
}
"""State → words and tone of its tag."""

SOURCES: Mapping[str, Any] = {
    "agent": _l("An agent"),
    "file": _l("A file of stays"),
    "messages": _l("The hospital’s messages"),
    "fhir": _l("The hospital’s system (FHIR)"),
}
