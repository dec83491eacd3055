"""What people read about deposits."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

PATIENT_STATES: Mapping[str, tuple[Any, str]] = {
    "awaited": (_l("To send"), "warning"),
    "scanning": (_l("Being checked"), "info"),
    "deposited": (_l("Sent"), "info"),
    "infected": (_l("File with a virus"), "danger"),
    "accepted": (_l("Taken by the hospital"), "success"),
    "refused": (_l("To send again"), "warning"),
    "waived": (_l("To show on the day"), "success"),
    "expired": (_l("No longer valid"), "warning"),
    "withdrawn": (_l("No longer asked"), "neutral"),
    "purged": (_l("Erased"), "neutral"),
    "closed": (_l("Closed"), "neutral"),
}
STAFF_STATES: Mapping[str, tuple[Any, str]] = {
    **PATIENT_STATES,
    "awaited": (_l("Waiting for the patient"), "neutral"),
    "deposited": (_l("To look at"), "warning"),
    "accepted": (_l("Accepted"), "success"),
    "refused": (_l("Asked again"), "info"),
}
"""State → words and tone of its tag, on each side."""
